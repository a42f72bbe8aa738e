// Reads jobs: one job, its timeline, and pages of history. Each is one statement that begins with the caller.
import { type SQL, sql } from 'drizzle-orm'
import { requireCaller, selectCaller } from '../../accounts/sql/caller.ts'
import type { Caller } from '../../http/context.ts'
import { defineSorts, type Sorted, type SortedPage } from '../../http/pagination/store.ts'
import type { Database } from '../../infra/database.ts'
import { prepare } from '../../infra/prepare.ts'
import { constantSql, firstOf, pickColumns, type RowOf } from '../../infra/rows.ts'
import { TiebarError } from '../../kernel/error.ts'
import { isAtLeast, isInScopeOfKey, machineLevel, type RoleRefusal, refusalsBelow } from '../../sites/sql/role.ts'
import type { Command } from '../commands.ts'
import { jobEvents } from '../job.table.ts'
import type { JobResult, JobState } from '../job.ts'
import { type JobRow, jobColumns } from './fragments.ts'

/** History is sorted by the time of the request, newest first. */
export const historySorts = defineSorts(jobColumns, ['requested_at'], 'id')

/**
 * Who may see a job `j` of a machine `m`: its requester, and everybody who has a role on the machine. For all others, and
 * for a key that is limited to something else, it does not exist.
 */
export const isVisible = constantSql(
  sql`(j.requested_by = caller.id AND ${isInScopeOfKey('caller', 'm')}
    OR ${isAtLeast(machineLevel('caller', 'm'), 'viewer')})`,
)

const jobAndMachine = sql.raw('(jobs j JOIN machines m ON m.id = j.machine_id)')

/** A job, the account of the caller, and the limits of the key. */
type ReadJob = JobRow & { caller_id: number; key_machine_id: number | null; key_site_id: number | null }

const oneJob = prepare<Caller & { jobId: string }>(
  (value) => sql`
    WITH caller AS (${selectCaller(value)})
    SELECT caller.id AS caller_id, caller.key_machine_id, caller.key_site_id, ${jobColumns.of('j')}
    FROM caller LEFT JOIN ${jobAndMachine} ON j.id = ${value.jobId}::uuid AND ${isVisible}`,
)

/** @throws TiebarError `not_found`, `session_ended` */
export async function readJob(database: Database, caller: Caller, jobId: string): Promise<ReadJob> {
  const rows = await database.query<ReadJob | { id: null }>('read-job', oneJob({ ...caller, jobId }))
  const row = requireCaller(rows)
  if (row.id === null) throw noSuchJob()
  return row
}

export const eventColumns = pickColumns(jobEvents, [
  'version',
  'state',
  'at',
  'attempt',
  'by',
  'key_id',
  'reason',
  'detail',
])
export type EventRow = RowOf<typeof eventColumns>
export const eventSorts = defineSorts(eventColumns, ['version'], 'version')

/** One page of the timeline of a job. @throws TiebarError `not_found`, `session_ended` */
export async function listEvents(
  database: Database,
  caller: Caller,
  jobId: string,
  page: SortedPage,
): Promise<Sorted<EventRow>[]> {
  const conditions = sql.join([sql`e.job_id = j.id`, ...page.conditions('e')], sql` AND `)
  const rows = await database.query<(Sorted<EventRow> | { version: null }) & { job_id: string | null }>(
    'list-events',
    sql`
    WITH caller AS (${selectCaller(caller)})
    SELECT j.id AS job_id, page.* FROM caller LEFT JOIN ${jobAndMachine} ON j.id = ${jobId}::uuid AND ${isVisible}
      LEFT JOIN LATERAL (
        SELECT ${eventColumns.of('e')}, ${page.sortValue('e')} FROM job_events e
        WHERE ${conditions} ORDER BY ${page.orderBy('e')} LIMIT ${page.rowLimit}
      ) page ON true
    ORDER BY ${page.orderBy('page')}`,
  )
  if (requireCaller(rows).job_id === null) throw noSuchJob()
  return rows.filter((row) => row.version !== null)
}

export type HistoryFilter = {
  command?: Command | undefined
  state?: JobState | undefined
  result?: JobResult | undefined
  requestedBy?: number | 'me' | undefined
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
  if (filter.requestedBy === 'me') conditions.push(sql`j.requested_by = caller.id`)
  else if (filter.requestedBy !== undefined) conditions.push(sql`j.requested_by = ${filter.requestedBy}::bigint`)
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
  type Row = (Sorted<JobRow> | { id: null }) & { refusal: RoleRefusal | null }
  const scope = sql`j.machine_id = ${machineId}::bigint AND ${isAtLeast(sql`machine.level`, 'viewer')}`
  const rows = await database.query<Row>(
    'list-machine-history',
    sql`
    WITH caller AS (${selectCaller(caller)}), machine AS MATERIALIZED (
      SELECT m.id, ${machineLevel('caller', 'm')} AS level FROM caller, machines m WHERE m.id = ${machineId}::bigint
    )
    SELECT ${firstOf(refusalsBelow('viewer', 'machine'))} AS refusal, page.* FROM caller LEFT JOIN machine ON true
      LEFT JOIN LATERAL (${selectPage(scope, filter, page)}) page ON true
    ORDER BY ${page.orderBy('page')}`,
  )
  const { refusal } = requireCaller(rows)
  if (refusal === 'not_found') throw new TiebarError('not_found', 'There is no machine with this id.')
  if (refusal !== null)
    throw new TiebarError(refusal, 'You have no role on this machine, so you may not read its history.')
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
  // Without a key, PostgreSQL does not read the machine.
  const isInScope = sql`(caller.key_id IS NULL OR EXISTS (
    SELECT FROM machines m WHERE m.id = j.machine_id AND ${isInScopeOfKey('caller', 'm')}))`
  const onMyMachines = selectPage(sql`j.machine_owner_id = caller.id AND ${isInScope}`, filter, page)
  const isOnOtherMachine = sql`j.requested_by = caller.id AND j.machine_owner_id <> j.requested_by AND ${isInScope}`
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
