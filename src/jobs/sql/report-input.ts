// Reports as the input of a statement, and what two of them share.
import { type SQL, sql } from 'drizzle-orm'
import { selectCaller } from '../../accounts/sql/caller.ts'
import type { Caller } from '../../http/context.ts'
import type { Bindable } from '../../infra/prepare.ts'
import type { MachineStatus } from '../../machines/machine.ts'
import type { MachineMode } from '../../machines/report.ts'
import { machineLevel } from '../../sites/sql/role.ts'

/** A report as it is stored. Null where the machine does not say. */
export type ReportRow = {
  machine_id: number
  boot_id: string
  seq: number
  status: MachineStatus
  mode: MachineMode | null
  remote_enabled: boolean | null
  cycles: number | null
  last_cycle_ms: number | null
  alarm_code: string | null
  alarm_text: string | null
  interval_seconds: number
  /** The job of which the machine tells the outcome. */
  outcome_job_id: string | null
}

const inputColumns = sql.raw(`n integer, machine_id bigint, boot_id text, seq bigint, status text, mode text,
      remote_enabled boolean, cycles bigint, last_cycle_ms integer, alarm_code text, alarm_text text,
      interval_seconds integer, outcome_job_id uuid`)
/** What changes the revision of the machine; the counters do not. */
export const shown = ['status', 'mode', 'remote_enabled', 'alarm_code', 'alarm_text', 'interval_seconds']
export const columnsOf = (alias: string, names: string[]) => sql.raw(names.map((name) => `${alias}.${name}`).join(', '))

const stored = ['boot_id', 'seq', ...shown, 'cycles', 'last_cycle_ms']
export const reportColumns = sql.raw(stored.join(', '))
export const reportSettings = sql.raw(stored.map((name) => `${name} = excluded.${name}`).join(', '))

/** CTEs: the caller, the reports as `input`, and their machines as `machine`, if the caller may see them. */
export function selectInput(value: Bindable<Caller> & Bindable<ReportInput>): SQL {
  return sql`caller AS (${selectCaller(value)}),
    input AS MATERIALIZED (SELECT * FROM jsonb_to_recordset(${value.reports}::jsonb) AS input (${inputColumns})),
    machine AS MATERIALIZED (
      SELECT m.*, ${machineLevel('caller', 'm')} AS level FROM caller, input JOIN machines m ON m.id = input.machine_id
      WHERE m.deleted_at IS NULL AND m.site_id IS NOT DISTINCT FROM coalesce(${value.siteId}::bigint, m.site_id)
    )`
}

/** `siteId`: the site in which all machines must be; null for any. */
export type ReportInput = { reports: string; siteId: number | null }

export function toInput(reports: ReportRow[], siteId: number | null): ReportInput {
  return { reports: JSON.stringify(reports.map((report, n) => ({ n, ...report }))), siteId }
}
