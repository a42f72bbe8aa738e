// Statements on machines. A read is one statement; a write locks the row first and decides in the next statement.
import { type SQL, sql } from 'drizzle-orm'
import type { z } from 'zod'
import { requireCaller, selectCaller } from '../accounts/sql/caller.ts'
import type { Caller } from '../http/context.ts'
import { deleteExpiredKey, insertKey, type RequestKey } from '../http/idempotency/store.ts'
import { defineSorts, type Sorted, type SortedPage } from '../http/pagination/store.ts'
import type { Database } from '../infra/database.ts'
import { constantSql, pickColumns, type RequiredOf, type RowOf, type ValuesOf } from '../infra/rows.ts'
import { TiebarError } from '../kernel/error.ts'
import type { ErrorCode } from '../kernel/error-codes.ts'
import { machines } from './machine.table.ts'
import type { MachineStatus } from './machine.ts'
import type { machinePatchBody, newMachineBody } from './schema.ts'

/** The columns of a machine that the API shows. */
export const machineColumns = pickColumns(machines, [
  'id',
  'name',
  'location',
  'status',
  'owner_id',
  'controller_url',
  'created_at',
  'updated_at',
])
export type Machine = RowOf<typeof machineColumns>

/** A machine, its revision, and whether the caller manages it as its owner or as staff. */
export type MachineRow = Machine & { revision: number; is_manager: boolean }

/** Columns of a `MachineRow`; needs `m` (the machine) and `caller` in scope. */
const machineRow = constantSql(
  sql`${machineColumns.of('m')}, m.revision, (caller.is_staff OR m.owner_id = caller.id) AS is_manager`,
)

export const machineSorts = defineSorts(machineColumns, ['id', 'name', 'created_at', 'updated_at'])

/** Locks a machine. The next statement of the batch decides under this lock about the machine or its jobs. */
export function lockMachine(id: number): SQL {
  return sql`SELECT id FROM machines WHERE id = ${id}::bigint FOR NO KEY UPDATE`
}

/**
 * A CTE body: the open jobs of a machine, with `id` and `requested_at`. `app.ts` passes it in, because this slice
 * must not import the jobs slice, which defines the states.
 */
export type SelectOpenJobs = (machineId: number) => SQL

export type MachineFilter = {
  status?: MachineStatus | undefined
  ownerId?: number | undefined
  q?: string | undefined
}

/** The rows of one page of machines. @throws TiebarError `session_ended` */
export async function listMachines(
  database: Database,
  caller: Caller,
  filter: MachineFilter,
  page: SortedPage,
): Promise<Sorted<MachineRow>[]> {
  const conditions = [sql`m.deleted_at IS NULL`, ...page.conditions('m')]
  if (filter.status) conditions.push(sql`m.status = ${filter.status}`)
  if (filter.ownerId !== undefined) conditions.push(sql`m.owner_id = ${filter.ownerId}::bigint`)
  if (filter.q !== undefined) {
    const pattern = `%${filter.q.replace(/[\\%_]/g, '\\$&')}%`
    conditions.push(sql`(m.name ILIKE ${pattern} OR m.location ILIKE ${pattern})`)
  }
  const rows = await database.query<Sorted<MachineRow> | { id: null }>(
    'list-machines',
    sql`
    WITH caller AS (${selectCaller(caller)})
    SELECT page.* FROM caller LEFT JOIN LATERAL (
      SELECT ${machineRow}, ${page.sortValue('m')} FROM machines m
      WHERE ${sql.join(conditions, sql` AND `)}
      ORDER BY ${page.orderBy('m')} LIMIT ${page.rowLimit}
    ) page ON true
    ORDER BY ${page.orderBy('page')}`,
  )
  requireCaller(rows)
  return rows.filter((row) => row.id !== null)
}

/** @throws TiebarError `not_found`, `session_ended` */
export async function readMachine(database: Database, caller: Caller, id: number): Promise<MachineRow> {
  const rows = await database.query<MachineRow | { id: null }>(
    'read-machine',
    sql`
    WITH caller AS (${selectCaller(caller)})
    SELECT ${machineRow} FROM caller LEFT JOIN machines m ON m.id = ${id}::bigint AND m.deleted_at IS NULL`,
  )
  const row = requireCaller(rows)
  if (row.id === null) throw noSuchMachine()
  return row
}

/** The columns that a client may set. A member of the body without a column is a compile error. */
export type MachineValues = ValuesOf<z.infer<typeof newMachineBody>, Machine>
/** What the body must have, because PostgreSQL has no default for it. */
type RequiredValues = Record<Exclude<RequiredOf<typeof machines>, 'owner_id'>, unknown>
/** An absent field is not changed. */
export type MachineChange = ValuesOf<z.infer<typeof machinePatchBody>, Machine>

/**
 * Inserts a machine that the caller owns.
 * @throws UniqueViolation of the idempotency key, if a concurrent request has stored it first
 * @throws TiebarError `session_ended`
 */
