// Finds out what stands in the way of reports: the site, the role of the caller, and outcomes of unknown jobs.
import { sql } from 'drizzle-orm'
import { requireCaller } from '../../accounts/sql/caller.ts'
import type { Caller } from '../../http/context.ts'
import type { Database } from '../../infra/database.ts'
import { prepare } from '../../infra/prepare.ts'
import { firstOf } from '../../infra/rows.ts'
import type { Hold } from '../../machines/hold.ts'
import { holdFromJson, holdsOf } from '../../machines/sql/hold.ts'
import { explainSiteRefusal } from '../../sites/refusals.ts'
import { type RoleRefusal, refusalsBelow, siteLevel } from '../../sites/sql/role.ts'
import { type InputShape, type ReportInput, type ReportRow, selectInput, toInput } from './report-input.ts'

export type ReportDescription = {
  machine_id: number
  refusal: RoleRefusal | null
  holds: Hold[]
  /** Whether the machine has the job whose outcome it tells. */
  is_outcome_known: boolean
}

type Row = (ReportDescription | { machine_id: null }) & { site_refusal: RoleRefusal | null }

const description = prepare<Caller & ReportInput, InputShape>(
  (value, shape) => sql`
    WITH ${selectInput(value, shape)}, site AS (
      SELECT s.id, ${siteLevel('caller')} AS level FROM caller, sites s
      WHERE s.id = ${value.siteId}::bigint AND s.deleted_at IS NULL
    )
    SELECT input.machine_id,
      CASE WHEN ${value.siteId}::bigint IS NOT NULL THEN ${firstOf(refusalsBelow('manager', 'site'))} END AS site_refusal,
      ${firstOf(refusalsBelow('manager', 'machine'))} AS refusal, ${holdsOf(sql`machine.id`)} AS holds,
      EXISTS (SELECT FROM jobs j WHERE j.id = input.outcome_job_id AND j.machine_id = machine.id) AS is_outcome_known
    FROM caller LEFT JOIN site ON true LEFT JOIN input ON true LEFT JOIN machine ON machine.id = input.machine_id`,
)

export function describeReports(caller: Caller, reports: ReportRow[], siteId: number | null) {
  const [input, shape] = toInput(reports, siteId)
  return description({ ...caller, ...input }, shape)
}

/** @throws TiebarError `session_ended`; `not_found`, `role_too_low` for the site */
export function readDescriptions(rows: Row[]): ReportDescription[] {
  const { site_refusal: refusal } = requireCaller(rows)
  if (refusal !== null) throw explainSiteRefusal(refusal)
  return rows.flatMap((row) => (row.machine_id === null ? [] : [{ ...row, holds: row.holds.map(holdFromJson) }]))
}

/** @throws as `readDescriptions` */
export async function checkReports(
  database: Database,
  caller: Caller,
  reports: ReportRow[],
  siteId: number | null,
): Promise<ReportDescription[]> {
  return readDescriptions(await database.query<Row>('check-reports', describeReports(caller, reports, siteId)))
}
