// Statements on machines. A read is one statement; a write locks the row first and decides in the next statement.
import { type SQL, sql } from 'drizzle-orm'
import { requireCaller, selectCaller } from '../accounts/sql/caller.ts'
import type { Caller } from '../http/context.ts'
import { deleteExpiredKey, insertKey, type RequestKey } from '../http/idempotency/store.ts'
import type { Database } from '../infra/database.ts'
import { type ErrorCode, TiebarError } from '../kernel/error.ts'
import type { Cursor } from '../kernel/page.ts'
import type { MachineRow, MachineStatus } from './machine.ts'

/** Columns of a `MachineRow`; needs `m` (the machine) and `caller` in scope. */
const machineColumns = sql.raw(`
  m.id, m.name, m.location, m.status, m.owner_id, m.controller_url, m.created_at, m.updated_at, m.revision,
  (caller.is_staff OR m.owner_id = caller.id) AS is_manager`)

/** Everything that happens to a machine is decided under this lock, by the next statement of the batch. */
export function lockMachine(id: number): SQL {
  return sql`SELECT id FROM machines WHERE id = ${id}::bigint FOR NO KEY UPDATE`
}

/** A CTE body: the jobs of a machine that have not ended. At most one START and one STOP. */
export function openJobsOf(id: number): SQL {
  return sql`SELECT * FROM jobs WHERE machine_id = ${id}::bigint AND state IN ('QUEUED', 'SENT', 'PENDING')`
}

export const machineSorts = ['id', 'name', 'created_at', 'updated_at'] as const
export type MachineSort = {
  column: (typeof machineSorts)[number]
  isDescending: boolean
}

export type MachineFilter = {
  status?: MachineStatus | undefined
  ownerId?: number | undefined
  q?: string | undefined
}

/** A page of machines with one row more than `limit` when there is a next page; `sort_value` is for the cursor. */
export async function listMachines(
  database: Database,
  caller: Caller,
  filter: MachineFilter,
  sort: MachineSort,
  after: Cursor | undefined,
  limit: number,
): Promise<(MachineRow & { sort_value: string })[]> {
  const column = sql.identifier(sort.column)
  const direction = sql.raw(sort.isDescending ? 'DESC' : 'ASC')
  const conditions = [sql`m.deleted_at IS NULL`]
  if (filter.status) conditions.push(sql`m.status = ${filter.status}`)
  if (filter.ownerId !== undefined) conditions.push(sql`m.owner_id = ${filter.ownerId}::bigint`)
  if (filter.q !== undefined) {
    const pattern = `%${filter.q.replace(/[\\%_]/g, '\\$&')}%`
    conditions.push(sql`(m.name ILIKE ${pattern} OR m.location ILIKE ${pattern})`)
  }
  if (after) {
    const beyond = sql.raw(sort.isDescending ? '<' : '>')
    const type = sql.raw(
      {
        id: 'bigint',
        name: 'text',
        created_at: 'timestamptz',
        updated_at: 'timestamptz',
      }[sort.column],
    )
    conditions.push(sql`(m.${column}, m.id) ${beyond} (${after.value}::${type}, ${after.id}::bigint)`)
  }
  const rows = await database.query<(MachineRow & { sort_value: string }) | { id: null }>(sql`
    WITH caller AS (${selectCaller(caller)})
    SELECT page.* FROM caller LEFT JOIN LATERAL (
      SELECT ${machineColumns}, m.${column}::text AS sort_value FROM machines m
      WHERE ${sql.join(conditions, sql` AND `)}
      ORDER BY m.${column} ${direction}, m.id ${direction} LIMIT ${limit + 1}
    ) page ON true
    ORDER BY page.${column} ${direction}, page.id ${direction}`)
  requireCaller(rows)
  return rows.filter((row) => row.id !== null)
}

export async function readMachine(database: Database, caller: Caller, id: number): Promise<MachineRow> {
  const rows = await database.query<MachineRow | { id: null }>(sql`
    WITH caller AS (${selectCaller(caller)})
    SELECT ${machineColumns} FROM caller LEFT JOIN machines m ON m.id = ${id}::bigint AND m.deleted_at IS NULL`)
  const row = requireCaller(rows)
  if (row.id === null) throw noSuchMachine()
  return row
}

export type NewMachine = {
  name: string
  location: string
  status: MachineStatus
  controllerUrl: string | null
}

/** Inserts a machine of the caller's. @throws UniqueViolation of the idempotency key, for a twin */
export async function insertMachine(
  database: Database,
  caller: Caller,
  machine: NewMachine,
  key: RequestKey | undefined,
): Promise<MachineRow> {
  const insert = sql`
    WITH caller AS (${selectCaller(caller)}), m AS (
      INSERT INTO machines (name, location, status, owner_id, controller_url)
      SELECT ${machine.name}, ${machine.location}, ${machine.status}, caller.id, ${machine.controllerUrl} FROM caller
      RETURNING *
    )${key ? sql`, keeping AS (${insertKey(key, sql`SELECT ${machineColumns} FROM caller, m`)})` : sql``}
    SELECT ${machineColumns} FROM caller, m`
  const rows = key
    ? await database.batch<MachineRow>([deleteExpiredKey(key), insert])
    : await database.query<MachineRow>(insert)
  return requireCaller(rows)
}

