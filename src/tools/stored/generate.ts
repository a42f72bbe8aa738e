// Writes the functions of catalog.ts: their SQL to drizzle/functions.sql, their names to src/infra/stored-functions.ts.
// Part of `npm run db:generate`. PGlite with all migrations describes the parameters and the columns.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { toTexts } from '../../infra/database.ts'
import { nameFunction } from '../../infra/stored.ts'
import { readMigrationSql } from '../migrations.ts'
import { storedCalls } from './catalog.ts'
import { breakpoint, functionsFile } from './install.ts'
import { type Call, recordCall } from './record.ts'
import { writeFunction } from './write-function.ts'

const namesFile = join(import.meta.dirname, '../../infra/stored-functions.ts')

export type StoredFunction = { name: string; sql: string }

/** The functions of the calls, once each. @throws TypeError for a call that sends no statement */
export async function makeFunctions(calls: Call[] = storedCalls): Promise<StoredFunction[]> {
  const database = await PGlite.create()
  try {
    for (const statement of readMigrationSql()) await database.exec(statement)
    const functions = new Map<string, string>()
    for (const call of calls) {
      const { name, queries, needed } = await recordCall(call)
      const statements = toTexts(queries)
      const texts = statements.map(({ query }) => query)
      const functionName = nameFunction(name, texts, needed)
      const returned = needed === 'all' ? queries.length : undefined
      functions.set(functionName, await writeFunction(database, functionName, statements, returned))
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
