// PostgreSQL over Neon's HTTP protocol. A statement is one round trip; a batch is one round trip and one transaction.
import { neon, neonConfig } from '@neondatabase/serverless'
import { type SQL, sql } from 'drizzle-orm'
import { PgDialect } from 'drizzle-orm/pg-core'
import { TiebarError } from '../kernel/error.ts'
import { toRfc3339 } from '../kernel/time.ts'
import type { Trace } from '../kernel/trace.ts'
import { abortAfter } from './deadline.ts'

const deadlineMs = 8_000

export type BatchOptions = {
  /** A unique index whose violation means that the decision was stale: the batch is run once more. */
  retryOnViolationOf?: string
  /** What is left of the caller's own time; at most the deadline of every statement. */
  deadlineMs?: number
}

/** Both run once more when the transaction lost a race; both throw TiebarError `database_unavailable`. */
export type Database = {
  /** Runs one statement. */
  query<Row>(statement: SQL): Promise<Row[]>
  /** Runs the statements in one transaction (READ COMMITTED) and answers the rows of the last one. */
  batch<Row>(statements: SQL[], options?: BatchOptions): Promise<Row[]>
  /** Answers or throws: for the readiness check. */
  ping(): Promise<void>
}

/** A unique index said no. Which one is in `constraint`. */
export class UniqueViolation extends Error {
  override readonly name = 'UniqueViolation'
  readonly constraint: string

  constructor(constraint: string, cause: unknown) {
    super(`the unique index ${constraint} was violated`, { cause })
    this.constraint = constraint
  }
}

/** How a column's text becomes a value, by type id. What is not here stays PostgreSQL's own text. */
const parsers = new Map<number, (text: string) => unknown>([
  [16, (text) => text === 't'], // bool
  [20, Number], // int8: our identities stay far below 2^53
  [21, Number], // int2
  [23, Number], // int4
  [701, Number], // float8
  [114, (text) => JSON.parse(text)], // json
  [3802, (text) => JSON.parse(text)], // jsonb
  [1184, toRfc3339], // timestamptz
])
const keepText = (text: string) => text
const types = {
  getTypeParser(typeId: number) {
    const parse = parsers.get(typeId)
    return parse ? (text: string) => readValue(parse, text) : keepText
  },
}

/** A stored value that our own code cannot read: a defect of ours, and no outage. */
class UnreadableValue extends Error {
  override readonly name = 'UnreadableValue'
}

function readValue(parse: (text: string) => unknown, text: string): unknown {
  try {
    return parse(text)
  } catch (cause) {
    throw new UnreadableValue('PostgreSQL answered a value that cannot be read', { cause })
  }
}

const dialect = new PgDialect()

/**
 * @param fetchEndpoint where `/sql` is, when it is not where Neon's driver would look for it
 * @returns one connection-less client per request, so that each request's round trips are its own
 */
export function openDatabase(databaseUrl: string, fetchEndpoint?: string): (trace: Trace) => Database {
  if (fetchEndpoint !== undefined) neonConfig.fetchEndpoint = fetchEndpoint
  const client = neon(databaseUrl)

  async function send<Row>(trace: Trace, statements: SQL[], withinMs: number): Promise<Row[]> {
    const queries = statements.map((statement) => dialect.sqlToQuery(statement))
    const fetchOptions = { signal: abortAfter(withinMs) }
    try {
      return await trace.measure('postgres', async () => {
        const [only] = queries
        if (queries.length === 1 && only) {
          // The driver types rows as records of anything; the statement decides their shape.
          return (await client.query(only.sql, only.params, { types, fetchOptions })) as Row[]
        }
        const results = await client.transaction(
          queries.map((query) => client.query(query.sql, query.params, { types })),
          { fetchOptions },
        )
        return (results.at(-1) ?? []) as Row[] // as above
      })
    } catch (error) {
      throw explain(error)
    }
  }

  async function run<Row>(trace: Trace, statements: SQL[], options: BatchOptions = {}): Promise<Row[]> {
    const endsAt = Date.now() + Math.min(options.deadlineMs ?? deadlineMs, deadlineMs)
    const attempt = () => send<Row>(trace, statements, Math.max(1, endsAt - Date.now()))
    try {
      return await attempt()
    } catch (error) {
      if (!isWorthAnotherRun(error, options.retryOnViolationOf)) throw error
    }
    try {
      return await attempt()
    } catch (error) {
      throw isWorthAnotherRun(error, options.retryOnViolationOf) ? toUnavailable(conflictDetail, 1, error) : error
    }
  }

  return (trace) => ({
    query: (statement) => run(trace, [statement]),
    batch: (statements, options) => run(trace, statements, options),
    async ping() {
      await send(trace, [sql`SELECT 1`], deadlineMs)
    },
  })
}

/** A serialization failure or a deadlock: the transaction did nothing, and may do better the second time. */
class TransactionConflict extends Error {
  override readonly name = 'TransactionConflict'
}

function isWorthAnotherRun(error: unknown, index: string | undefined): boolean {
  if (error instanceof UniqueViolation) return error.constraint === index
  return error instanceof TransactionConflict
}

/** The driver gives the SQLSTATE in `code`; an error without one never reached PostgreSQL, or its answer never came. */
function explain(error: unknown): unknown {
  const { code, constraint } = error instanceof Error ? (error as { code?: unknown; constraint?: unknown }) : {} // NeonDbError has both, other errors neither
  if (code === '23505' && typeof constraint === 'string') return new UniqueViolation(constraint, error)
  if (code === '40001' || code === '40P01')
    return new TransactionConflict('the transaction lost a race', {
      cause: error,
    })
  const isOurs = typeof code === 'string' && code !== '' && !isOutage(code)
  if (isOurs || error instanceof UnreadableValue) return error
  return toUnavailable('The database did not answer. Nothing is known to have changed; try again.', 5, error)
}

const conflictDetail = 'The database is busy with the same rows. Nothing has changed; try again.'

function toUnavailable(detail: string, retryAfterSeconds: number, cause: unknown): TiebarError {
  return new TiebarError('database_unavailable', detail, { retryAfterSeconds }, { cause })
}

/** SQLSTATE classes that speak of the server's health, not of the statement: connection, resources, operator, login. */
function isOutage(sqlState: string): boolean {
  return ['08', '53', '57', '28'].includes(sqlState.slice(0, 2))
}