/** What is absent stays as it is. */
export type MachineChange = {
  name?: string | undefined
  location?: string | undefined
  status?: MachineStatus | undefined
  controllerUrl?: string | null | undefined
  isDeleted?: boolean
}

/**
 * Changes or deletes a machine. A change that changes nothing leaves its revision and its time, so that nobody's
 * `If-Match` fails over it.
 * @param ifMatch entity tags of which one must be the machine's; undefined when any state will do
 * @throws TiebarError `not_found`, `not_owner`, `precondition_failed`, `job_open`, `session_ended`
 */
export async function changeMachine(
  database: Database,
  caller: Caller,
  id: number,
  change: MachineChange,
  ifMatch: string[] | undefined,
): Promise<MachineRow> {
  const status = change.status ?? null
  const hasUrl = change.controllerUrl !== undefined
  const url = change.controllerUrl ?? null
  const isDeleted = change.isDeleted ?? false
  const decide = sql`
    WITH caller AS (${selectCaller(caller)}),
    target AS (SELECT * FROM machines WHERE id = ${id}::bigint AND deleted_at IS NULL),
    wanted AS (
      SELECT
        coalesce(${change.name ?? null}, name) AS name,
        coalesce(${change.location ?? null}, location) AS location,
        coalesce(${status}, status) AS status,
        CASE WHEN ${hasUrl}::boolean THEN ${url} ELSE controller_url END AS controller_url
      FROM target
    ),
    open_jobs AS (${openJobsOf(id)}),
    verdict AS (
      SELECT CASE
        WHEN target.id IS NULL THEN 'not_found'
        WHEN NOT (caller.is_staff OR target.owner_id = caller.id) THEN 'not_owner'
        WHEN ${ifMatch !== undefined}::boolean
          AND NOT ('"' || target.id || '.' || target.revision || '"') = ANY (${sql.param(ifMatch ?? [])}::text[])
          THEN 'precondition_failed'
        WHEN EXISTS (SELECT FROM open_jobs) AND (${isDeleted}::boolean
          OR (target.status, target.controller_url) IS DISTINCT FROM (wanted.status, wanted.controller_url))
          THEN 'job_open'
        WHEN NOT ${isDeleted}::boolean AND (target.name, target.location, target.status, target.controller_url)
          IS NOT DISTINCT FROM (wanted.name, wanted.location, wanted.status, wanted.controller_url)
          THEN 'unchanged'
        ELSE 'done' END AS verdict
      FROM caller LEFT JOIN target ON true LEFT JOIN wanted ON true
    ),
    changed AS (
      UPDATE machines SET
        name = wanted.name,
        location = wanted.location,
        status = wanted.status,
        controller_url = wanted.controller_url,
        deleted_at = CASE WHEN ${isDeleted}::boolean THEN statement_timestamp() END,
        updated_at = statement_timestamp(),
        revision = revision + 1
      FROM verdict, wanted WHERE machines.id = ${id}::bigint AND verdict.verdict = 'done'
      RETURNING machines.*
    ),
    m AS (
      SELECT * FROM changed
      UNION ALL SELECT target.* FROM target, verdict WHERE verdict.verdict = 'unchanged'
    )
    SELECT verdict.verdict, (SELECT id FROM open_jobs ORDER BY requested_at DESC LIMIT 1) AS job_id, ${machineColumns}
    FROM caller CROSS JOIN verdict LEFT JOIN m ON true`
  const rows = await database.batch<MachineRow & { verdict: string; job_id: string | null }>([lockMachine(id), decide])
  const row = requireCaller(rows)
  if (row.verdict === 'done' || row.verdict === 'unchanged') return row
  throw explainVerdict(row.verdict as keyof typeof verdicts, row.job_id) // the CASE above
}

const verdicts = {
  not_found: 'There is no machine with this id.',
  not_owner: 'Only the owner of the machine and staff may change it.',
  precondition_failed: 'The machine is not in the state that If-Match names. Read it again.',
  job_open: 'A job is open on this machine; until it ends, status, controller_url and deletion must wait.',
} satisfies Partial<Record<ErrorCode, string>>

function explainVerdict(verdict: keyof typeof verdicts, jobId: string | null): TiebarError {
  return new TiebarError(verdict, verdicts[verdict], verdict === 'job_open' && jobId !== null ? { jobId } : {})
}

function noSuchMachine(): TiebarError {
  return new TiebarError('not_found', verdicts.not_found)
}
