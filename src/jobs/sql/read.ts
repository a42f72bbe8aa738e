// Reads jobs: one job, its timeline, and pages of history. Each is one statement that begins with the caller.
import { type SQL, sql } from 'drizzle-orm'
import { requireCaller, selectCaller } from '../../accounts/sql/caller.ts'
import type { Caller } from '../../http/context.ts'
import { defineSorts, type Sorted, type SortedPage } from '../../http/pagination/store.ts'
import type { Database } from '../../infra/database.ts'
import { pickColumns, type RowOf } from '../../infra/rows.ts'
import { TiebarError } from '../../kernel/error.ts'
import type { Command } from '../commands.ts'
import { jobEvents } from '../job.table.ts'
import type { JobResult, JobState } from '../job.ts'
import { type JobRow, jobColumns } from './fragments.ts'

/** History is sorted by the time of the request, newest first. */
export const historySorts = defineSorts(jobColumns, ['requested_at'])

/** Who may see a job `j`: its requester, the owner of its machine, and staff. For all others it does not exist. */
const isVisible = sql.raw('(caller.is_staff OR j.requested_by = caller.id OR j.machine_owner_id = caller.id)')

/** @throws TiebarError `not_found`, `session_ended` */
export async function readJob(database: Database, caller: Caller, jobId: string): Promise<JobRow> {
  const rows = await database.query<JobRow | { id: null }>(
    'read-job',
    sql`
    WITH caller AS (${selectCaller(caller)})
    SELECT ${jobColumns.of('j')} FROM caller LEFT JOIN jobs j ON j.id = ${jobId}::uuid AND ${isVisible}`,
  )
  const row = requireCaller(rows)
  if (row.id === null) throw noSuchJob()
  return row
}

export const eventColumns = pickColumns(jobEvents, ['version', 'state', 'at', 'attempt', 'by', 'reason', 'detail'])
export type EventRow = RowOf<typeof eventColumns>

/** The timeline of a job, oldest event first. @throws TiebarError `not_found`, `session_ended` */
export async function listEvents(database: Database, caller: Caller, jobId: string): Promise<EventRow[]> {
  const rows = await database.query<EventRow & { job_id: string | null }>(
    'list-events',
    sql`
    WITH caller AS (${selectCaller(caller)})
    SELECT j.id AS job_id, ${eventColumns.of('e')}
    FROM caller LEFT JOIN jobs j ON j.id = ${jobId}::uuid AND ${isVisible}
      LEFT JOIN job_events e ON e.job_id = j.id
    ORDER BY e.version`,
  )
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

function conditionsOf(filter: HistoryFilter, page: SortedPage): SQL[] {
  const conditions = page.conditions('j')
  if (filter.command) conditions.push(sql`j.command = ${filter.command}`)
  if (filter.state) conditions.push(sql`j.state = ${filter.state}`)
  if (filter.result) conditions.push(sql`j.result = ${filter.result}`)
  if (filter.requestedBy !== undefined) conditions.push(sql`j.requested_by = ${filter.requestedBy}::bigint`)
  if (filter.from) conditions.push(sql`j.requested_at >= ${filter.from}::timestamptz`)
  if (filter.to) conditions.push(sql`j.requested_at < ${filter.to}::timestamptz`)
  return conditions
}

/** One page of the jobs that meet the condition `scope`, which may refer to `caller`. */
function selectPage(scope: SQL, filter: HistoryFilter, page: SortedPage): SQL {
  return sql`
    SELECT ${jobColumns.of('j')}, ${page.sortValue('j')} FROM jobs j
    WHERE ${sql.join([scope, ...conditionsOf(filter, page)], sql` AND `)}
    ORDER BY ${page.orderBy('j')} LIMIT ${page.rowLimit}`
}

/**
 * Jobs of one machine, newest first; also of a deleted machine.
 * @throws TiebarError `not_found`, `not_owner`, `session_ended`
 */
export async function listMachineHistory(
  database: Database,
  caller: Caller,
  machineId: number,
  filter: HistoryFilter,
  page: SortedPage,
): Promise<Sorted<JobRow>[]> {
  type Row = (Sorted<JobRow> | { id: null }) & {
    machine: number | null
    is_manager: boolean
  }
  const scope = sql`machine.is_manager AND j.machine_id = ${machineId}::bigint`
  const rows = await database.query<Row>(
    'list-machine-history',
    sql`
    WITH caller AS (${selectCaller(caller)}), machine AS (
      SELECT m.id AS machine, coalesce(caller.is_staff OR m.owner_id = caller.id, false) AS is_manager
      FROM caller LEFT JOIN machines m ON m.id = ${machineId}::bigint
    )
    SELECT machine.machine, machine.is_manager, page.* FROM machine
      LEFT JOIN LATERAL (${selectPage(scope, filter, page)}) page ON true
    ORDER BY ${page.orderBy('page')}`,
  )
  const { machine, is_manager } = requireCaller(rows)
  if (machine === null) throw new TiebarError('not_found', 'There is no machine with this id.')
  if (!is_manager) {
    throw new TiebarError('not_owner', 'Only the owner of the machine and staff may read its history.')
  }
  return rows.filter((row) => row.id !== null)
}

/**
 * Jobs on the caller's machines and jobs that the caller requested, newest first.
 * @throws TiebarError `session_ended`
 */
export async function listMyHistory(
  database: Database,
  caller: Caller,
  filter: HistoryFilter,
  page: SortedPage,
): Promise<Sorted<JobRow>[]> {
  // Two index scans that are merged: an OR would read all rows of both.
  const onMyMachines = selectPage(sql`j.machine_owner_id = caller.id`, filter, page)
  const isOnOtherMachine = sql`j.requested_by = caller.id AND j.machine_owner_id <> j.requested_by`
  const onOtherMachines = selectPage(isOnOtherMachine, filter, page)
  const rows = await database.query<Sorted<JobRow> | { id: null }>(
    'list-my-history',
    sql`
    WITH caller AS (${selectCaller(caller)})
    SELECT page.* FROM caller LEFT JOIN LATERAL (
      SELECT * FROM ((${onMyMachines}) UNION ALL (${onOtherMachines})) merged
      ORDER BY ${page.orderBy('merged')} LIMIT ${page.rowLimit}
    ) page ON true
    ORDER BY ${page.orderBy('page')}`,
  )
  requireCaller(rows)
  return rows.filter((row) => row.id !== null)
}

export function noSuchJob(): TiebarError {
  return new TiebarError('not_found', 'There is no job with this id that you may see.')
}
