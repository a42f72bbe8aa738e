// PostgreSQL as the slices use it. A statement is one round trip; a batch is one round trip and one transaction.
import type { Query } from 'drizzle-orm'
import { type SQL, sql } from 'drizzle-orm/sql'
import type { Trace } from '../kernel/trace.ts'
import { TransactionConflict, toAppError, toConflict, UniqueViolation } from './database-error.ts'
import { render } from './prepare.ts'
import { setsOutput, settingsStatement } from './settings.ts'
import { openClient, type Row, type Statement } from './sql-client.ts'
import { callOf, findStored, isUnusable, type NeededRows, splitRows } from './stored.ts'

/** After this time, the Worker cancels what it has sent. */
export const deadlineMs = 8_000

export type BatchOptions = {
  /** A unique index. Its violation means that the decision used stale rows, so the batch runs once more. */
  retryOnViolationOf?: string
  /** The time that the caller has left. At most the default deadline (8 s) is used. */
  deadlineMs?: number
}

/**
 * `query` and `batch` run once more after a serialization failure or a deadlock. The name is logged. It is also a comment
 * at the start of each statement, so that PostgreSQL's statistics views show it.
 * Both throw TiebarError `database_unavailable`, UniqueViolation, or NeonDbError for any other error of the statement.
 */
export type Database = {
  /**
   * Runs one statement. A `Query` comes from `prepare`. Times are in UTC, whatever the session's settings (settings.ts).
   */
  query<Row>(name: string, statement: SQL | Query): Promise<Row[]>
  /** Runs the statements in one transaction (READ COMMITTED) and returns the rows of the last one. */
  batch<Row>(name: string, statements: (SQL | Query)[], options?: BatchOptions): Promise<Row[]>
  /** The same, with the rows of every statement. */
  batchAll<Results extends Row[][]>(name: string, statements: (SQL | Query)[]): Promise<Results>
  /** Throws if PostgreSQL does not answer. For the readiness check. */
  ping(): Promise<void>
}

const settings: Statement = { query: settingsStatement({ statement_timeout: `${deadlineMs}ms` }) }

type RunOptions = BatchOptions & { needed?: NeededRows }

/** What one call sends. */
export type Sent = {
  statements: Statement[]
  isTransaction: boolean
  /** The function that is called instead of sending the texts. */
  functionName?: string
}

/** The statements that one call runs: several of them are one transaction. */
export function toTexts(statements: Query[]): Statement[] {
  const texts = statements.map(({ sql: query, params }) => ({ query, params }))
  // A single statement that sets its own output saves the database a transaction of several statements.
  const [{ query = '' } = {}, ...more] = texts
  return more.length === 0 && setsOutput(query) ? texts : [settings, ...texts]
}

/** The same as what is sent: a call of the function that has these statements (stored.ts), or their texts. */
export function toSent(name: string, statements: Query[], needed: NeededRows = 'last'): Sent {
  const texts = toTexts(statements)
  const isTransaction = texts.length > 1
  const queries = texts.map(({ query }) => query)
  const functionName = findStored(name, queries, needed)
  if (functionName === undefined) return { statements: texts.map((each) => withName(name, each)), isTransaction }
  const params = texts.flatMap(({ params = [] }) => params)
  const call = { query: callOf(functionName, params.length), params }
  return { statements: [withName(name, call)], isTransaction, functionName }
}

/** A statement of drizzle as text, for a program that runs it with `openClient`. */
export function toStatement(statement: SQL): Statement {
  const { sql: query, params } = render(statement)
  return { query, params }
}

/** Adds an SQL comment with the name at the start. */
function withName(name: string, { query, ...rest }: Statement): Statement {
  return { query: `/* ${name} */ ${query}`, ...rest }
}

/**
 * @param fetchEndpoint URL of the `/sql` endpoint of a database that Neon does not host
 * @returns a function that creates the client of one request, so that its round trips are recorded in its trace
 */
export function openDatabase(databaseUrl: string, fetchEndpoint?: string): (trace: Trace) => Database {
  const execute = openClient(databaseUrl, fetchEndpoint)

  async function send(
    trace: Trace,
    name: string,
    statements: Query[],
    withinMs: number,
    needed: NeededRows = 'last',
  ): Promise<Row[][]> {
    const { statements: sent, isTransaction, functionName } = toSent(name, statements, needed)
    // A timer of the runtime costs less than one of ours (deadline.ts). A hash of the old system can block the isolate for
    // some seconds, but not for so long.
    const attempt = () => execute(sent, { signal: AbortSignal.timeout(withinMs), isTransaction })
    try {
      const results = await trace.measure('postgres', attempt, name)
      if (functionName !== undefined && needed === 'all') return splitRows(results[0] ?? [], statements.length)
      return results.slice(-statements.length) // without that of the settings
    } catch (error) {
      if (functionName === undefined || !isUnusable(functionName, error)) throw toAppError(error)
      trace.log('error', {
        upstream: 'postgres',
        error: 'unusable_function',
        message: `${functionName}: run npm run db:migrate`,
      })
      return await send(trace, name, statements, withinMs, needed)
    }
  }

  async function run(
    trace: Trace,
    name: string,
    statements: (SQL | Query)[],
    options: RunOptions = {},
  ): Promise<Row[][]> {
    const queries = statements.map(render)
    const endsAt = Date.now() + Math.min(options.deadlineMs ?? deadlineMs, deadlineMs)
    const attempt = () => send(trace, name, queries, Math.max(1, endsAt - Date.now()), options.needed)
    try {
      return await attempt()
    } catch (error) {
      if (!shouldRunAgain(error, options.retryOnViolationOf)) throw error
    }
    try {
      return await attempt()
    } catch (error) {
      throw shouldRunAgain(error, options.retryOnViolationOf) ? toConflict(error) : error
    }
  }

  // The driver returns untyped rows. The caller, who writes the statements, declares their types.
  return (trace) => ({
    query: async <Row>(name: string, statement: SQL | Query) => lastOf<Row>(await run(trace, name, [statement])),
    batch: async <Row>(name: string, statements: (SQL | Query)[], options?: BatchOptions) =>
      lastOf<Row>(await run(trace, name, statements, options)),
    batchAll: async <Results extends Row[][]>(name: string, statements: (SQL | Query)[]) =>
      (await run(trace, name, statements, { needed: 'all' })) as Results,
    async ping() {
      await send(trace, 'ping', [render(sql`SELECT 1`)], deadlineMs)
    },
  })
}

function lastOf<Row>(results: unknown[][]): Row[] {
  return (results.at(-1) ?? []) as Row[]
}

function shouldRunAgain(error: unknown, index: string | undefined): boolean {
  if (error instanceof UniqueViolation) return error.constraint === index
  return error instanceof TransactionConflict
}
