// Every text that the console shows is in its table, in both languages.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { texts } from '../../src/console/texts.ts'

const consoleDir = join(import.meta.dirname, '../../src/console')

async function readSources(): Promise<[string, string][]> {
  const names = await readdir(consoleDir, { recursive: true })
  const sources = names.filter((name) => /\.tsx?$/.test(name) && !name.startsWith('texts'))
  return Promise.all(
    sources.map(async (name): Promise<[string, string]> => [name, await readFile(join(consoleDir, name), 'utf8')]),
  )
}

/** Words between tags, and words in the attributes that are read to people. */
const visible = [
  /(?:[\w"'}/]|^\s*)>\s*([^<>{}=()]*\p{L}{2,}[^<>{}=()]*)<\//gmu,
  /\b(?:aria-label|title|placeholder|alt)="([^"]+)"/g,
]

test('no text is outside of the table', async () => {
  const found: string[] = []
  for (const [name, source] of await readSources()) {
    const code = source.replace(/^\s*(\/\/|\/?\*).*$/gm, '')
    if (/\p{Script=Hangul}/u.test(code)) found.push(`${name}: Korean`)
    if (!name.endsWith('.tsx')) continue
    for (const pattern of visible) for (const [, words] of code.matchAll(pattern)) found.push(`${name}: ${words}`)
  }
  expect(found).toEqual([])
})

test('every text is used', async () => {
  const code = (await readSources()).map(([, source]) => source).join('\n')
  const composed = [...code.matchAll(/`(\w+_)\$\{/g)].map(([, prefix = '']) => prefix)
  const unused = Object.keys(texts).filter(
    (key) => !code.includes(`'${key}'`) && !composed.some((prefix) => key.startsWith(prefix)),
  )
  expect(unused).toEqual([])
})

test('no text is empty in a language', () => {
  const empty = Object.entries(texts).filter(([, pair]) => pair.some((words) => words.trim() === ''))
  expect(empty).toEqual([])
})

test('both languages have the same values', () => {
  const valuesOf = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(String).toSorted()
  const different = Object.entries(texts).filter(
    ([, [korean, english]]) => String(valuesOf(korean)) !== String(valuesOf(english)),
  )
  expect(different).toEqual([])
})
