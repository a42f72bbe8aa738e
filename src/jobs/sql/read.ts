// Reading jobs: one, its timeline, and the pages of history. Each is one statement that begins with the caller.
import { type SQL, sql } from 'drizzle-orm'
import { requireCaller, selectCaller } from '../../accounts/sql/caller.ts'
import type { Caller } from '../../http/context.ts'
import type { Database } from '../../infra/database.ts'
import { TiebarError } from '../../kernel/error.ts'
import type { Cursor } from '../../kernel/page.ts'
import type { Command } from '../commands.ts'
import type { EventReason, Job, JobResult, JobState } from '../job.ts'
import { jobColumns } from './fragments.ts'

/** Who may see a job `j`: who asked for it, whose machine it is, staff. To all others it does not exist. */
const isVisible = sql.raw('(caller.is_staff OR j.requested_by = caller.id OR j.machine_owner_id = caller.id)')

export async function readJob(database: Database, caller: Caller, jobId: string): Promise<Job> {
  const rows = await database.query<Job | { id: null }>(sql`
    WITH caller AS (${selectCaller(caller)})
    SELECT ${jobColumns('j')} FROM caller LEFT JOIN jobs j ON j.id = ${jobId}::uuid AND ${isVisible}`)
  const row = requireCaller(rows)
  if (row.id === null) throw noSuchJob()
  return row
}

export type EventRow = {
  version: number
  state: JobState
  at: string
  attempt: number | null
  by: string
  reason: EventReason | null
  detail: string | null
}

/** The timeline of a job, oldest first. */
export async function listEvents(database: Database, caller: Caller, jobId: string): Promise<EventRow[]> {
  const rows = await database.query<EventRow & { job_id: string | null }>(sql`
    WITH caller AS (${selectCaller(caller)})
    SELECT j.id AS job_id, e.version, e.state, e.at, e.attempt, e.by, e.reason, e.detail
    FROM caller LEFT JOIN jobs j ON j.id = ${jobId}::uuid AND ${isVisible}
      LEFT JOIN job_events e ON e.job_id = j.id
    ORDER BY e.version`)
  if (requireCaller(rows).job_id === null) throw noSuchJob()
  return rows
}

export type HistoryFilter = {
  command?: Command | undefined
  state?: JobState | undefined
  result?: JobResult | undefined
  requestedBy?: number | undefined
  /** Inclusive, RFC 3339. */
  from?: string | undefined
  /** Exclusive, RFC 3339. */
  to?: string | undefined
}

export type HistoryRow = Job & { sort_value: string }

function conditionsOf(filter: HistoryFilter, after: Cursor | undefined): SQL[] {
  const conditions: SQL[] = []
  if (filter.command) conditions.push(sql`j.command = ${filter.command}`)
  if (filter.state) conditions.push(sql`j.state = ${filter.state}`)
  if (filter.result) conditions.push(sql`j.result = ${filter.result}`)
  if (filter.requestedBy !== undefined) conditions.push(sql`j.requested_by = ${filter.requestedBy}::bigint`)
  if (filter.from) conditions.push(sql`j.requested_at >= ${filter.from}::timestamptz`)
  if (filter.to) conditions.push(sql`j.requested_at < ${filter.to}::timestamptz`)
  if (after) conditions.push(sql`(j.requested_at, j.id) < (${after.value}::timestamptz, ${after.id}::uuid)`)
  return conditions
}

/** The newest `limit + 1` jobs that fit; needs `caller` in scope when `scope` names it. */
function newest(scope: SQL, conditions: SQL[], limit: number): SQL {
  return sql`
    SELECT ${jobColumns('j')}, j.requested_at::text AS sort_value FROM jobs j
    WHERE ${sql.join([scope, ...conditions], sql` AND `)}
    ORDER BY j.requested_at DESC, j.id DESC LIMIT ${limit + 1}`
}

/** Jobs of one machine, newest first; also of a deleted one. @throws TiebarError `not_found`, `not_owner` */
export async function listMachineHistory(
  database: Database,
  caller: Caller,
  machineId: number,
  filter: HistoryFilter,
  after: Cursor | undefined,
  limit: number,
): Promise<HistoryRow[]> {
  type Row = (HistoryRow | { id: null }) & {
    machine: number | null
    is_manager: boolean
  }
  const scope = sql`machine.is_manager AND j.machine_id = ${machineId}::bigint`
  const rows = await database.query<Row>(sql`
    WITH caller AS (${selectCaller(caller)}), machine AS (
      SELECT m.id AS machine, coalesce(caller.is_staff OR m.owner_id = caller.id, false) AS is_manager
      FROM caller LEFT JOIN machines m ON m.id = ${machineId}::bigint
    )
    SELECT machine.machine, machine.is_manager, page.* FROM machine
      LEFT JOIN LATERAL (${newest(scope, conditionsOf(filter, after), limit)}) page ON true
    ORDER BY page.requested_at DESC, page.id DESC`)
  const { machine, is_manager } = requireCaller(rows)
  if (machine === null) throw new TiebarError('not_found', 'There is no machine with this id.')
  if (!is_manager) {
    throw new TiebarError('not_owner', 'Only the owner of the machine and staff may read its history.')
  }
  return rows.filter((row) => row.id !== null)
}

/** Jobs on the caller's machines and jobs that the caller asked for, newest first. */
export async function listMyHistory(
  database: Database,
  caller: Caller,
  filter: HistoryFilter,
  after: Cursor | undefined,
  limit: number,
): Promise<HistoryRow[]> {
  const conditions = conditionsOf(filter, after)
  // Two index scans that are merged: an OR would have to read all of both.
  const onMine = newest(sql`j.machine_owner_id = caller.id`, conditions, limit)
  const askedFor = newest(sql`j.requested_by = caller.id AND j.machine_owner_id <> j.requested_by`, conditions, limit)
  const rows = await database.query<HistoryRow | { id: null }>(sql`
    WITH caller AS (${selectCaller(caller)})
    SELECT page.* FROM caller LEFT JOIN LATERAL (
      SELECT * FROM ((${onMine}) UNION ALL (${askedFor})) both_sides
      ORDER BY requested_at DESC, id DESC LIMIT ${limit + 1}
    ) page ON true
    ORDER BY page.requested_at DESC, page.id DESC`)
  requireCaller(rows)
  return rows.filter((row) => row.id !== null)
}

export function noSuchJob(): TiebarError {
  return new TiebarError('not_found', 'There is no job with this id that you may see.')
}
