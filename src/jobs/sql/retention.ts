// Deletes old ended jobs with their events, old refusals, old audit events, and old statuses of machines.
import { type SQL, sql } from 'drizzle-orm'
import type { Database } from '../../infra/database.ts'
import { sqlList } from '../../infra/rows.ts'
import { refusalResults } from '../job.ts'

/** A portion is one short transaction, which locks only its own rows. */
const portion = 1_000

export type Retention = {
  /** Undefined: ended jobs, audit events and statuses are kept for ever. */
  historyDays: number | undefined
  /** For requests that were refused at once. They have no events but the refusal. */
  refusalDays: number
}

/** @returns whether there may be more to delete */
export async function deleteOldJobs(database: Database, { historyDays, refusalDays }: Retention): Promise<boolean> {
  const isRefusal = sql`state = 'REJECTED' AND reason IN (${sqlList(Object.keys(refusalResults))})`
  const counts = [
    await deletePortion(database, 'delete-old-refusals', isRefusal, refusalDays),
    await deleteEvents(database, 'delete-audited-refusals', sql`action = 'operation.refuse'`, refusalDays),
  ]
  if (historyDays !== undefined) {
    counts.push(await deletePortion(database, 'delete-old-jobs', sql`finished_at IS NOT NULL`, historyDays))
    counts.push(await deleteEvents(database, 'delete-audit-events', sql`true`, historyDays))
    counts.push(await deleteStatuses(database, historyDays))
  }
  return Math.max(...counts) === portion
}

/** Jobs that ended longer than `days` ago and meet a condition, the oldest first. @returns how many were deleted */
async function deletePortion(database: Database, name: string, condition: SQL, days: number): Promise<number> {
  const rows = await database.query<{ count: number }>(
    name,
    sql`
    WITH old AS (
      SELECT id FROM jobs WHERE ${condition} AND finished_at < now() - make_interval(days => ${days}::int)
      ORDER BY finished_at LIMIT ${portion}
    ), events AS (DELETE FROM job_events USING old WHERE job_events.job_id = old.id),
    deleted AS (DELETE FROM jobs USING old WHERE jobs.id = old.id RETURNING jobs.id)
    SELECT count(*)::int AS count FROM deleted`,
  )
  return rows[0]?.count ?? 0
}

/** Audit events that are older than `days` and meet a condition, the oldest first. @returns how many were deleted */
async function deleteEvents(database: Database, name: string, condition: SQL, days: number): Promise<number> {
  const rows = await database.batch<{ count: number }>(name, [
    sql`SELECT set_config('tiebar.retention', 'on', true)`, // the trigger of the table refuses every other DELETE
    sql`
    WITH old AS (
      SELECT id FROM audit_events WHERE ${condition} AND at < now() - make_interval(days => ${days}::int)
      ORDER BY at LIMIT ${portion}
    ), deleted AS (DELETE FROM audit_events USING old WHERE audit_events.id = old.id RETURNING audit_events.id)
    SELECT count(*)::int AS count FROM deleted`,
  ])
  return rows[0]?.count ?? 0
}

/** Statuses that ended longer than `days` ago, the oldest first: the one that a machine had then stays. @returns how many were deleted */
async function deleteStatuses(database: Database, days: number): Promise<number> {
  const limit = sql`now() - make_interval(days => ${days}::int)`
  const rows = await database.query<{ count: number }>(
    'delete-old-statuses',
    sql`
    WITH old AS (
      SELECT machine_id, at FROM machine_statuses s WHERE at < ${limit} AND EXISTS (
        SELECT FROM machine_statuses next WHERE next.machine_id = s.machine_id AND next.at > s.at AND next.at <= ${limit})
      ORDER BY at LIMIT ${portion}
    ), deleted AS (
      DELETE FROM machine_statuses s USING old WHERE s.machine_id = old.machine_id AND s.at = old.at RETURNING s.at
    )
    SELECT count(*)::int AS count FROM deleted`,
  )
  return rows[0]?.count ?? 0
}
