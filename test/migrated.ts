// A database with all migrations and functions. To apply them takes PGlite seconds, so they are applied once for each
// version of them, and every other start is with a copy.
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { Client, escapeIdentifier } from 'pg'
import { updateDatabase } from '../src/tools/migrations.ts'
import type { StandInOptions } from './platform/http.ts'
import { openCached, readPgliteVersion } from './platform/postgres/cache.ts'
import { type PostgresStandIn, startPostgres } from './platform/postgres.ts'
import { uniqueSuffix } from './platform/unique-suffix.ts'

const projectDir = join(import.meta.dirname, '..')
/** What decides how a database is after the migrations. */
const sources = ['drizzle', 'src/tools', 'src/infra']
/** Names the migrated database on the real server. */
const sharedAs = 'MIGRATED_DATABASE'

export function addressOf({ databaseUrl, fetchEndpoint }: PostgresStandIn) {
  return { database_url: databaseUrl, fetch_endpoint: fetchEndpoint }
}

/** Starts an empty database: on the real server, if there is one. */
export function startEmpty(options: StandInOptions = {}): Promise<PostgresStandIn> {
  const { LOCAL_POSTGRES_URL } = process.env
  return startPostgres({ ...options, ...(LOCAL_POSTGRES_URL && { serverUrl: LOCAL_POSTGRES_URL }) })
}

/** Starts a database with all migrations and functions: on the real server, if there is one. */
export async function startMigrated(options: StandInOptions = {}): Promise<PostgresStandIn> {
  const { LOCAL_POSTGRES_URL: serverUrl, [sharedAs]: template } = process.env
  if (!serverUrl) return await startPostgres({ ...options, snapshot: await openMigrated() })
  if (template !== undefined) return await startPostgres({ ...options, serverUrl, template })
  const postgres = await startEmpty(options)
  await updateDatabase(addressOf(postgres))
  return postgres
}

/**
 * Makes the database that this process and its child processes copy, so that each start takes a fraction of the time.
 * @returns drops it, if it is on the real server
 */
export async function shareMigrated(): Promise<() => Promise<void>> {
  const { LOCAL_POSTGRES_URL: serverUrl } = process.env
  if (!serverUrl) {
    await openMigrated()
    return async () => {}
  }
  const database = `tiebar_${uniqueSuffix()}`
  const drop = async () => {
    const admin = new Client({ connectionString: serverUrl })
    await admin.connect()
    await admin.query(`DROP DATABASE IF EXISTS ${escapeIdentifier(database)}`).finally(() => admin.end())
  }
  try {
    const postgres = await startPostgres({ serverUrl, database })
    await updateDatabase(addressOf(postgres)).finally(() => postgres.close())
  } catch (error) {
    await drop()
    throw error
  }
  process.env[sharedAs] = database
  return drop
}

let opening: Promise<Blob> | undefined

/** A migrated database of PGlite, for `snapshot`. */
export function openMigrated(): Promise<Blob> {
  opening ??= nameMigrated().then((name) => openCached(name, makeMigrated))
  return opening
}

async function makeMigrated(): Promise<Blob> {
  const postgres = await startPostgres()
  try {
    await updateDatabase(addressOf(postgres))
    if (postgres.dump === undefined) throw new TypeError('PGlite can dump')
    return await postgres.dump()
  } finally {
    await postgres.close()
  }
}

/** With a digest of everything that changes the result. */
async function nameMigrated(): Promise<string> {
  const digest = createHash('sha256')
  for (const source of sources) {
    const files = await readdir(join(projectDir, source), { recursive: true, withFileTypes: true })
    const paths = files.filter((file) => file.isFile()).map((file) => join(file.parentPath, file.name))
    for (const path of paths.sort()) digest.update(`${relative(projectDir, path)}\0`).update(await readFile(path))
  }
  return `pglite-${await readPgliteVersion()}-migrated-${digest.digest('hex').slice(0, 16)}`
}
