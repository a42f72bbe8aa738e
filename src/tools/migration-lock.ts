// One `npm run db:migrate` at a time in a database. SQL over HTTP has no session that could hold an advisory lock, and a
// transaction that is open while an index is built CONCURRENTLY would block the build. So the lock is a row with an end
// that its holder renews. It orders the runs; that each migration happens once does not depend on it, so a run that takes
// the lock of a stopped computer too early does no harm.
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { type DatabaseAddress, runStatements } from './statements.ts'

/** The schema of what belongs to the migrations and not to the application: Drizzle's own. */
export const migrationSchema = 'drizzle'
const table = `${migrationSchema}.migration_lock`
/** The advisory lock of transactions that must not run at the same time. The number has no meaning. */
export const lockTransaction = { query: 'SELECT pg_advisory_xact_lock(470022)' }

/** After a run that was killed, the next one waits this long. */
const leaseSeconds = 15
const renewMs = 3_000
const pollMs = 250

/**
 * Waits until no other run does such work, and then does it.
 * @throws DatabaseError, and what `work` throws
 */
export async function withMigrationLock<Result>(
  address: DatabaseAddress,
  work: () => Promise<Result>,
): Promise<Result> {
  const run = randomUUID()
  await runStatements(address, [
    lockTransaction, // `IF NOT EXISTS` fails when two do it at the same time
    { query: `CREATE SCHEMA IF NOT EXISTS ${migrationSchema}` },
    {
      query: `CREATE TABLE IF NOT EXISTS ${table} (
        only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row), run uuid NOT NULL, ends_at timestamptz NOT NULL)`,
    },
  ])
  while (!(await acquire(address, run))) await delay(pollMs)
  // Without PostgreSQL, the work fails and says so.
  const renewal = setInterval(() => void renew(address, run).catch(() => {}), renewMs)
  try {
    return await work()
  } finally {
    clearInterval(renewal)
    await release(address, run).catch(() => {}) // it ends by itself
  }
}

const end = `clock_timestamp() + interval '${leaseSeconds} s'`

/** @returns whether this run has the lock */
async function acquire(address: DatabaseAddress, run: string): Promise<boolean> {
  const query = `
    INSERT INTO ${table} AS held (run, ends_at) VALUES ($1, ${end})
    ON CONFLICT (only_row) DO UPDATE SET run = excluded.run, ends_at = excluded.ends_at
      WHERE held.ends_at <= clock_timestamp()
    RETURNING run`
  const [rows = []] = await runStatements(address, [{ query, params: [run] }])
  return rows.length > 0
}

/** Does nothing after the release, or after another run has taken the lock. */
async function renew(address: DatabaseAddress, run: string): Promise<void> {
  await runStatements(address, [{ query: `UPDATE ${table} SET ends_at = ${end} WHERE run = $1`, params: [run] }])
}

async function release(address: DatabaseAddress, run: string): Promise<void> {
  await runStatements(address, [{ query: `DELETE FROM ${table} WHERE run = $1`, params: [run] }])
}
