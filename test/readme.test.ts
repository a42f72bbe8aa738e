// README.md names what is there: every package with its reason, and no program that does not exist.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

const at = (path: string) => join(import.meta.dirname, '..', path)
const read = (path: string) => readFileSync(at(path), 'utf8')
const readme = read('README.md')
const { scripts, dependencies, devDependencies } = JSON.parse(read('package.json'))

describe('README.md', () => {
  test('says of each package why it is there', () => {
    const why = readme.slice(readme.indexOf('**The packages, and why each**'))
    const named = [...why.matchAll(/`([^`\s]+)`/g)].map(([, name]) => name)
    expect(named.toSorted()).toEqual([...Object.keys(dependencies), ...Object.keys(devDependencies)].toSorted())
  })

  test('names only programs that exist', () => {
    const named = [...readme.matchAll(/npm run (?:-s |--silent )?([\w:]+)/g)].map(([, name = '']) => name)
    expect(named.length).toBeGreaterThan(5)
    expect([...new Set(named)].filter((name) => !(name in scripts))).toEqual([])
  })

  test('names only paths of the project that exist', () => {
    const paths = [...readme.matchAll(/`((?:src|test|drizzle|\.ci)\/[\w./-]+)`/g)].map(([, path = '']) => path)
    expect(paths.length).toBeGreaterThan(3)
    expect(paths.filter((path) => !existsSync(at(path)))).toEqual([])
  })
})
