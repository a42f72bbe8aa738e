// A stand-in for Neon: Neon's SQL over HTTP, over PGlite in this process or a real PostgreSQL server.
import { randomBytes } from 'node:crypto'
import { types } from 'pg'
import { type StandInOptions, type StandInServer, startHttpServer } from './http.ts'
import { createSqlHandler } from './postgres/http.ts'
import { openPglite } from './postgres/pglite.ts'
import { openServer } from './postgres/server.ts'
import { noteStatement, type PostgresBackend, withSession } from './postgres/session.ts'

export type PostgresStandInOptions = StandInOptions & {
  /** PGlite's data folder, created if missing. By default the data is in memory. */
  dataDir?: string
  /** The result of an earlier `dump()`, with which PGlite starts. A data folder must then be empty. */
  snapshot?: Blob
  /** A real PostgreSQL server instead of PGlite, as a connection string that may create databases. */
  serverUrl?: string
  /** A database on that server, created if missing and kept. By default a new one, dropped at the end. */
  database?: string
  /** A database on that server, without sessions, of which the new one is a copy. By default the new one is empty. */
  template?: string
}

export type Row = Record<string, unknown>

export type PostgresStandIn = {
  /** For DATABASE_URL. Each start has a new password. */
  databaseUrl: string
  fetchEndpoint: string
  /**
   * Runs SQL on the same database, without HTTP, and returns the rows of the last statement, with values as `pg` parses
   * them: dates as Date, bigint as string.
   */
  query(text: string, params?: unknown[]): Promise<Row[]>
  /** The current database, for `snapshot`. Not with a real server. */
  dump?(): Promise<Blob>
  /** Cancels what still runs. */
  close(): Promise<void>
}

/**
 * Starts the stand-in.
 * @throws the error of the data folder, the snapshot, the server or the port
 */
export async function startPostgres(options: PostgresStandInOptions = {}): Promise<PostgresStandIn> {
  const { serverUrl, database, template, dataDir, snapshot } = options
  const backend =
    serverUrl === undefined ? await openPglite(dataDir, snapshot) : await openServer(serverUrl, database, template)
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
        // Whatever the database sets: the types of `pg` read times as ISO only, tests compare times as text, and a statement
        // waits for a row and does not fail.
        await client.query(
          "SET DateStyle = 'ISO, MDY'; SET TimeZone = 'UTC'; SET default_transaction_isolation = 'read committed'",
        )
        // Several statements in one text give a list of results; the types of `pg` do not say so.
        const results: { rows: Row[] } | { rows: Row[] }[] = await client.query<Row>({
          text,
          ...(params === undefined ? {} : { values: params }),
          types,
        })
        noteStatement(backend, text)
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
