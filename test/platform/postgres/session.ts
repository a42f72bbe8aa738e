// One request of Neon's SQL endpoint gets one clean session: taken from a pool, used by that request alone, and wiped
// before the next may have it. PGlite and a real server both stand behind `pg`, so that there is one code path.
import { type FieldDef, Pool, type PoolClient, type PoolConfig, Query, type QueryArrayConfig } from 'pg'

export type PostgresBackend = {
  pool: Pool
  /** The database's name as a connection string must give it. */
  database: string
  /** Stops what runs on this client, as far as the backend can. */
  cancel(client: PoolClient): Promise<void>
  /** The whole data folder as a tar file, for a later start. Only PGlite can. */
  dump?(): Promise<Blob>
  close(): Promise<void>
}

/** One statement as the wire gives it: every parameter is text, and PostgreSQL finds out its type. */
export type Statement = { query: string; params: (string | null)[] }

/** Rows hold PostgreSQL's own text. `command` is the first word of the command tag, '' for an empty query. */
export type StatementResult = {
  fields: FieldDef[]
  rows: (string | null)[][]
  command: string
  rowCount: number | null
}

export type Session = {
  client: PoolClient
  /** Aborted when the client of this session has gone. */
  signal: AbortSignal
  /** How much more text this session may read before its answer is too large. */
  charactersLeft: number
  cancel(): void
}

/** The database answered with more than the session was given room for. */
export class ResultTooLarge extends Error {}

/** There is no database to talk to, or it has no connection to spare. */
export class ConnectionFailed extends Error {}

/**
 * What raw text output depends on. Given when the session starts and not by SET, so that DISCARD ALL returns to it.
 */
export const SESSION_SETTINGS = [
  'DateStyle=ISO,MDY',
  'IntervalStyle=postgres',
  'bytea_output=hex',
  'TimeZone=UTC',
].flatMap((setting) => ['-c', setting])

/** A pool whose clients hand out PostgreSQL's own text for every type. */
export function createPool(config: PoolConfig): Pool {
  const pool = new Pool({
    ...config,
    types: { getTypeParser: () => (text: string) => text },
  })
  // A lost connection fails the query that ran on it. The event that comes with it would end the process.
  const ignore = () => {}
  pool.on('error', ignore)
  pool.on('connect', (client) => client.on('error', ignore))
  return pool
}

/**
 * Runs `work` on a clean session. When it fails, all it did is rolled back before the error is told. The client is wiped
 * behind the caller's back: nobody waits for that but the next request that needs this client.
 * @throws ConnectionFailed; what `signal` was aborted with; what `work` throws
 */
export async function withSession<T>(
  backend: PostgresBackend,
  signal: AbortSignal,
  maxCharacters: number,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const client = await backend.pool.connect().catch((error: Error) => {
    throw new ConnectionFailed(error.message, { cause: error })
  })
  let cancelling: Promise<void> | undefined
  const cancel = () => {
    cancelling ??= backend.cancel(client)
    cancelling.catch(() => {}) // told when the client is given back
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

/** A cancel request may arrive late and hit whoever comes next, so a client that was cancelled is not used again. */
async function releaseClient(
  client: PoolClient,
  isIdle: boolean,
  cancelling: Promise<void> | undefined,
): Promise<void> {
  try {
    await cancelling
    if (!isIdle) await client.query('ROLLBACK')
    await client.query('DISCARD ALL')
    client.release(cancelling !== undefined)
  } catch {
    client.release(true)
  }
}

/**
 * Runs one statement by the extended protocol, also without parameters: the simple protocol would let several
 * statements through and report a missing parameter otherwise.
 * @throws DatabaseError as PostgreSQL reports it; ResultTooLarge; what the session's signal was aborted with.
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
