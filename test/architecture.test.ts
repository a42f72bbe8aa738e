// Checks the layout rules on this repository, and each rule on samples that violate it.
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { describe, expect, test } from 'vitest'
import * as rules from './architecture-rules.ts'
import { cases, type Sample } from './architecture-samples.ts'

const root = join(import.meta.dirname, '..')
const isIgnored = (name: string) => ['node_modules', 'dist', 'coverage'].includes(name) || name.endsWith('.log')

/** Every file of src, and only the names of the other files. */
function readFiles(): rules.Files {
  const files = new Map<string, string>()
  const topLevel = readdirSync(root, { withFileTypes: true }).filter(({ name }) => !isIgnored(name))
  for (const entry of topLevel) if (!entry.name.startsWith('.')) files.set(entry.name, '')
  for (const folder of ['src', 'test', 'drizzle']) {
    files.delete(folder)
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true, recursive: true })) {
      if (!entry.isFile()) continue
      const path = relative(root, join(entry.parentPath, entry.name)).split(sep).join('/')
      files.set(path, folder === 'src' ? readFileSync(join(root, path), 'utf8') : '')
    }
  }
  for (const name of ['package.json', 'package-lock.json']) files.set(name, readFileSync(join(root, name), 'utf8'))
  return files
}

const files = readFiles()

test('the files of src and their imports are found', () => {
  expect(files.get('src/app.ts')).toContain('createApp')
  const imports = rules.importsOf('src/app.ts', files.get('src/app.ts') ?? '')
  expect(imports).toContainEqual({ from: 'src/app.ts', to: 'src/machines/routes.ts', isType: false })
  expect(imports).toContainEqual({ from: 'src/app.ts', to: 'src/env.ts', isType: true })
})

test.each([
  [`import { a } from './b.ts'`, 'src/jobs/b.ts', false],
  [`import type { A } from '../http/b.ts'`, 'src/http/b.ts', true],
  [`import { type A, b } from '../http/b.ts'`, 'src/http/b.ts', false],
  [`import * as b from "../b.ts"`, 'src/b.ts', false],
  [`import {\n  a,\n  b,\n} from './b.ts'`, 'src/jobs/b.ts', false],
  [`import './b.ts'`, 'src/jobs/b.ts', false],
  [`export { a } from './b.ts'`, 'src/jobs/b.ts', false],
  [`export type { A } from './b.ts'`, 'src/jobs/b.ts', true],
  [`export * as b from './b.ts'`, 'src/jobs/b.ts', false],
  [`const b = await import('../../test/b.ts')`, 'test/b.ts', false],
  [`type B = import('./b.ts').B`, 'src/jobs/b.ts', false],
  [`const b = require('jose')`, 'jose', false],
])('%j is recognized as an import', (text, to, isType) => {
  expect(rules.importsOf('src/jobs/a.ts', text)).toEqual([{ from: 'src/jobs/a.ts', to, isType }])
})

function withFiles([path, text, others = []]: Sample): rules.Files {
  const named = others.map((other): [string, string] => (typeof other === 'string' ? [other, ''] : other))
  return new Map([...named, [path, text]])
}

describe.each(cases)('%s', (_, rule, forbidden, allowed) => {
  test('holds in this repository', () => {
    expect(rule(files)).toEqual([])
  })

  test.each(forbidden)('rejects the forbidden sample %#, %s', (...sample) => {
    const [violation, ...more] = rule(withFiles(sample))
    expect(violation).toMatch(/^\S+: ./)
    expect(more).toEqual([])
  })

  test.each(allowed)('accepts the allowed sample %#, %s', (...sample) => {
    expect(rule(withFiles(sample))).toEqual([])
  })
})

test('every rule is tested here', () => {
  const proved = cases.map(([, rule]) => rule.name)
  const all = Object.keys(rules).filter((name) => name !== 'importsOf')
  expect(proved.toSorted()).toEqual(all.toSorted())
})
