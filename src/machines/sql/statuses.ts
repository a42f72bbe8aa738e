// Reads the history of the statuses of a machine: one statement, which begins with the caller.
import { type SQL, sql } from 'drizzle-orm'
import { requireCaller, selectCaller } from '../../accounts/sql/caller.ts'
import type { Caller } from '../../http/context.ts'
import { defineSorts, type Sorted, type SortedPage } from '../../http/pagination/store.ts'
import type { Database } from '../../infra/database.ts'
import { firstOf, pickColumns, type RowOf } from '../../infra/rows.ts'
import { isAtLeast, machineLevel, type RoleRefusal, refusalsBelow } from '../../sites/sql/role.ts'
import { explainRefusal } from '../refusals.ts'
import { statusChanges } from '../status.table.ts'
import { selectSilence } from './report.ts'

export const statusColumns = pickColumns(statusChanges, ['status', 'source', 'at'])
export type StatusRow = RowOf<typeof statusColumns>
export const statusSorts = defineSorts(statusColumns, ['at'], 'at')

export type StatusFilter = {
  /** RFC 3339. The status that the machine had at this time is the oldest one. */
  from?: string | undefined
  /** Exclusive, RFC 3339. */
  to?: string | undefined
}

/** The table, and like it that the reports of the machine have stopped, which is stored when the next one arrives. */
const stored = sql.raw('machine_statuses')
const silence = sql`(${selectSilence})`

/** A condition: the status began at this time or later, or is the one that the machine had at this time. */
function isSince(from: string): SQL {
  const begins = [stored, silence].map(
    (source) =>
      sql`(SELECT max(at) FROM ${source} earlier WHERE machine_id = machine.id AND at <= ${from}::timestamptz)`,
  )
  return sql`s.at >= coalesce(greatest(${sql.join(begins, sql`, `)}), ${from}::timestamptz)`
}

/**
 * Statuses of one machine, newest first; also of a deleted machine. What is stored is read by its index, up to the length
 * of the page.
 * @throws TiebarError `not_found`, `not_owner`, `session_ended`
 */
export async function listStatuses(
  database: Database,
  caller: Caller,
  machineId: number,
  { from, to }: StatusFilter,
  page: SortedPage,
): Promise<Sorted<StatusRow>[]> {
  const conditions = [sql`s.machine_id = machine.id`, isAtLeast(sql`machine.level`, 'viewer'), ...page.conditions('s')]
  if (from) conditions.push(isSince(from))
  if (to) conditions.push(sql`s.at < ${to}::timestamptz`)
  const newest = sql`${page.orderBy('s')} LIMIT ${page.rowLimit}`
  const select = (source: SQL) => sql`(SELECT ${statusColumns.of('s')}, ${page.sortValue('s')} FROM ${source} s
        WHERE ${sql.join(conditions, sql` AND `)} ORDER BY ${newest})`
  type Row = (Sorted<StatusRow> | { at: null }) & { refusal: RoleRefusal | null }
  const rows = await database.query<Row>(
    'list-statuses',
    sql`
    WITH caller AS (${selectCaller(caller)}), machine AS MATERIALIZED (
      SELECT m.id, ${machineLevel('caller', 'm')} AS level FROM caller, machines m WHERE m.id = ${machineId}::bigint
    )
    SELECT ${firstOf(refusalsBelow('viewer', 'machine'))} AS refusal, page.* FROM caller LEFT JOIN machine ON true
      LEFT JOIN LATERAL (
        SELECT * FROM (${select(stored)} UNION ALL ${select(silence)}) s ORDER BY ${newest}
      ) page ON true
    ORDER BY ${page.orderBy('page')}`,
  )
  const { refusal } = requireCaller(rows)
  if (refusal !== null) throw explainRefusal(refusal)
  return rows.filter((row) => row.at !== null)
}
