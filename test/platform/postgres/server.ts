// A real PostgreSQL server as the backend, with a database of its own. Requests run concurrently here; PGlite has only one
// connection, which hides races.
import { DatabaseError, escapeIdentifier, type Pool } from 'pg'
import { uniqueSuffix } from '../unique-suffix.ts'
import { createPool, type PostgresBackend } from './session.ts'

const MAX_CONNECTIONS = 20
/** The errors when another process creates the same database at the same time: 42P04, or 23505 in pg_database. */
const CREATED_BY_ANOTHER = ['42P04', '23505']

/**
 * Connects to the server.
 * @param serverUrl a database on it from which others can be created
 * @param database created if missing and kept; undefined: a new one, dropped at `close`
 * @param template the database of which a new one is a copy; it must have no sessions. By default it is empty
 * @throws DatabaseError or a socket error
 */
export async function openServer(
  serverUrl: string,
  database: string | undefined,
  template: string | undefined,
): Promise<PostgresBackend> {
  const name = database ?? `tiebar_${uniqueSuffix()}`
  const admin = createPool({
    connectionString: serverUrl,
    max: 2,
    allowExitOnIdle: true,
  })
  try {
    await createDatabase(admin, name, template)
  } catch (error) {
    await admin.end()
    throw error
  }
  const pool = createPool({
    connectionString: urlOfDatabase(serverUrl, name),
    max: MAX_CONNECTIONS,
  })
  // A server reads the defaults when a connection is opened.
  let current = {}
  const defaultsOf = new WeakMap<object, object>()
  pool.on('connect', (client) => defaultsOf.set(client, current))
  return {
    pool,
    database: name,
    cancel: async (client) => {
      // `pg` keeps the server's BackendKeyData; its types do not say so.
      const { processID } = client as typeof client & { processID: number }
      await admin.query('SELECT pg_cancel_backend($1)', [processID])
    },
    renewDefaults: () => {
      current = {}
    },
    applyDefaults: async (client) => defaultsOf.get(client) === current,
    close: async () => {
      await pool.end()
      if (database === undefined) await admin.query(`DROP DATABASE ${escapeIdentifier(name)} WITH (FORCE)`)
      await admin.end()
    },
  }
}

/** A template must not have other sessions, and template0 has none. It also accepts any encoding. */
async function createDatabase(admin: Pool, name: string, template = 'template0'): Promise<void> {
  const { rowCount } = await admin.query('SELECT FROM pg_database WHERE datname = $1', [name])
  if (rowCount !== 0) return
  try {
    await admin.query(
      `CREATE DATABASE ${escapeIdentifier(name)} ENCODING 'UTF8' TEMPLATE ${escapeIdentifier(template)}`,
    )
  } catch (error) {
    if (!(error instanceof DatabaseError) || !CREATED_BY_ANOTHER.includes(error.code ?? '')) throw error
  }
}

function urlOfDatabase(serverUrl: string, name: string): string {
  const url = new URL(serverUrl)
  url.pathname = `/${encodeURIComponent(name)}`
  return url.href
}
