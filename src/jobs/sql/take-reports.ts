// Takes reports: stores those that change only counters, each with one narrow write and without the lock of its machine.
import { sql } from 'drizzle-orm'
import { requireCaller } from '../../accounts/sql/caller.ts'
import type { Caller } from '../../http/context.ts'
import type { Database } from '../../infra/database.ts'
import { prepare } from '../../infra/prepare.ts'
import { firstOf } from '../../infra/rows.ts'
import type { Hold } from '../../machines/hold.ts'
import { holdColumns, holdFromJson, isInForce } from '../../machines/sql/hold.ts'
import { isFresh } from '../../machines/sql/report.ts'
import { explainSiteRefusal } from '../../sites/refusals.ts'
import { isAtLeast, type RoleRefusal, refusalsBelow, siteLevel } from '../../sites/sql/role.ts'
import { now } from './fragments.ts'
import { columnsOf, type ReportInput, type ReportRow, selectInput, shown, toInput } from './report-input.ts'

/**
 * `stored`: only counters had changed, and the report is stored without the lock of the machine · `ignored`: it comes from
 * the boot before the present one, or is not newer than the last report, and there is nothing to fetch · `open`: it must be
 * stored under the lock.
 */
type Effect = 'stored' | 'ignored' | 'open'

type TakenRow = {
  n: number | null
  site_refusal: RoleRefusal | null
  refusal: RoleRefusal | null
  effect: Effect
  holds: Hold[]
  is_outcome_known: boolean
}

/** One narrow write for each report that changes only counters. It is decided again for a row that another report has changed. */
const taking = prepare<Caller & ReportInput, 'site' | 'machine'>((value, place) => {
  const site =
    place === 'machine'
      ? sql`SELECT NULL::bigint AS id`
      : sql`SELECT s.id, ${siteLevel('caller')} AS level FROM caller, sites s WHERE s.id = ${value.siteId}::bigint AND s.deleted_at IS NULL`
  return sql`
    WITH ${selectInput(value)},
    site AS (${site}),
    stored AS (
      UPDATE machine_reports r SET seq = input.seq, at = ${now}, cycles = input.cycles, last_cycle_ms = input.last_cycle_ms
      FROM input JOIN machine ON machine.id = input.machine_id
      WHERE r.machine_id = machine.id AND ${isAtLeast(sql`machine.level`, 'manager')}
        AND r.boot_id = input.boot_id AND r.seq < input.seq AND ${isFresh} AND input.outcome_job_id IS NULL
        AND machine.last_sequence = machine.confirmed_sequence
        AND machine.status = input.status AND machine.status_source = 'report'
        AND (${columnsOf('r', shown)}) IS NOT DISTINCT FROM (${columnsOf('input', shown)})
      RETURNING r.machine_id
    )
    SELECT input.n, ${firstOf(refusalsBelow('manager', 'machine'))} AS refusal,
      ${place === 'machine' ? sql`NULL` : firstOf(refusalsBelow('manager', 'site'))} AS site_refusal,
      CASE WHEN stored.machine_id IS NOT NULL THEN 'stored' WHEN r.previous_boot_id = input.boot_id THEN 'ignored'
        WHEN r.boot_id = input.boot_id AND r.seq >= input.seq AND input.outcome_job_id IS NULL
          AND machine.last_sequence = machine.confirmed_sequence THEN 'ignored'
        ELSE 'open' END AS effect,
      (SELECT coalesce(jsonb_agg(item ORDER BY item.id), '[]') FROM (
        SELECT ${holdColumns} FROM holds h WHERE h.machine_id = machine.id AND ${isInForce}) item) AS holds,
      EXISTS (SELECT FROM jobs j WHERE j.id = input.outcome_job_id AND j.machine_id = machine.id) AS is_outcome_known
    FROM caller LEFT JOIN site ON true LEFT JOIN input ON true LEFT JOIN machine ON machine.id = input.machine_id
      LEFT JOIN stored ON stored.machine_id = machine.id LEFT JOIN machine_reports r ON r.machine_id = machine.id
    ORDER BY input.n`
})

export type TakenReport = Omit<TakenRow, 'n' | 'site_refusal'>

/**
 * Stores the reports that change only counters, and tells which must be stored by `storeReports`.
 * @param siteId the site in which all machines must be; null for any
 * @throws TiebarError `session_ended`; `not_found`, `role_too_low` for the site
 */
export async function takeReports(
  database: Database,
  caller: Caller,
  reports: ReportRow[],
  siteId: number | null,
): Promise<TakenReport[]> {
  const place = siteId === null ? 'machine' : 'site'
  const statement = taking({ ...caller, ...toInput(reports, siteId) }, place)
  const rows = await database.query<TakenRow>('take-reports', statement)
  const { site_refusal: refusal } = requireCaller(rows)
  if (refusal !== null) throw explainSiteRefusal(refusal)
  return rows.flatMap((row) => (row.n === null ? [] : [{ ...row, holds: row.holds.map(holdFromJson) }]))
}
