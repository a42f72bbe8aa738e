// Statements that PostgreSQL keeps as functions. Over HTTP, it parses and plans each statement anew, which takes most of the
// time of a short one. The statements in a PL/pgSQL function are planned once for each connection; Neon's proxy keeps the
// plans when it gives a connection to the next request (neondatabase/neon, `reset_session_background`).
//
// `npm run db:generate` writes the functions to drizzle/functions.sql, and their names to stored-functions.ts. `npm run
// db:migrate` installs them. They are never needed: where a function is missing, the statements are sent as text.
import { createHash } from 'node:crypto'
import { BoundedCache } from '../kernel/bounded-cache.ts'
import type { Row } from './sql-client.ts'
import { storedFunctions } from './stored-functions.ts'

/** The schema of the functions. */
export const storedSchema = 'statements'

/**
 * SQLSTATEs of a call whose function is missing, whose schema is, which the role may not call, or whose function was made
 * for columns of another type, which happens between a migration and the new functions. Nothing has been done then.
 */
const unusable = ['42883', '3F000', '42501', '42804']

/** The rows of which statements the caller reads. */
export type NeededRows = 'last' | 'all'

type Known = { texts: string[]; functionName: string | undefined }

/** More than there are. */
const maxKnown = 500
/** By the last text. */
const known: Record<NeededRows, BoundedCache<Known>> = {
  last: new BoundedCache<Known>(maxKnown),
  all: new BoundedCache<Known>(maxKnown),
}
/** Functions that this version of the code has and the database does not, with the time until which nobody looks again. */
const absent = new Map<string, number>()
/** A Worker may run for days after the functions have been installed: it finds them. A look costs one more round trip. */
const absentMs = 5 * 60_000

/** The name of the function with these statements. It changes with their text: an old Worker never calls a new function. */
export function nameFunction(name: string, texts: string[], needed: NeededRows): string {
  const digest = createHash('sha256').update(texts.join('\n;\n')).digest('hex').slice(0, 12)
  return `${name.replaceAll('-', '_')}${needed === 'all' ? '_all' : ''}_${digest}`
}

/** @returns the function that has these statements, or undefined if they must be sent as text */
export function findStored(
  name: string,
  texts: string[],
  needed: NeededRows,
  now: number = Date.now(),
): string | undefined {
  const last = texts.at(-1) ?? ''
  let found = known[needed].get(last)
  if (!found || !isEqual(found.texts, texts)) {
    const functionName = nameFunction(name, texts, needed)
    found = { texts, functionName: storedFunctions.has(functionName) ? functionName : undefined }
    known[needed].set(last, found)
  }
  const { functionName } = found
  return functionName === undefined || now < (absent.get(functionName) ?? 0) ? undefined : functionName
}

/** Prepared statements are the same strings each time, so this compares no characters. */
function isEqual(one: string[], other: string[]): boolean {
  return one.length === other.length && one.every((text, index) => text === other[index])
}

/** By function: each has one number of parameters. */
const calls = new BoundedCache<string>(maxKnown)

/** The text that calls a function with `count` parameters. */
export function callOf(functionName: string, count: number): string {
  const known = calls.get(functionName)
  if (known !== undefined) return known
  const parameters = Array.from({ length: count }, (_, index) => `$${index + 1}`)
  const call = `SELECT * FROM ${storedSchema}.${functionName}(${parameters.join(', ')})`
  calls.set(functionName, call)
  return call
}

/**
 * A function that returns the rows of all its statements has the columns of all of them, named by `nameColumn`, and this one
 * with the number of the statement, from 0. The columns of the other statements are NULL in a row.
 */
export const statementColumn = 'statement'

export function nameColumn(statement: number, column: string): string {
  return `${statement}.${column}`
}

/** The rows of each of `count` statements, from those of such a function. */
export function splitRows(rows: Row[], count: number): Row[][] {
  const results: Row[][] = Array.from({ length: count }, () => [])
  for (const row of rows) {
    const statement = Number(row[statementColumn])
    const prefix = nameColumn(statement, '')
    const own = Object.entries(row).filter(([column]) => column.startsWith(prefix))
    results[statement]?.push(Object.fromEntries(own.map(([column, value]) => [column.slice(prefix.length), value])))
  }
  return results
}

/** Whether a call failed because of the function itself. For some minutes, its statements are then sent as text. */
export function isUnusable(functionName: string, error: unknown, now: number = Date.now()): boolean {
  const { code } = (error ?? {}) as { code?: unknown } // the driver's error has it
  if (!unusable.includes(String(code))) return false
  absent.set(functionName, now + absentMs)
  return true
}
