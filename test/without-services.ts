// The test files that use neither PostgreSQL nor Redis of the environment. On real servers they would show the same again.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { importsOf } from './architecture-rules.ts'

const root = join(import.meta.dirname, '..')
const namesServer = /\bLOCAL_(POSTGRES|REDIS)_URL\b/

/** They import what reads these variables, and run it with an environment of their own. */
const withOwnEnvironment = [
  'test/platform/dev-vars.test.ts',
  'test/platform/local.test.ts',
  'test/platform/seed.test.ts',
]

for (const file of withOwnEnvironment) {
  if (!existsSync(join(root, file))) throw new TypeError(`not a test file: ${file}`)
}

/** Paths from the root of the project. */
export function findTestsWithoutServices(): string[] {
  const files = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
  const tests = files.filter((file) => file.endsWith('.test.ts')).map((file) => `test/${file}`)
  return tests.filter((file) => withOwnEnvironment.includes(file) || !usesServer(file)).sort()
}

/** Whether the file, or one that it imports, names a server. */
function usesServer(file: string): boolean {
  const seen = new Set([file])
  for (const path of seen) {
    const text = readFileSync(join(root, path), 'utf8')
    if (namesServer.test(text)) return true
    for (const { to, isType } of importsOf(path, text)) {
      if (!isType && existsSync(join(root, to)) && /^(src|test)\/.*\.tsx?$/.test(to)) seen.add(to)
    }
  }
  return false
}
