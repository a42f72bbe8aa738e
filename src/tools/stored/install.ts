// Installs the functions in drizzle/functions.sql, all in one schema. They belong to the code and not to the data: another
// version of the file replaces all of them. A Worker of another version sends its statements as text meanwhile.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { storedSchema } from '../../infra/stored.ts'
import { type DatabaseAddress, runStatements } from '../statements.ts'

export const functionsFile = join(import.meta.dirname, '../../../drizzle/functions.sql')
/** Between two functions, as in the migrations of drizzle. */
export const breakpoint = '--> statement-breakpoint\n'
/** The advisory lock that keeps two runs from installing at once. The number has no meaning. */
const lockId = 470_023

/**
 * Whether the database has the functions of this checkout. The comment of their schema is the digest of the file.
 * @throws DatabaseError
 */
export async function hasFunctions(address: DatabaseAddress): Promise<boolean> {
  const query = "SELECT obj_description(to_regnamespace($1)::oid, 'pg_namespace') AS digest"
  const [rows] = await runStatements(address, [{ query, params: [storedSchema] }])
  return rows?.[0]?.digest === digestOf(readFunctions())
}

/**
 * Safe to repeat, and to run twice at once.
 * @returns how many functions were installed; 0 if the database had them
 * @throws DatabaseError
 */
export async function installFunctions(address: DatabaseAddress): Promise<number> {
  if (await hasFunctions(address)) return 0
  const text = readFunctions()
  const functions = text.split(breakpoint)
  await runStatements(address, [
    { query: `SELECT pg_advisory_xact_lock(${lockId})` },
    { query: `DROP SCHEMA IF EXISTS ${storedSchema} CASCADE` },
    { query: `CREATE SCHEMA ${storedSchema}` },
    // They run with the rights of their caller.
    { query: `GRANT USAGE ON SCHEMA ${storedSchema} TO PUBLIC` },
    { query: `COMMENT ON SCHEMA ${storedSchema} IS '${digestOf(text)}'` },
    ...functions.map((query) => ({ query })),
  ])
  return functions.length
}

function readFunctions(): string {
  return readFileSync(functionsFile, 'utf8')
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
