// One request of Neon's SQL endpoint has one clean session: a client of a pool, used by that request alone and reset before
// the next one. PGlite and a real server are both used through `pg`, so there is one code path.
import { type FieldDef, Pool, type PoolClient, type PoolConfig, Query, type QueryArrayConfig } from 'pg'

export type PostgresBackend = {
  pool: Pool
  /** The database's name as a connection string must give it. */
  database: string
  /** Cancels what runs on this client, if the backend can. */
  cancel(client: PoolClient): Promise<void>
  /** The defaults of sessions may have changed: the next session must have them. */
  renewDefaults(): void
  /** Gives a client of the pool the defaults of a new session. @returns false if only a new connection can have them */
  applyDefaults(client: PoolClient): Promise<boolean>
  /** The data folder as a tar file, for a later start. Only with PGlite. */
  dump?(): Promise<Blob>
  close(): Promise<void>
}

/** One statement of a request. Every parameter is text, and PostgreSQL infers its type. */
export type Statement = { query: string; params: (string | null)[] }

/** Rows have PostgreSQL's own text. `command` is the first word of the command tag, '' for an empty query. */
export type StatementResult = {
  fields: FieldDef[]
  rows: (string | null)[][]
  command: string
  rowCount: number | null
}

export type Session = {
  client: PoolClient
  /** Aborted when the HTTP client has disconnected. */
  signal: AbortSignal
  /** How much more text the session may read before the answer is too large. */
  charactersLeft: number
  cancel(): void
}

/** The database answered with more text than the session may read. */
export class ResultTooLarge extends Error {}

/** The database cannot be reached, or has no free connection. */
export class ConnectionFailed extends Error {}

/** Statements that change the defaults of later sessions: settings of the database, the role or the server. */
const CHANGES_DEFAULTS = /\balter\s+(database|role|user|system)\b/i

/** A pool whose clients return PostgreSQL's own text for every type. */
export function createPool(config: PoolConfig): Pool {
  const pool = new Pool({
    ...config,
    types: { getTypeParser: () => (text: string) => text },
  })
  // A lost connection fails its query. Without a listener, its error event would end the process.
  const ignore = () => {}
  pool.on('error', ignore)
  pool.on('connect', (client) => client.on('error', ignore))
  return pool
}

/**
 * Runs `work` on a clean session. If it fails, everything is rolled back before the error is thrown. The client is reset
 * after the return: only the next request that needs it waits for that.
 * @throws ConnectionFailed; the reason of an aborted `signal`; the errors of `work`
 */
export async function withSession<T>(
  backend: PostgresBackend,
  signal: AbortSignal,
  maxCharacters: number,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const client = await openSession(backend).catch((error: Error) => {
    throw new ConnectionFailed(error.message, { cause: error })
  })
  let cancelling: Promise<void> | undefined
  const cancel = () => {
    cancelling ??= backend.cancel(client)
    cancelling.catch(() => {}) // reported when the client is released
  }
  signal.addEventListener('abort', cancel)
  let isIdle = false
  try {
    const result = await work({
      client,
      signal,
      charactersLeft: maxCharacters,
      cancel,
    })
    isIdle = client.getTransactionStatus() === 'I'
    return result
  } catch (error) {
    isIdle = await client.query('ROLLBACK').then(
      () => true,
      () => false,
    )
    throw error
  } finally {
    signal.removeEventListener('abort', cancel)
    void releaseClient(client, isIdle, cancelling)
  }
}

async function openSession(backend: PostgresBackend): Promise<PoolClient> {
  for (;;) {
    const client = await backend.pool.connect()
    if (await backend.applyDefaults(client)) return client
    client.release(true)
  }
}

/** For every statement: notes whether the next session may have other defaults. */
export function noteStatement(backend: PostgresBackend, text: string): void {
  if (CHANGES_DEFAULTS.test(text)) backend.renewDefaults()
}

/**
 * What Neon's proxy sends when it takes a connection back: DISCARD ALL, but the plans of functions stay.
 * https://github.com/neondatabase/neon/blob/main/libs/proxy/tokio-postgres2/src/client.rs `reset_session_background`
 */
const RESET =
  'CLOSE ALL; SET SESSION AUTHORIZATION DEFAULT; RESET ALL; DEALLOCATE ALL; UNLISTEN *; SELECT pg_advisory_unlock_all(); DISCARD TEMP; DISCARD SEQUENCES'

/** A cancelled client is not used again, because a late cancel request could cancel the next statement. */
async function releaseClient(
  client: PoolClient,
  isIdle: boolean,
  cancelling: Promise<void> | undefined,
): Promise<void> {
  try {
    await cancelling
    if (!isIdle) await client.query('ROLLBACK')
    await client.query(RESET)
    client.release(cancelling !== undefined)
  } catch {
    client.release(true)
  }
}

/**
 * Runs one statement by the extended protocol, also without parameters: the simple protocol would accept several statements
 * and report a missing parameter differently.
 * @throws DatabaseError; ResultTooLarge; the reason of the session's aborted signal
 */
export function runStatement(session: Session, statement: Statement): Promise<StatementResult> {
  const config: QueryArrayConfig & { queryMode: 'extended' } = {
    text: statement.query,
    values: statement.params,
    rowMode: 'array',
    queryMode: 'extended',
  }
  return new Promise((resolve, reject) => {
    session.signal.throwIfAborted()
    const rows: (string | null)[][] = []
    const query = new Query<(string | null)[], (string | null)[]>(config)
    query.on('row', (row) => {
      for (const text of row) session.charactersLeft -= text?.length ?? 0
      if (session.charactersLeft < 0) session.cancel()
      else rows.push(row)
    })
    query.on('error', (error) => reject(session.charactersLeft < 0 ? new ResultTooLarge() : error))
    query.on('end', ({ fields, command, rowCount }) => {
      if (session.charactersLeft < 0) reject(new ResultTooLarge())
      else resolve({ fields, rows, command: command ?? '', rowCount })
    })
    session.client.query(query)
  })
}
