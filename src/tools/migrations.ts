// Applies the migrations in drizzle/migrations to a database. Drizzle's own migrator for Neon over HTTP sends each
// statement as a transaction of its own; here a migration is one transaction. The table of applied ones is Drizzle's.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readMigrationFiles } from 'drizzle-orm/migrator'
import { ProgramError } from './program.ts'
import { type DatabaseAddress, DatabaseError, runStatements } from './statements.ts'

const migrationsFolder = join(import.meta.dirname, '../../drizzle/migrations')
const journalTable = 'drizzle.__drizzle_migrations'
/** The advisory lock that keeps two runs at once from applying a migration twice. The number has no meaning. */
const lockId = 470_022

/** The schema was not made by these migrations. */
export class UnknownSchemaError extends ProgramError {
  override readonly name = 'UnknownSchemaError'
}

type Migration = { name: string; hash: string; sql: string[]; folderMillis: number }

export type MigrationState = {
  /** Names, in order. */
  applied: string[]
  pending: Migration[]
}

/**
 * @throws UnknownSchemaError for tables without a recorded migration, or for a recorded migration that is not here
 * @throws DatabaseError with what the database says
 */
export async function readMigrationState(
  address: DatabaseAddress,
  folder: string = migrationsFolder,
): Promise<MigrationState> {
  const migrations = readMigrations(folder)
  const [tables, journal] = await runStatements(address, [
    { query: "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY 1" },
    { query: `SELECT to_regclass('${journalTable}') IS NOT NULL AS exists` },
  ])
  const recorded = journal?.[0]?.exists
    ? ((await runStatements(address, [{ query: `SELECT hash FROM ${journalTable} ORDER BY created_at, id` }]))[0] ?? [])
    : []
  if (recorded.length === 0 && tables && tables.length > 0) {
    const names = tables.map(({ name }) => name).join(', ')
    throw new UnknownSchemaError(`The database has tables that no migration has made: ${names}. Use an empty database.`)
  }
  const unknown = recorded.findIndex(({ hash }, index) => hash !== migrations[index]?.hash)
  if (unknown !== -1) {
    const expected = migrations[unknown]?.name ?? 'none'
    throw new UnknownSchemaError(
      `Migration ${unknown + 1} of the database is not in this checkout (${expected} is). Another or a newer version has applied it.`,
    )
  }
  return {
    applied: migrations.slice(0, recorded.length).map(({ name }) => name),
    pending: migrations.slice(recorded.length),
  }
}

/**
 * Safe to repeat, and to run twice at once.
 * @returns the names of the migrations that were applied
 * @throws as `readMigrationState`
 */
export async function migrate(address: DatabaseAddress, folder: string = migrationsFolder): Promise<string[]> {
  const { pending } = await readMigrationState(address, folder)
  if (pending.length > 0) {
    await runStatements(address, [
      { query: `SELECT pg_advisory_xact_lock(${lockId})` },
      { query: 'CREATE SCHEMA IF NOT EXISTS drizzle' },
      {
        query: `CREATE TABLE IF NOT EXISTS ${journalTable} (id SERIAL PRIMARY KEY, hash text NOT NULL, created_at bigint)`,
      },
      { query: `CREATE UNIQUE INDEX IF NOT EXISTS migrations_once ON ${journalTable} (hash)` },
    ])
  }
  for (const { sql, hash, folderMillis } of pending) {
    await runStatements(address, [
      { query: `SELECT pg_advisory_xact_lock(${lockId})` },
      { query: `INSERT INTO ${journalTable} (hash, created_at) VALUES ($1, $2)`, params: [hash, folderMillis] },
      ...sql.map((query) => ({ query })),
    ]).catch((error: unknown) => {
      // The second of two runs waits for the lock and then finds the migration recorded.
      if (!(error instanceof DatabaseError) || !error.message.includes('migrations_once')) throw error
    })
  }
  return pending.map(({ name }) => name)
}

function readMigrations(folder: string): Migration[] {
  const journal: { entries: { tag: string }[] } = JSON.parse(readFileSync(join(folder, 'meta/_journal.json'), 'utf8'))
  return readMigrationFiles({ migrationsFolder: folder }).map(({ sql, hash, folderMillis }, index) => ({
    name: journal.entries[index]?.tag ?? String(index),
    sql,
    hash,
    folderMillis,
  }))
}
