// Writes the functions of catalog.ts: their SQL to drizzle/functions.sql, their names to src/infra/stored-functions.ts.
// Part of `npm run db:generate`. PGlite with all migrations describes the parameters and the columns.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import type { Database } from '../../infra/database.ts'
import { toTexts } from '../../infra/database.ts'
import { render } from '../../infra/prepare.ts'
import type { Statement } from '../../infra/sql-client.ts'
import { type NeededRows, nameFunction } from '../../infra/stored.ts'
import { readMigrationSql } from '../migrations.ts'
import { type Call, storedCalls } from './catalog.ts'
import { breakpoint, functionsFile } from './install.ts'
import { writeFunction } from './write-function.ts'

const namesFile = join(import.meta.dirname, '../../infra/stored-functions.ts')

/** What a call sends. `count`: how many of the statements are its own, after those that set the session. */
type Recorded = { name: string; statements: Statement[]; needed: NeededRows; count: number }
export type StoredFunction = { name: string; sql: string }

/** The statements of a call, which are not executed. */
async function record(call: Call): Promise<Recorded> {
  let recorded: Recorded | undefined
  const halt =
    (needed: NeededRows) =>
    async (name: string, statements: Parameters<Database['batch']>[1]): Promise<never> => {
      recorded = { name, statements: toTexts(statements.map(render)), needed, count: statements.length }
      throw new Error('only recorded')
    }
  const batch = halt('last')
  const query: Database['query'] = (name, statement) => batch(name, [statement])
  const ping = () => Promise.reject(new Error('not recorded'))
  await call({ query, batch, batchAll: halt('all'), ping }).catch(() => undefined)
  if (!recorded) throw new TypeError('the call sent no statement that can be a function')
  return recorded
}

/** The functions of the calls, once each. @throws TypeError for a call that sends no statement */
export async function makeFunctions(calls: Call[] = storedCalls): Promise<StoredFunction[]> {
  const database = await PGlite.create()
  try {
    for (const statement of readMigrationSql()) await database.exec(statement)
    const functions = new Map<string, string>()
    for (const call of calls) {
      const recorded = await record(call)
      const texts = recorded.statements.map(({ query }) => query)
      const functionName = nameFunction(recorded.name, texts, recorded.needed)
      const { needed, count } = recorded
      const returned = needed === 'all' ? count : undefined
      functions.set(functionName, await writeFunction(database, functionName, recorded.statements, returned))
    }
    return [...functions].map(([name, sql]) => ({ name, sql }))
  } finally {
    await database.close()
  }
}

/** The content of the two files. */
export function toFiles(functions: StoredFunction[]): [path: string, content: string][] {
  const names = functions.map(({ name }) => `  '${name}',\n`).join('')
  return [
    [functionsFile, functions.map(({ sql }) => sql).join(breakpoint)],
    [
      namesFile,
      `// Written by \`npm run db:generate\`: the functions in drizzle/functions.sql.\nexport const storedFunctions: ReadonlySet<string> = new Set([\n${names}])\n`,
    ],
  ]
}

/** @returns the files whose content is not what the statements of this checkout say */
export function findOutdated(functions: StoredFunction[]): string[] {
  return toFiles(functions)
    .filter(([path, content]) => readFileSync(path, 'utf8') !== content)
    .map(([path]) => path)
}

if (import.meta.main) {
  for (const [path, content] of toFiles(await makeFunctions())) writeFileSync(path, content)
}
