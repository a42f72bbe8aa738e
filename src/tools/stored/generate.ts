// Writes the functions of catalog.ts: their SQL to drizzle/functions.sql, their names to src/infra/stored-functions.ts.
// Part of `npm run db:generate`. PGlite with all migrations describes the parameters and the columns.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import type { Database } from '../../infra/database.ts'
import { deadlineMs, toTexts } from '../../infra/database.ts'
import { render } from '../../infra/prepare.ts'
import type { Statement } from '../../infra/sql-client.ts'
import { nameFunction, storedSchema } from '../../infra/stored.ts'
import { readMigrationSql } from '../migrations.ts'
import { type Call, storedCalls } from './catalog.ts'
import { breakpoint, functionsFile } from './install.ts'

const namesFile = join(import.meta.dirname, '../../infra/stored-functions.ts')

type Described = { text: string; columns: string[] }
export type StoredFunction = { name: string; sql: string }

/** The statements of a call, which are not executed. */
async function record(call: Call): Promise<{ name: string; statements: Statement[] }> {
  let recorded: { name: string; statements: Statement[] } | undefined
  const halt = async (name: string, statements: Parameters<Database['batch']>[1]): Promise<never> => {
    recorded = { name, statements: toTexts(statements.map(render)) }
    throw new Error('only recorded')
  }
  const refuse = () => Promise.reject(new Error('not recorded')) // a function returns only the rows of its last statement
  const query: Database['query'] = (name, statement) => halt(name, [statement])
  await call({ query, batch: halt, batchAll: refuse, ping: refuse }).catch(() => undefined)
  if (!recorded) throw new TypeError('the call sent no statement that can be a function')
  return recorded
}

/** The functions of the calls, once each. @throws TypeError for a call that needs the rows of several statements */
export async function makeFunctions(calls: Call[] = storedCalls): Promise<StoredFunction[]> {
  const database = await PGlite.create()
  try {
    for (const statement of readMigrationSql()) await database.exec(statement)
    const functions = new Map<string, string>()
    for (const call of calls) {
      const { name, statements } = await record(call)
      const functionName = nameFunction(
        name,
        statements.map(({ query }) => query),
      )
      functions.set(functionName, await writeFunction(database, functionName, statements))
    }
    return [...functions].map(([name, sql]) => ({ name, sql }))
  } finally {
    await database.close()
  }
}

async function writeFunction(database: PGlite, name: string, statements: Statement[]): Promise<string> {
  const parameters: string[] = []
  const described: Described[] = []
  for (const [index, { query }] of statements.entries()) {
    const { queryParams, resultFields } = await database.describeQuery(query)
    const text = renumber(index === 0 ? query : atStatementStart(query), parameters.length)
    const types = await namesOfTypes(
      database,
      [...queryParams, ...resultFields].map(({ dataTypeID }) => dataTypeID),
    )
    parameters.push(...types.slice(0, queryParams.length))
    const columns = resultFields.map((field, each) => `"${field.name}" ${types[queryParams.length + each]}`)
    described.push({ text: text.trim(), columns })
  }
  const last = described.pop()
  if (!last) throw new TypeError('a call has a statement')
  const isTable = last.columns.length > 0
  return `CREATE FUNCTION ${storedSchema}.${name}(${parameters.join(', ')})
RETURNS ${isTable ? `TABLE (${last.columns.join(', ')})` : 'void'} LANGUAGE plpgsql AS $function$
#variable_conflict use_column
${described.length > 0 ? beginSeveral : 'BEGIN\n'}${described.map(toStep).join('')}  ${isTable ? 'RETURN QUERY ' : ''}${last.text};
END $function$;
`
}

/**
 * A statement_timeout that a function sets does not stop its own call, which has begun already. So the function limits how
 * long it waits for a lock: otherwise a request that the Worker has given up could still take effect later.
 */
const beginSeveral = `DECLARE
  ignored record;
  statement_start timestamptz;
BEGIN
  PERFORM set_config('lock_timeout', '${deadlineMs}ms', true);
`

/** A statement before the last one, whose rows nobody reads. */
function toStep({ text, columns }: Described): string {
  const next = '  statement_start := clock_timestamp();\n'
  if (columns.length === 0) return `  ${text};\n${next}`
  if (text.startsWith('SELECT ')) return `  PERFORM ${text.slice('SELECT '.length)};\n${next}`
  return `  FOR ignored IN ${text}\n  LOOP END LOOP;\n${next}`
}

/** In a function, statement_timestamp() is the start of the call, before the wait for a lock. */
function atStatementStart(text: string): string {
  return text.replaceAll('statement_timestamp()', 'statement_start')
}

function renumber(text: string, offset: number): string {
  return text.replace(/\$(\d+)/g, (_, number) => `$${Number(number) + offset}`)
}

async function namesOfTypes(database: PGlite, ids: number[]): Promise<string[]> {
  const { rows } = await database.query<{ name: string }>(
    'SELECT format_type(id, NULL) AS name FROM unnest($1::int[]) WITH ORDINALITY AS type (id, position) ORDER BY position',
    [ids],
  )
  return rows.map(({ name }) => name)
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
