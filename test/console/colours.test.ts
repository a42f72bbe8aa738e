// Every colour of the console has a name in styles/tokens.css, where it has one value for light and one for dark.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const consoleDir = join(import.meta.dirname, '../../src/console')
/** The browser shows it outside of the page, where there are no tokens. */
const exempt = ['icon.svg']

const hex = /#(?:[\da-f]{8}|[\da-f]{6}|[\da-f]{3,4})\b/i
const called = /\b(?:rgba?|hsla?|hwb|lab|lch|oklab|oklch|color|color-mix|light-dark)\(/i
const named = /:[^;]*\b(?:white|black|red|green|blue|gr[ae]y|yellow|orange|purple|silver|navy|teal)\b/i

const isColour = (line: string) => hex.test(line) || called.test(line) || named.test(line)

async function findColours(file: string): Promise<string[]> {
  const source = (await readFile(join(consoleDir, file), 'utf8')).replace(/\/\*.*?\*\//gs, '')
  const pattern = file.endsWith('.css')
    ? isColour
    : (line: string) => /["'`]#(?:[\da-f]{3}|[\da-f]{6})["'`]/i.test(line)
  return source
    .split('\n')
    .filter(pattern)
    .map((line) => `${file}: ${line.trim()}`)
}

test('no colour is outside of the tokens', async () => {
  const files = (await readdir(consoleDir, { recursive: true })).filter(
    (name) => /\.(css|tsx?|svg|html)$/.test(name) && name !== join('styles', 'tokens.css') && !exempt.includes(name),
  )
  const found = await Promise.all(files.map(findColours))
  expect(files.length).toBeGreaterThan(50)
  expect(found.flat()).toEqual([])
})

test('a colour is recognised in every notation', () => {
  for (const colour of ['#fff', '#0f4c5c', '#0f4c5cff', 'rgb(0 0 0 / 40%)', 'hsl(0 0% 0%)', 'white', 'oklch(1 0 0)']) {
    expect([colour, isColour(`  color: ${colour};`)]).toEqual([colour, true])
  }
  for (const other of ['var(--ink)', 'inherit', 'currentColor', 'transparent']) {
    expect([other, isColour(`  color: ${other};`)]).toEqual([other, false])
  }
})

test('every token of a style has a value', async () => {
  const styles = (await readdir(join(consoleDir, 'styles'))).map((name) => join('styles', name))
  const sources = await Promise.all(styles.map((name) => readFile(join(consoleDir, name), 'utf8')))
  const all = sources.join('\n')
  const defined = new Set([...all.matchAll(/(--[\w-]+)\s*:/g)].map(([, name]) => name))
  const used = [...all.matchAll(/var\((--[\w-]+)/g)].map(([, name]) => name)
  expect(used.filter((name) => !defined.has(name))).toEqual([])
})
