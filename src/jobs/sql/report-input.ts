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

/** PostgreSQL's types of these columns. */
const types = {
  machine_id: 'bigint',
  boot_id: 'text',
  seq: 'bigint',
  status: 'text',
  mode: 'text',
  remote_enabled: 'boolean',
  cycles: 'bigint',
  last_cycle_ms: 'integer',
  alarm_code: 'text',
  alarm_text: 'text',
  interval_seconds: 'integer',
  outcome_job_id: 'uuid',
} satisfies Record<keyof ReportRow, string>
const names = Object.keys(types) as (keyof ReportRow)[] // Object.keys returns string[]

/** What changes the revision of the machine; the counters do not. */
export const shown = ['status', 'mode', 'remote_enabled', 'alarm_code', 'alarm_text', 'interval_seconds']
export const columnsOf = (alias: string, names: string[]) => sql.raw(names.map((name) => `${alias}.${name}`).join(', '))

const stored = ['boot_id', 'seq', ...shown, 'cycles', 'last_cycle_ms']
export const reportColumns = sql.raw(stored.join(', '))
export const reportSettings = sql.raw(stored.map((name) => `${name} = excluded.${name}`).join(', '))

/** Reading one report from JSON would take PostgreSQL as long as all the rest of its statement. */
export type InputShape = 'one' | 'many'

/** `siteId`: the site in which all machines must be; null for any. `reports`: JSON, for the shape `many`. */
export type ReportInput = { siteId: number | null; reports: string | null } & {
  [Name in keyof ReportRow]: ReportRow[Name] | null
}

/** The values of these reports, and the shape of the statement that takes them. */
export function toInput(reports: ReportRow[], siteId: number | null): [ReportInput, InputShape] {
  const [first, ...more] = reports
  if (first && more.length === 0) return [{ ...first, siteId, reports: null }, 'one']
  const none = Object.fromEntries(names.map((name) => [name, null])) as Record<keyof ReportRow, null> // it has every name
  return [{ ...none, siteId, reports: JSON.stringify(reports) }, 'many']
}

/** A query: the reports, in any order. */
export function selectReports(value: Bindable<ReportInput>, shape: InputShape): SQL {
  if (shape === 'many') {
    const columns = sql.raw(names.map((name) => `${name} ${types[name]}`).join(', '))
    return sql`SELECT * FROM jsonb_to_recordset(${value.reports}::jsonb) AS input (${columns})`
  }
  return sql`SELECT ${sql.join(
    names.map((name) => sql`${value[name]}::${sql.raw(types[name])} AS ${sql.raw(name)}`),
    sql`, `,
  )}`
}

/** A condition: the machine `m` is in the site of the request, if that is one for a site. */
export function isInPlace(value: Bindable<ReportInput>): SQL {
  return sql`m.site_id IS NOT DISTINCT FROM coalesce(${value.siteId}::bigint, m.site_id)`
}

/** CTEs: the caller, the reports as `input`, and their machines as `machine`, with the level of the caller. */
export function selectInput(value: Bindable<Caller> & Bindable<ReportInput>, shape: InputShape): SQL {
  return sql`caller AS (${selectCaller(value)}),
    input AS MATERIALIZED (${selectReports(value, shape)}),
    machine AS MATERIALIZED (
      SELECT m.*, ${machineLevel('caller', 'm')} AS level FROM caller, input JOIN machines m ON m.id = input.machine_id
      WHERE m.deleted_at IS NULL AND ${isInPlace(value)}
    )`
}
