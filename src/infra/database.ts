// PostgreSQL through Neon's driver, which speaks SQL over HTTP. A statement is one round trip; a batch is one round trip
// and one transaction.
import { NeonDbError, neon, neonConfig } from '@neondatabase/serverless'
import { type SQL, sql } from 'drizzle-orm'
import { PgDialect } from 'drizzle-orm/pg-core'
import { TiebarError } from '../kernel/error.ts'
import { toRfc3339 } from '../kernel/time.ts'
import type { Trace } from '../kernel/trace.ts'
import { within } from './deadline.ts'

const deadlineMs = 8_000

export type Statement = { query: string; params?: unknown[] }
export type Row = Record<string, unknown>

export type BatchOptions = {
  /** A unique index whose violation means that the decision was stale: the batch is run once more. */
  retryOnViolationOf?: string
  /** What is left of the caller's own time; at most the deadline of every statement. */
  deadlineMs?: number
}

/**
 * Both run once more when the transaction lost a race; both throw TiebarError `database_unavailable`. The name stands in
 * the log and, as a comment, at the head of each statement: so PostgreSQL's own views show it, too.
 */
export type Database = {
  /** Runs one statement. */
  query<Row>(name: string, statement: SQL): Promise<Row[]>
  /** Runs the statements in one transaction (READ COMMITTED) and answers the rows of the last one. */
  batch<Row>(name: string, statements: SQL[], options?: BatchOptions): Promise<Row[]>
  /** Answers or throws: for the readiness check. */
  ping(): Promise<void>
}

type ValueReader = (text: string) => unknown

/** A unique index said no. Which one is in `constraint`. */
export class UniqueViolation extends Error {
  override readonly name = 'UniqueViolation'
  readonly constraint: string

  constructor(constraint: string, cause: unknown) {
    super(`the unique index ${constraint} was violated`, { cause })
    this.constraint = constraint
  }
}

/** A stored value that our own code cannot read: a defect of ours, and no outage. */
class UnreadableValue extends Error {
  override readonly name = 'UnreadableValue'
}

/** A parameter of which PostgreSQL has no text: a defect of ours, and no outage. */
class UnbindableValue extends TypeError {
  override readonly name = 'UnbindableValue'
}

function orUnreadable(read: ValueReader): ValueReader {
  return (text) => {
    try {
      return read(text)
    } catch (cause) {
      throw new UnreadableValue('PostgreSQL answered a value that cannot be read', { cause })
    }
  }
}

const readJson = orUnreadable(JSON.parse)

/** How a column's text becomes a value, by type id. What is not here stays PostgreSQL's own text. */
const readers: ReadonlyMap<number, ValueReader> = new Map<number, ValueReader>([
  [16, (text) => text === 't'], // bool
  [20, Number], // int8: our identities stay far below 2^53
  [21, Number], // int2
  [23, Number], // int4
  [701, Number], // float8
  [114, readJson], // json
  [3802, readJson], // jsonb
  [1184, orUnreadable(toRfc3339)], // timestamptz
])

/** The driver reads this with each statement; the same option of `neon()` is ignored (1.2.0). */
const types = { getTypeParser: (typeId: number): ValueReader => readers.get(typeId) ?? asText }
const asText: ValueReader = (text) => text

// The driver keeps its endpoint for the whole process, while a program or a test may use several databases, and their
// host may be the same. So each call brings its own endpoint among its fetch options.
neonConfig.fetchFunction = (url: string, { endpoint = url, ...init }: RequestInit & { endpoint?: string }) =>
  fetch(endpoint, init)

/**
 * @param fetchEndpoint where `/sql` is, when it is not Neon's
 * @returns a function that runs one statement, or several in one transaction (READ COMMITTED), with one HTTP request,
 *   and gives the rows of each; it throws NeonDbError, or whatever the answer's body or a value threw when it was read
 */
export function openClient(
  databaseUrl: string,
  fetchEndpoint?: string,
): (statements: Statement[], signal?: AbortSignal) => Promise<Row[][]> {
  const client = neon(nameApplication(databaseUrl))
  return async (statements, signal) => {
    const fetchOptions = { ...(signal && { signal }), ...(fetchEndpoint && { endpoint: fetchEndpoint }) }
    const queries = statements.map(({ query, params = [] }) =>
      client.query(query, params.map(toParameter), { types, fetchOptions }),
    )
    const [first, ...more] = queries
    return first && more.length === 0 ? [await first] : await client.transaction(queries, { fetchOptions })
  }
}

/** Who we are, in the server's list of connections. */
function nameApplication(databaseUrl: string): string {
  const url = new URL(databaseUrl)
  if (!url.searchParams.has('application_name')) url.searchParams.set('application_name', 'tiebar')
  return url.href
}

/** The driver would bind an object as JSON. @throws UnbindableValue, as no statement of ours means that */
function toParameter(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toParameter)
  if (typeof value === 'object' && value !== null) throw new UnbindableValue('an object cannot be bound as a parameter')
  return value
}

const dialect = new PgDialect()

/** The beginning of the text of a statement with this name. */
function nameComment(name: string): string {
  return `/* ${name} */ `
}

/**
 * @param fetchEndpoint where `/sql` is, when it is not Neon's
 * @returns one connection-less client per request, so that each request's round trips are its own
 */
export function openDatabase(databaseUrl: string, fetchEndpoint?: string): (trace: Trace) => Database {
  const ask = openClient(databaseUrl, fetchEndpoint)

  async function send<Row>(trace: Trace, name: string, statements: SQL[], withinMs: number): Promise<Row[]> {
    const queries = statements.map((statement) => dialect.sqlToQuery(statement))
    const texts = queries.map(({ sql: text, params }) => ({ query: `${nameComment(name)}${text}`, params }))
    try {
      const results = await trace.measure('postgres', () => within(withinMs, (signal) => ask(texts, signal)), name)
      // Rows are records of anything; the statement decides their shape.
      return (results.at(-1) ?? []) as Row[]
    } catch (error) {
      throw explain(error)
    }
  }

  async function run<Row>(trace: Trace, name: string, statements: SQL[], options: BatchOptions = {}): Promise<Row[]> {
    const endsAt = Date.now() + Math.min(options.deadlineMs ?? deadlineMs, deadlineMs)
    const attempt = () => send<Row>(trace, name, statements, Math.max(1, endsAt - Date.now()))
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
    query: (name, statement) => run(trace, name, [statement]),
    batch: (name, statements, options) => run(trace, name, statements, options),
    async ping() {
      await send(trace, 'ping', [sql`SELECT 1`], deadlineMs)
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

/** An error without an SQLSTATE never reached PostgreSQL, or its answer never came. */
function explain(error: unknown): unknown {
  const { code, constraint } = error instanceof NeonDbError ? error : {}
  if (code === '23505' && constraint !== undefined) return new UniqueViolation(constraint, error)
  if (code === '40001' || code === '40P01')
    return new TransactionConflict('the transaction lost a race', {
      cause: error,
    })
  const isOurs = code !== undefined && code !== '' && !isOutage(code)
  if (isOurs || error instanceof UnreadableValue || error instanceof UnbindableValue) return error
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
