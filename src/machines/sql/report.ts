// SQL fragments on the reports of machines, which several statements share.
import { type SQL, sql } from 'drizzle-orm'
import { isKeyValid } from '../../accounts/sql/caller.ts'
import { constantSql } from '../../infra/rows.ts'
import { toRfc3339 } from '../../kernel/time.ts'
import { freshIntervals, type Reported } from '../report.ts'

/** A condition: the report `r` is fresh. */
export const isFresh: SQL = sql.raw(
  `r.at > statement_timestamp() - make_interval(secs => ${freshIntervals} * r.interval_seconds)`,
)

/** A query: since when the status of each machine that has stopped reporting is unknown, like rows of `machine_statuses`. */
export const selectSilence: SQL = constantSql(sql`SELECT r.machine_id, NULL AS status, 'report' AS source,
        r.at + make_interval(secs => ${sql.raw(String(freshIntervals))} * r.interval_seconds) AS at
        FROM machine_reports r WHERE NOT ${isFresh}`)

/** A condition: the machine has a fresh report that meets a condition on `r`. */
export function hasFreshReport(machineId: SQL, condition: SQL = sql`true`): SQL {
  return sql`EXISTS (SELECT FROM machine_reports r WHERE r.machine_id = ${machineId} AND ${isFresh} AND ${condition})`
}

/** An expression: the status in the fresh report of a machine; NULL without one. */
export function freshStatus(machineId: SQL): SQL {
  return sql`(SELECT r.status FROM machine_reports r WHERE r.machine_id = ${machineId} AND ${isFresh})`
}

/** A condition: the key `k` is valid, and for the reports of this machine. */
function isReportKey(machine: string): SQL {
  return sql`(${sql.raw(`k.machine_id = ${machine}.id OR k.site_id = ${machine}.site_id`)})
      AND 'report' = ANY (k.scopes) AND ${isKeyValid}`
}

/** A condition: some program has a key with which it can report for this machine. @param machine the alias of its row */
export function hasReportKey(machine: string): SQL {
  return constantSql(sql`EXISTS (
    SELECT FROM keys k JOIN accounts a ON a.id = k.account_id AND a.is_active WHERE ${isReportKey(machine)})`)
}

/** A condition: the machine reports, but its last report is too old to say anything about now. */
export function isStale(machine: string): SQL {
  const machineId = sql.raw(`${machine}.id`)
  return sql`(EXISTS (SELECT FROM machine_reports r WHERE r.machine_id = ${machineId} AND NOT ${isFresh})
    AND ${hasReportKey(machine)})`
}

/** A condition: the machine says that it takes no commands from afar. */
export function isRemoteDisabled(machine: string): SQL {
  return hasFreshReport(sql.raw(`${machine}.id`), sql`r.remote_enabled = false`)
}

/**
 * How commands reach the machine `m`: see `deliveries`. Whether the account of the key is active is left out, because lists show
 * this of every machine. The admission of a command asks it.
 */
export const delivery: SQL = constantSql(
  sql`CASE WHEN m.controller_url IS NULL AND EXISTS (SELECT FROM keys k WHERE ${isReportKey('m')}) THEN 'pull' ELSE 'push' END`,
)

/** An expression: the last report of the machine `m` as JSON, or NULL. */
export const reported: SQL = constantSql(sql`(
      SELECT jsonb_build_object('status', r.status, 'mode', r.mode, 'remote_enabled', r.remote_enabled, 'cycles', r.cycles,
        'last_cycle_ms', r.last_cycle_ms,
        'alarm', CASE WHEN r.alarm_code IS NOT NULL THEN jsonb_build_object('code', r.alarm_code, 'text', r.alarm_text) END,
        'at', r.at, 'is_fresh', ${isFresh}, 'interval_seconds', r.interval_seconds)
      FROM machine_reports r WHERE r.machine_id = m.id)`)

/** Converts the time in what `reported` returns. */
export function toReported(report: Reported | null): Reported | null {
  return report && { ...report, at: toRfc3339(report.at) }
}
