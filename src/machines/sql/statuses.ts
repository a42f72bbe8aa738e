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
  /** RFC 3339. The status that the machine had at this time is the first one. */
  from?: string | undefined
  /** Exclusive, RFC 3339. */
  to?: string | undefined
}

/** A query: the statuses of `machine`. That its reports have stopped is stored when the next one arrives. */
const history = sql`(
        SELECT status, source, at FROM machine_statuses WHERE machine_id = machine.id
        UNION ALL ${selectSilence(sql`machine.id`)}
      )`

function conditionsOf({ from, to }: StatusFilter, page: SortedPage): SQL[] {
  const conditions = [isAtLeast(sql`machine.level`, 'viewer'), ...page.conditions('s')]
  if (from) {
    const before = sql`SELECT max(at) FROM ${history} earlier WHERE at <= ${from}::timestamptz`
    conditions.push(sql`s.at >= coalesce((${before}), ${from}::timestamptz)`)
  }
  if (to) conditions.push(sql`s.at < ${to}::timestamptz`)
  return conditions
}

/**
 * Statuses of one machine, newest first; also of a deleted machine.
 * @throws TiebarError `not_found`, `not_owner`, `session_ended`
 */
export async function listStatuses(
  database: Database,
  caller: Caller,
  machineId: number,
  filter: StatusFilter,
  page: SortedPage,
): Promise<Sorted<StatusRow>[]> {
  type Row = (Sorted<StatusRow> | { at: null }) & { refusal: RoleRefusal | null }
  const rows = await database.query<Row>(
    'list-statuses',
    sql`
    WITH caller AS (${selectCaller(caller)}), machine AS MATERIALIZED (
      SELECT m.id, ${machineLevel('caller', 'm')} AS level FROM caller, machines m WHERE m.id = ${machineId}::bigint
    )
    SELECT ${firstOf(refusalsBelow('viewer', 'machine'))} AS refusal, page.* FROM caller LEFT JOIN machine ON true
      LEFT JOIN LATERAL (
        SELECT ${statusColumns.of('s')}, ${page.sortValue('s')} FROM ${history} s
        WHERE ${sql.join(conditionsOf(filter, page), sql` AND `)}
        ORDER BY ${page.orderBy('s')} LIMIT ${page.rowLimit}
      ) page ON true
    ORDER BY ${page.orderBy('page')}`,
  )
  const { refusal } = requireCaller(rows)
  if (refusal !== null) throw explainRefusal(refusal)
  return rows.filter((row) => row.at !== null)
}
