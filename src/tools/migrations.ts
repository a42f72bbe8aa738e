// Applies the migrations in drizzle/migrations to a database. Drizzle's own migrator for Neon over HTTP sends each
// statement as a transaction of its own; here a migration is one transaction, but for the indexes that it builds
// CONCURRENTLY: they follow it, and a later run builds what is missing. The table of applied ones is Drizzle's.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readMigrationFiles } from 'drizzle-orm/migrator'
import {
  buildIndexes,
  type ConcurrentIndex,
  concurrentIndexOf,
  findUnbuilt,
  listConcurrentIndexes,
} from './concurrent-indexes.ts'
import { lockTransaction, migrationSchema, withMigrationLock } from './migration-lock.ts'
import { ProgramError } from './program.ts'
import { type DatabaseAddress, DatabaseError, runStatements } from './statements.ts'
import { installFunctions } from './stored/install.ts'

const migrationsFolder = join(import.meta.dirname, '../../drizzle/migrations')
const journalTable = `${migrationSchema}.__drizzle_migrations`
/**
 * For how long a migration may wait for the lock of a table. While it waits, everything that needs the table waits behind
 * it, so this is less than the Worker's deadline.
 */
const lockTimeout = '3s'

/** The schema was not made by these migrations. */
export class UnknownSchemaError extends ProgramError {
  override readonly name = 'UnknownSchemaError'
}

type Migration = { name: string; hash: string; sql: string[]; folderMillis: number }

export type MigrationState = {
  /** Names, in order. */
  applied: string[]
  pending: Migration[]
  /** Indexes of the applied migrations that are missing or invalid. */
  unbuilt: ConcurrentIndex[]
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
  const applied = migrations.slice(0, recorded.length)
  return {
    applied: applied.map(({ name }) => name),
    pending: migrations.slice(recorded.length),
    unbuilt: await findUnbuilt(address, indexesOf(applied)),
  }
}

function indexesOf(migrations: Migration[]): ConcurrentIndex[] {
  return listConcurrentIndexes(migrations.flatMap(({ sql }) => sql))
}

/**
 * Safe to repeat, and to run several times at once: the runs wait for each other.
 * @returns the names of the migrations that were applied, and of indexes that an earlier run has not built
 * @throws as `readMigrationState`; DatabaseError also for a lock that was not available in time
 */
export async function migrate(address: DatabaseAddress, folder: string = migrationsFolder): Promise<string[]> {
  if (isDone(await readMigrationState(address, folder))) return []
  return await withMigrationLock(address, async () => {
    // Another run may have done it meanwhile.
    const state = await readMigrationState(address, folder)
    return isDone(state) ? [] : await finish(address, state)
  })
}

function isDone({ pending, unbuilt }: MigrationState): boolean {
  return pending.length + unbuilt.length === 0
}

async function finish(address: DatabaseAddress, { pending, unbuilt }: MigrationState): Promise<string[]> {
  await runStatements(address, [
    lockTransaction,
    {
      query: `CREATE TABLE IF NOT EXISTS ${journalTable} (id SERIAL PRIMARY KEY, hash text NOT NULL, created_at bigint)`,
    },
    { query: `CREATE UNIQUE INDEX IF NOT EXISTS migrations_once ON ${journalTable} (hash)` },
  ])
  await buildIndexes(address, unbuilt)
  for (const migration of pending) await apply(address, migration)
  return [...unbuilt, ...pending].map(({ name }) => name)
}

/**
 * Applies the migrations and installs the functions (stored/install.ts). Safe to repeat.
 * @returns what was done, by name
 * @throws as `migrate`
 */
export async function updateDatabase(address: DatabaseAddress): Promise<string[]> {
  const applied = await migrate(address)
  const installed = await installFunctions(address)
  return installed === 0 ? applied : [...applied, `${installed} functions`]
}

async function apply(address: DatabaseAddress, { name, sql, hash, folderMillis }: Migration): Promise<void> {
  const statements = sql.filter((query) => concurrentIndexOf(query) === undefined)
  await runStatements(address, [
    lockTransaction,
    // Not for the lock above: another run may take longer.
    { query: `SELECT set_config('lock_timeout', '${lockTimeout}', true)` },
    { query: `INSERT INTO ${journalTable} (hash, created_at) VALUES ($1, $2)`, params: [hash, folderMillis] },
    ...statements.map((query) => ({ query })),
  ]).catch((error: unknown) => {
    if (!(error instanceof DatabaseError)) throw error
    if (error.code === isLockUnavailable) throw explainLock(name, error)
    // A run that took the lock of the migrations too early waits for the lock of the transaction, and then finds the
    // migration recorded.
    if (!error.message.includes('migrations_once')) throw error
  })
  await buildIndexes(address, listConcurrentIndexes(sql))
}

const isLockUnavailable = '55P03'

function explainLock(name: string, { message, cause }: DatabaseError): DatabaseError {
  return new DatabaseError(
    `Migration ${name} was not applied, and nothing of it is left: it waited ${lockTimeout} for a lock that another transaction holds (${message}). Run npm run db:migrate again. If that does not help, end the transaction: SELECT pid, xact_start, query FROM pg_stat_activity WHERE xact_start IS NOT NULL ORDER BY xact_start; SELECT pg_terminate_backend(PID);`,
    { cause },
  )
}

/** The statements of all migrations, in order. */
export function readMigrationSql(): string[] {
  return readMigrations(migrationsFolder).flatMap(({ sql }) => sql)
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
