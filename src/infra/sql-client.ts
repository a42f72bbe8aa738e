// PostgreSQL through Neon's driver, which sends SQL over HTTP: parameters and values as the driver wants and returns them.
import { neon, neonConfig, types as pgTypes } from '@neondatabase/serverless'
import { toRfc3339 } from '../kernel/time.ts'
import { UnbindableValue, UnreadableValue } from './database-error.ts'

export type Statement = { query: string; params?: unknown[] }
export type Row = Record<string, unknown>

type ValueReader = (text: string) => unknown

function orUnreadable(read: ValueReader): ValueReader {
  return (text) => {
    try {
      return read(text)
    } catch (cause) {
      throw new UnreadableValue('PostgreSQL returned a value that cannot be parsed', { cause })
    }
  }
}

const readJson = orUnreadable(JSON.parse)

/** Parsers for column values, by PostgreSQL type id. Values of other types stay PostgreSQL's text. */
const readers: ReadonlyMap<number, ValueReader> = new Map<number, ValueReader>([
  [16, (text) => text === 't'], // bool
  [20, Number], // int8: our ids are far below 2^53
  [21, Number], // int2
  [23, Number], // int4
  [701, Number], // float8
  [1009, pgTypes.getTypeParser(1009)], // text[]
  [114, readJson], // json
  [3802, readJson], // jsonb
  [1184, orUnreadable(toRfc3339)], // timestamptz
])

/** Passed with each statement, because version 1.2.0 of the driver ignores the same option of `neon()`. */
const types = { getTypeParser: (typeId: number): ValueReader => readers.get(typeId) ?? asText }
const asText: ValueReader = (text) => text

// The driver has one endpoint for the whole process. A program or a test may use several databases, even on the same
// host. So each call passes its own endpoint in its fetch options.
neonConfig.fetchFunction = (url: string, { endpoint = url, ...init }: RequestInit & { endpoint?: string }) =>
  fetch(endpoint, init)

/**
 * @param fetchEndpoint URL of the `/sql` endpoint of a database that Neon does not host
 * @returns a function that runs one statement, or several in one transaction (READ COMMITTED), with one HTTP request,
 *   and returns the rows of each. It throws NeonDbError, UnbindableValue, or the error of parsing the answer or a value
 */
export function openClient(
  databaseUrl: string,
  fetchEndpoint?: string,
): (statements: Statement[], options?: { signal?: AbortSignal; isTransaction?: boolean }) => Promise<Row[][]> {
  const client = neon(setApplicationName(databaseUrl))
  return async (statements, { signal, isTransaction = statements.length > 1 } = {}) => {
    const fetchOptions = { ...(signal && { signal }), ...(fetchEndpoint && { endpoint: fetchEndpoint }) }
    const send = ({ query, params = [] }: Statement) =>
      client.query(query, params.map(toParameter), { types, fetchOptions })
    const queries = statements.map(send)
    if (!isTransaction) return await Promise.all(queries)
    return await client.transaction(queries, { isolationLevel: 'ReadCommitted', fetchOptions })
  }
}

/** Sets the name that PostgreSQL shows in its list of connections. */
function setApplicationName(databaseUrl: string): string {
  const url = new URL(databaseUrl)
  if (!url.searchParams.has('application_name')) url.searchParams.set('application_name', 'tiebar')
  return url.href
}

/** @throws UnbindableValue for an object: the driver would bind it as JSON, which none of our statements expects */
function toParameter(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toParameter)
  if (typeof value === 'object' && value !== null) throw new UnbindableValue('an object cannot be bound as a parameter')
  return value
}
