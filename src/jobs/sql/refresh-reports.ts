// Stores the reports that change only counters: one narrow write for each, without the lock of its machine.
import { sql } from 'drizzle-orm'
import { selectCaller } from '../../accounts/sql/caller.ts'
import type { Caller } from '../../http/context.ts'
import type { Database } from '../../infra/database.ts'
import { prepare } from '../../infra/prepare.ts'
import { asynchronousCommitRow } from '../../infra/settings.ts'
import type { Hold } from '../../machines/hold.ts'
import { holdFromJson, holdsOf } from '../../machines/sql/hold.ts'
import { isFresh } from '../../machines/sql/report.ts'
import { isAtLeast, machineLevel } from '../../sites/sql/role.ts'
import { now } from './fragments.ts'
import {
  columnsOf,
  type InputShape,
  isInPlace,
  type ReportInput,
  type ReportRow,
  selectReports,
  shown,
  toInput,
} from './report-input.ts'

/**
 * PostgreSQL decides again about a row that another report has changed meanwhile. The commit is asynchronous: the next report
 * brings what a crash loses.
 */
const refreshing = prepare<Caller & ReportInput, InputShape>(
  (value, shape) => sql`
    WITH caller AS MATERIALIZED (${selectCaller(value)})
    UPDATE machine_reports r SET seq = input.seq, at = ${now}, cycles = input.cycles, last_cycle_ms = input.last_cycle_ms
    FROM (${selectReports(value, shape)}) input, caller, machines m, ${sql.raw(asynchronousCommitRow)}
    WHERE m.id = input.machine_id AND m.deleted_at IS NULL AND ${isInPlace(value)} AND r.machine_id = m.id
      AND ${isAtLeast(machineLevel('caller', 'm'), 'manager')}
      AND r.boot_id = input.boot_id AND r.seq < input.seq AND ${isFresh} AND input.outcome_job_id IS NULL
      AND m.last_sequence = m.confirmed_sequence AND m.status = input.status AND m.status_source = 'report'
      AND (${columnsOf('r', shown)}) IS NOT DISTINCT FROM (${columnsOf('input', shown)})
    RETURNING r.machine_id, ${holdsOf(sql`r.machine_id`)} AS holds`,
)

/** @returns the holds of each machine whose report is stored; the others need `storeReports` */
export async function refreshReports(
  database: Database,
  caller: Caller,
  reports: ReportRow[],
  siteId: number | null,
): Promise<Map<number, Hold[]>> {
  const [input, shape] = toInput(reports, siteId)
  type Row = { machine_id: number; holds: Hold[] }
  const rows = await database.query<Row>('refresh-reports', refreshing({ ...caller, ...input }, shape))
  return new Map(rows.map(({ machine_id, holds }) => [machine_id, holds.map(holdFromJson)]))
}
