// A stand-in for Neon: PostgreSQL behind Neon's SQL over HTTP endpoint, for a client that cannot tell it from Neon's.
// Behind it is PGlite in this process, or a real server.
import { randomBytes } from 'node:crypto'
import { types } from 'pg'
import { type StandInOptions, type StandInServer, startHttpServer } from './http.ts'
import { createSqlHandler } from './postgres/http.ts'
import { openPglite } from './postgres/pglite.ts'
import { openServer } from './postgres/server.ts'
import { type PostgresBackend, withSession } from './postgres/session.ts'

export type PostgresStandInOptions = StandInOptions & {
  /** PGlite's data folder, made if missing. Absent: in memory. */
  dataDir?: string
  /** What an earlier `dump()` gave, for PGlite to start from. A data folder must then be empty. */
  snapshot?: Blob
  /** A real PostgreSQL server instead of PGlite, as a connection string that may create databases. */
  serverUrl?: string
  /** A database there, created if missing and kept. Absent: a fresh one, dropped at the end. */
  database?: string
}

export type Row = Record<string, unknown>

export type PostgresStandIn = {
  /** Goes into DATABASE_URL. Its password is new with each start. */
  databaseUrl: string
  fetchEndpoint: string
  /**
   * A back door: runs SQL on the same database and gives its rows, or those of the last of several statements, with
   * values as `pg` parses them: dates as Date, bigint as string.
   */
  query(text: string, params?: unknown[]): Promise<Row[]>
  /** The database as it is now, for `snapshot`. Not with a real server. */
  dump?(): Promise<Blob>
  /** Cuts off what still runs. */
  close(): Promise<void>
}

/**
 * Starts the stand-in.
 * @throws what the data folder, the snapshot, the server or the port do not let it do
 */
export async function startPostgres(options: PostgresStandInOptions = {}): Promise<PostgresStandIn> {
  const { serverUrl, database, dataDir, snapshot } = options
  const backend = serverUrl === undefined ? await openPglite(dataDir, snapshot) : await openServer(serverUrl, database)
  const credentials = {
    user: 'tiebar',
    password: randomBytes(12).toString('hex'),
    host: 'db.localhost.tiebar.test',
    database: backend.database,
  }
  const http = await startHttpServer('postgres', createSqlHandler(backend, credentials), options).catch(
    async (error: unknown) => {
      await backend.close()
      throw error
    },
  )
  const { user, password, host } = credentials
  return {
    databaseUrl: `postgresql://${user}:${password}@${host}/${encodeURIComponent(backend.database)}`,
    fetchEndpoint: `${http.url}/sql`,
    ...operate(backend, http),
  }
}

function operate(backend: PostgresBackend, http: StandInServer): Pick<PostgresStandIn, 'query' | 'dump' | 'close'> {
  const closing = new AbortController()
  return {
    query: (text, params) =>
      withSession(backend, closing.signal, Number.POSITIVE_INFINITY, async ({ client }) => {
        // Several statements in one text give a list of results, which the types of `pg` do not tell.
        const results: { rows: Row[] } | { rows: Row[] }[] = await client.query<Row>({
          text,
          ...(params === undefined ? {} : { values: params }),
          types,
        })
        return (Array.isArray(results) ? results.at(-1) : results)?.rows ?? []
      }),
    ...(backend.dump === undefined ? {} : { dump: backend.dump }),
    close: async () => {
      await http.close()
      closing.abort()
      await backend.close()
    },
  }
}