export async function insertMachine(
  database: Database,
  caller: Caller,
  values: MachineValues & RequiredValues,
  key: RequestKey | undefined,
): Promise<MachineRow> {
  const bindings = machineColumns.bind(values)
  const insert = sql`
    WITH caller AS (${selectCaller(caller)}), m AS (
      INSERT INTO machines (owner_id, ${sql.join(
        bindings.map(({ name }) => name),
        sql`, `,
      )})
      SELECT caller.id, ${sql.join(
        bindings.map(({ value }) => value),
        sql`, `,
      )} FROM caller
      RETURNING *
    )${key ? sql`, stored_key AS (${insertKey(key, sql`SELECT ${machineRow} FROM caller, m`)})` : sql``}
    SELECT ${machineRow} FROM caller, m`
  const rows = key
    ? await database.batch<MachineRow>('insert-machine', [deleteExpiredKey(key), insert])
    : await database.query<MachineRow>('insert-machine', insert)
  return requireCaller(rows)
}

type ChangeDecision = 'not_found' | 'not_owner' | 'precondition_failed' | 'job_open' | 'unchanged' | 'changed'

/** These columns cannot be changed while a job is open. */
const lockedByOpenJobs: readonly string[] = ['status', 'controller_url'] satisfies (keyof Machine)[]

/**
 * Changes or deletes a machine. If no value differs, `revision` and `updated_at` are kept, so that the `If-Match` of
 * other clients still succeeds.
 * @param revisions the revisions that `If-Match` accepts; undefined if it accepts any
 * @throws TiebarError `not_found`, `not_owner`, `precondition_failed`, `job_open`, `session_ended`
 */
export async function changeMachine(
  database: Database,
  caller: Caller,
  id: number,
  change: MachineChange | 'delete',
  revisions: number[] | undefined,
  selectOpenJobs: SelectOpenJobs,
): Promise<MachineRow> {
  const now = sql`statement_timestamp()`
  const isDeleted = change === 'delete'
  const bindings = isDeleted ? [] : machineColumns.bind(change)
  const differences = bindings.map(({ name, value }) => sql`target.${name} IS DISTINCT FROM ${value}`)
  const isChanged = isDeleted ? sql`true` : anyOf(differences)
  const needsNoOpenJob = isDeleted
    ? sql`true`
    : anyOf(differences.filter((_, index) => lockedByOpenJobs.includes(bindings[index]?.column ?? '')))
  const settings = bindings.map(({ name, value }) => sql`${name} = ${value}`)
  if (isDeleted) settings.push(sql`deleted_at = ${now}`)
  const decide = sql`
    WITH caller AS (${selectCaller(caller)}),
    target AS (SELECT * FROM machines WHERE id = ${id}::bigint AND deleted_at IS NULL),
    open_jobs AS (${selectOpenJobs(id)}),
    decision AS (
      SELECT CASE
        WHEN target.id IS NULL THEN 'not_found'
        WHEN NOT (caller.is_staff OR target.owner_id = caller.id) THEN 'not_owner'
        WHEN ${revisions !== undefined}::boolean
          AND NOT target.revision = ANY (${sql.param(revisions ?? [])}::bigint[])
          THEN 'precondition_failed'
        WHEN EXISTS (SELECT FROM open_jobs) AND ${needsNoOpenJob} THEN 'job_open'
        WHEN ${isChanged} THEN 'changed'
        ELSE 'unchanged' END AS decision
      FROM caller LEFT JOIN target ON true
    ),
    changed AS (
      UPDATE machines SET ${sql.join([...settings, sql`updated_at = ${now}`, sql`revision = revision + 1`], sql`, `)}
      FROM decision WHERE machines.id = ${id}::bigint AND decision.decision = 'changed'
      RETURNING machines.*
    ),
    m AS (
      SELECT * FROM changed
      UNION ALL SELECT target.* FROM target, decision WHERE decision.decision = 'unchanged'
    )
    SELECT decision.decision, (SELECT id FROM open_jobs ORDER BY requested_at DESC LIMIT 1) AS job_id, ${machineRow}
    FROM caller CROSS JOIN decision LEFT JOIN m ON true`
  type Row = MachineRow & { decision: ChangeDecision; job_id: string | null }
  const row = requireCaller(await database.batch<Row>('change-machine', [lockMachine(id), decide]))
  if (row.decision !== 'changed' && row.decision !== 'unchanged') throw explainRefusal(row.decision, row.job_id)
  return row
}

function anyOf(conditions: SQL[]): SQL {
  return conditions.length === 0 ? sql`false` : sql`(${sql.join(conditions, sql` OR `)})`
}

const refusals = {
  not_found: 'There is no machine with this id.',
  not_owner: 'Only the owner of the machine and staff may change it.',
  precondition_failed: 'If-Match does not name the current state of the machine. Read it again.',
  job_open: 'A job is open. Until it ends, status and controller_url cannot change and the machine cannot be deleted.',
} satisfies Partial<Record<ErrorCode, string>>

function explainRefusal(decision: keyof typeof refusals, jobId: string | null): TiebarError {
  return new TiebarError(decision, refusals[decision], decision === 'job_open' && jobId !== null ? { jobId } : {})
}

function noSuchMachine(): TiebarError {
  return new TiebarError('not_found', refusals.not_found)
}
