// Reads a request to Neon's SQL endpoint: the credentials, the flags, and the statements.
import type { IncomingHttpHeaders } from 'node:http'
import { SqlHttpError } from './error.ts'
import type { Statement } from './session.ts'
import { parameterToText, parseJson } from './values.ts'

/** Neon's limit on a request, and the same on a response: 10 MiB. */
export const MAX_BYTES = 10 * 1024 * 1024

/** The protocol has a 16-bit count of parameters. */
const MAX_PARAMETERS = 65_535

/** The content of a connection string. */
export type Credentials = { user: string; password: string; host: string; database: string }

/** `begin` starts the transaction of a batch; `echo` are the headers that the response to a batch repeats. */
export type Flags = { begin: string; echo: Record<string, string> }

export type Payload = { kind: 'single'; statement: Statement } | { kind: 'batch'; statements: Statement[] }

const ISOLATION_LEVELS: Record<string, string> = {
  ReadUncommitted: 'READ UNCOMMITTED',
  ReadCommitted: 'READ COMMITTED',
  RepeatableRead: 'REPEATABLE READ',
  Serializable: 'SERIALIZABLE',
}

/**
 * Checks that the connection string is ours.
 * @throws SqlHttpError 400 with the text of the proxy or, for user, password and database, of PostgreSQL
 */
export function checkCredentials(headers: IncomingHttpHeaders, ours: Credentials): void {
  const theirs = readConnectionString(headers)
  if (theirs.host !== ours.host) {
    throw new SqlHttpError(400, `invalid hostname: Common name inferred from SNI ('${theirs.host}') is not known`)
  }
  if (theirs.user !== ours.user || theirs.password !== ours.password) {
    const message = `password authentication failed for user "${theirs.user}"`
    throw new SqlHttpError(400, message, {
      severity: 'FATAL',
      code: '28P01',
      routine: 'auth_failed',
    })
  }
  if (theirs.database !== ours.database) {
    const message = `database "${theirs.database}" does not exist`
    throw new SqlHttpError(400, message, {
      severity: 'FATAL',
      code: '3D000',
      routine: 'InitPostgres',
    })
  }
}

function readConnectionString(headers: IncomingHttpHeaders): Credentials {
  const text = headers['neon-connection-string']
  if (typeof text !== 'string') throw new SqlHttpError(400, 'invalid header: neon-connection-string')
  const url = URL.parse(text)
  if (url === null) throw new SqlHttpError(400, 'invalid connection string: relative URL without a base')
  if (!['postgres:', 'postgresql:'].includes(url.protocol)) throw new SqlHttpError(400, 'incorrect scheme')
  const database = decode(url.pathname.split('/')[1] ?? '')
  if (database === '') throw new SqlHttpError(400, 'missing database name')
  if (url.username === '') throw new SqlHttpError(400, 'missing username')
  if (url.password === '') throw new SqlHttpError(400, 'missing authentication credentials: required password')
  if (url.hostname === '') throw new SqlHttpError(400, 'missing hostname')
  return {
    user: decode(url.username),
    password: decode(url.password),
    host: url.hostname.toLowerCase(),
    database,
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new SqlHttpError(400, 'invalid connection string: invalid utf-8 sequence')
  }
}

/** Neon's driver always asks for values as raw text and rows as arrays; nothing else is implemented. */
export function isForRawArrays(headers: IncomingHttpHeaders): boolean {
  return headers['neon-raw-text-output'] === 'true' && headers['neon-array-mode'] === 'true'
}

/** A flag is on for exactly "true". @throws SqlHttpError 400 for an unknown isolation level */
export function readFlags(headers: IncomingHttpHeaders): Flags {
  const modes: string[] = []
  const echo: Record<string, string> = {}
  const level = headers['neon-batch-isolation-level']
  if (level !== undefined) {
    const words = ISOLATION_LEVELS[String(level)]
    if (words === undefined) throw new SqlHttpError(400, 'invalid isolation level')
    modes.push(`ISOLATION LEVEL ${words}`)
    echo['neon-batch-isolation-level'] = String(level)
  }
  for (const [name, words] of [
    ['neon-batch-read-only', 'READ ONLY'],
    ['neon-batch-deferrable', 'DEFERRABLE'],
  ] as const) {
    if (headers[name] !== 'true') continue
    modes.push(words)
    echo[name] = 'true'
  }
  return { begin: `START TRANSACTION ${modes.join(', ')}`, echo }
}

/** @throws SqlHttpError 413 for a body that is too large, 400 for one that is not a query or a list of queries */
export function readPayload(body: Buffer): Payload {
  if (body.length > MAX_BYTES) throw new SqlHttpError(413, `request is too large (max is ${MAX_BYTES} bytes)`)
  const json = parseBody(body)
  const statement = readStatement(json)
  if (statement !== undefined) return { kind: 'single', statement }
  const queries = isObject(json) && Array.isArray(json.queries) ? json.queries.map(readStatement) : [undefined]
  const statements = queries.filter((query) => query !== undefined)
  if (statements.length < queries.length) {
    throw unreadable('data did not match any variant of untagged enum Payload')
  }
  return { kind: 'batch', statements }
}

function parseBody(body: Buffer): unknown {
  try {
    return parseJson(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body))
  } catch (error) {
    throw unreadable(error instanceof Error ? error.message : String(error))
  }
}

function unreadable(why: string): SqlHttpError {
  return new SqlHttpError(400, `could not parse the HTTP request body: ${why}`)
}

/** @throws SqlHttpError 400 for what the PostgreSQL protocol cannot transmit, 501 for `arrayMode` */
function readStatement(json: unknown): Statement | undefined {
  if (!isObject(json)) return undefined
  const { query, params = [], arrayMode = null } = json
  if (typeof query !== 'string' || !Array.isArray(params)) return undefined
  if (arrayMode !== null) throw new SqlHttpError(501, 'the PostgreSQL stand-in does not implement arrayMode')
  if (query.includes('\0')) {
    throw new SqlHttpError(400, 'error encoding message to server: string contains embedded null')
  }
  if (params.length > MAX_PARAMETERS) {
    throw new SqlHttpError(400, 'error encoding message to server: value too large to transmit')
  }
  return { query, params: params.map(parameterToText) }
}

function isObject(json: unknown): json is Record<string, unknown> {
  return typeof json === 'object' && json !== null
}
