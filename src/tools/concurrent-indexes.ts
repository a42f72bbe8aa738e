// Indexes that migrations build CONCURRENTLY, so that a table with data stays writable. PostgreSQL does that only outside a
// transaction, and a build that is interrupted leaves an invalid index.
// https://www.postgresql.org/docs/current/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY
import { setTimeout as delay } from 'node:timers/promises'
import { findDifferences, setSessionDefault } from './session-defaults.ts'
import { type DatabaseAddress, DatabaseError, runAlone, runStatements } from './statements.ts'

export type ConcurrentIndex = { name: string; sql: string }

const creation = /^\s*CREATE\s+(?:UNIQUE\s+)?INDEX\s+CONCURRENTLY\s+(?:IF\s+NOT\s+EXISTS\s+)?"?(\w+)"?\s+ON\b/i
const removal = /^\s*DROP\s+INDEX\s+(?:CONCURRENTLY\s+)?(?:IF\s+EXISTS\s+)?(?:"?public"?\.)?"?(\w+)"?/i

/** The name of the index that a statement builds CONCURRENTLY; undefined for any other statement. */
export function concurrentIndexOf(sql: string): string | undefined {
  return creation.exec(sql)?.[1]
}

/** The indexes that exist after these statements, which are those of all applied migrations, in order. */
export function listConcurrentIndexes(statements: string[]): ConcurrentIndex[] {
  const indexes = new Map<string, ConcurrentIndex>()
  for (const sql of statements) {
    const name = concurrentIndexOf(sql)
    if (name !== undefined) indexes.set(name, { name, sql })
    else indexes.delete(removal.exec(sql)?.[1] ?? '')
  }
  return [...indexes.values()]
}

type State = { name: string; is_valid: boolean; is_in_progress: boolean }

async function readStates(address: DatabaseAddress, indexes: ConcurrentIndex[]): Promise<Map<string, State>> {
  const query = `
    SELECT c.relname AS name, i.indisvalid AS is_valid,
      EXISTS (SELECT FROM pg_stat_progress_create_index p WHERE p.index_relid = c.oid) AS is_in_progress
    FROM pg_class c JOIN pg_index i ON i.indexrelid = c.oid
    WHERE c.relnamespace = 'public'::regnamespace
      AND c.relname IN (SELECT jsonb_array_elements_text($1::jsonb))`
  const params = [JSON.stringify(indexes.map(({ name }) => name))]
  const [rows = []] = await runStatements(address, [{ query, params }])
  return new Map((rows as State[]).map((state) => [state.name, state])) // as the query selects them
}

/** Indexes that are missing or invalid. @throws DatabaseError */
export async function findUnbuilt(address: DatabaseAddress, indexes: ConcurrentIndex[]): Promise<ConcurrentIndex[]> {
  if (indexes.length === 0) return []
  const states = await readStates(address, indexes)
  return indexes.filter(({ name }) => !states.get(name)?.is_valid)
}

/**
 * Builds the indexes. Safe to repeat, and to run twice at once.
 * @throws DatabaseError that says how to build an index without this program
 */
export async function buildIndexes(address: DatabaseAddress, indexes: ConcurrentIndex[]): Promise<void> {
  if (indexes.length === 0) return
  const limit = (await findDifferences(address, { statement_timeout: '0' }))[0]?.value
  // A single statement over HTTP has the session's time limit, and a build takes longer.
  if (limit !== undefined) await setSessionDefault(address, 'statement_timeout', '0')
  try {
    for (const index of indexes) await build(address, index)
  } finally {
    if (limit !== undefined) await setSessionDefault(address, 'statement_timeout', limit)
  }
}

const maxAttempts = 5
/**
 * 57014: the time limit of a connection that Neon had open and closes after the error. 42P07: another run has begun to
 * build the index. 40P01: it waits for our transaction and we wait for its lock.
 */
const retryable = ['57014', '42P07', '40P01']
const pollMs = 1_000

async function build(address: DatabaseAddress, index: ConcurrentIndex): Promise<void> {
  for (let attempt = 1; ; ) {
    const state = (await readStates(address, [index])).get(index.name)
    if (state?.is_valid) return
    if (state?.is_in_progress) {
      await delay(pollMs) // another run builds it
      continue
    }
    try {
      // An earlier build was interrupted.
      if (state) await runAlone(address, `DROP INDEX CONCURRENTLY IF EXISTS "${index.name}"`)
      await runAlone(address, index.sql)
      return
    } catch (error) {
      const code = error instanceof DatabaseError ? error.code : undefined
      if (!retryable.includes(code ?? '') || attempt === maxAttempts) throw explain(index, error)
      attempt += 1
      await delay(pollMs * Math.random()) // so that two runs do not try again at the same time
    }
  }
}

function explain({ name, sql }: ConcurrentIndex, error: unknown): unknown {
  if (!(error instanceof DatabaseError)) return error
  const remedy = `Run npm run db:migrate again: it drops what is left of the index and builds it. Or build it with psql, and then run npm run db:migrate: ${sql.trim().replace(/;$/, '')};`
  return new DatabaseError(`The index ${name} was not built: ${error.message}. ${remedy}`, { cause: error.cause })
}
