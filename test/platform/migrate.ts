// Brings a database up to the migrations in drizzle/migrations. Drizzle's own migrator for Neon over HTTP sends each
// statement as a transaction of its own; here a migration happens whole or not at all. The bookkeeping is Drizzle's.
import { join } from 'node:path'
import { readMigrationFiles } from 'drizzle-orm/migrator'
import type { PostgresService } from './named-services.ts'
import { runStatements } from './neon-sql.ts'

const migrationsFolder = join(import.meta.dirname, '../../drizzle/migrations')
const journal = 'drizzle.__drizzle_migrations'

/**
 * @returns how many migrations were applied
 * @throws PlatformError with what the database says
 */
export async function migrate(service: PostgresService, folder: string = migrationsFolder): Promise<number> {
  const [, , rows] = await runStatements(service, [
    { query: 'CREATE SCHEMA IF NOT EXISTS drizzle' },
    { query: `CREATE TABLE IF NOT EXISTS ${journal} (id SERIAL PRIMARY KEY, hash text NOT NULL, created_at bigint)` },
    { query: `SELECT max(created_at)::text AS newest FROM ${journal}` },
  ])
  const newest = Number(rows?.[0]?.newest ?? -1)
  const pending = readMigrationFiles({ migrationsFolder: folder }).filter(({ folderMillis }) => folderMillis > newest)
  for (const { sql, hash, folderMillis } of pending) {
    await runStatements(service, [
      ...sql.map((query) => ({ query })),
      { query: `INSERT INTO ${journal} (hash, created_at) VALUES ($1, $2)`, params: [hash, folderMillis] },
    ])
  }
  return pending.length
}
