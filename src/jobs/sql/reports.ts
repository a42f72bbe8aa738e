// Stores what machines report, and what it says about their jobs.
import { type SQL, sql } from 'drizzle-orm'
import { requireCaller, selectCaller } from '../../accounts/sql/caller.ts'
import type { Caller } from '../../http/context.ts'
import type { Database } from '../../infra/database.ts'
import { type Bindable, prepare } from '../../infra/prepare.ts'
import { constantSql, firstOf, sqlList } from '../../infra/rows.ts'
import type { Hold } from '../../machines/hold.ts'
import type { MachineStatus } from '../../machines/machine.ts'
import type { MachineMode } from '../../machines/report.ts'
import { lockMachines } from '../../machines/sql/fragments.ts'
import { holdColumns, holdFromJson, isInForce } from '../../machines/sql/hold.ts'
import { isFresh } from '../../machines/sql/report.ts'
import { isAtLeast, machineLevel, type RoleRefusal, refusalsBelow } from '../../sites/sql/role.ts'
import { confirmSeconds, openStates, settleSeconds } from '../job.ts'
import { type FetchedRow, fetchCommands } from './claim.ts'
import { byCommand, type JobRow, jobColumns, now, numberLiteral } from './fragments.ts'

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
const shown = ['status', 'mode', 'remote_enabled', 'alarm_code', 'alarm_text', 'interval_seconds']
const columnsOf = (alias: string, names: string[]) => sql.raw(names.map((name) => `${alias}.${name}`).join(', '))

const stored = ['boot_id', 'seq', ...shown, 'cycles', 'last_cycle_ms']
const reportColumns = sql.raw(stored.join(', '))
const reportSettings = sql.raw(stored.map((name) => `${name} = excluded.${name}`).join(', '))

/** CTEs: the caller, the reports as `input`, and their machines as `machine`, if the caller may see them. */
function selectInput(value: Bindable<Caller> & Bindable<Values>): SQL {
  return sql`caller AS (${selectCaller(value)}),
    input AS MATERIALIZED (SELECT * FROM jsonb_to_recordset(${value.reports}::jsonb) AS input (${inputColumns})),
    machine AS MATERIALIZED (
      SELECT m.*, ${machineLevel('caller', 'm')} AS level FROM caller, input JOIN machines m ON m.id = input.machine_id
      WHERE m.deleted_at IS NULL AND m.site_id IS NOT DISTINCT FROM coalesce(${value.siteId}::bigint, m.site_id)
    )`
}

/** `siteId`: the site in which all machines must be; null for any. */
type Values = { reports: string; siteId: number | null }

/**
 * `stored`: only counters had changed, and the report is stored without the lock of the machine · `superseded`: it comes
 * from a start of the controller's program before the present one, and is ignored · `open`: it must be stored under the lock.
 */
type Effect = 'stored' | 'superseded' | 'open'

type TakenRow = {
  n: number
  refusal: RoleRefusal | null
  effect: Effect
  holds: Hold[]
  is_outcome_known: boolean
}

/** One narrow write for each report that changes only counters. It is decided again for a row that another report has changed. */
const taking = prepare<Caller & Values>(
  (value) => sql`
    WITH ${selectInput(value)},
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
      CASE WHEN stored.machine_id IS NOT NULL THEN 'stored' WHEN r.previous_boot_id = input.boot_id THEN 'superseded'
        ELSE 'open' END AS effect,
      (SELECT coalesce(jsonb_agg(item ORDER BY item.id), '[]') FROM (
        SELECT ${holdColumns} FROM holds h WHERE h.machine_id = machine.id AND ${isInForce}) item) AS holds,
      EXISTS (SELECT FROM jobs j WHERE j.id = input.outcome_job_id AND j.machine_id = machine.id) AS is_outcome_known
    FROM caller CROSS JOIN input LEFT JOIN machine ON machine.id = input.machine_id
      LEFT JOIN stored ON stored.machine_id = machine.id LEFT JOIN machine_reports r ON r.machine_id = machine.id
    ORDER BY input.n`,
)

export type TakenReport = Omit<TakenRow, 'n'>

/**
 * Stores the reports that change only counters, and tells which must be stored by `storeReports`.
 * @throws TiebarError `session_ended`
 */
export async function takeReports(
  database: Database,
  caller: Caller,
  reports: ReportRow[],
  siteId: number | null,
): Promise<TakenReport[]> {
  const rows = await database.query<TakenRow>('take-reports', taking({ ...caller, reports: toInput(reports), siteId }))
  requireCaller(rows)
  return rows.map((row) => ({ ...row, holds: row.holds.map(holdFromJson) }))
}

function toInput(reports: ReportRow[]): string {
  return JSON.stringify(reports.map((report, n) => ({ n, ...report })))
}

/** What a report says about the newest job of the machine that was sent. `await`: nothing yet. */
type Verdict = 'confirm' | 'settle' | 'note_unconfirmed' | 'await'

const isOpen = sql`j.state IN (${sqlList(openStates)})`
const isConfirmed = sql`(j.confirmed_at IS NOT NULL OR ${byCommand(({ confirmedIn }) => sql`j.reported IN (${sqlList(confirmedIn)})`)})`
/** Nobody knows whether the command was executed. `unreachable`: it certainly was not. */
const isUnknown = sql`(j.result = 'INTERNALFAILED' AND j.reason <> 'unreachable')`
const endedWithin = (seconds: number) => sql`j.finished_at > ${now} - interval '${numberLiteral(seconds)} seconds'`

/** The `Verdict` about a job `j` with the status `reported`; NULL: the report says nothing about it. */
export const verdict: SQL = constantSql(
  firstOf<Verdict>([
    [sql`${isOpen} AND ${isConfirmed} AND j.confirmed_at IS NULL`, 'confirm'],
    [isOpen, 'await'],
    [sql`j.state = 'SUCCEEDED' AND j.confirmed_at IS NULL AND ${isConfirmed}`, 'confirm'],
    [sql`j.state = 'SUCCEEDED' AND j.confirmed_at IS NULL AND ${endedWithin(confirmSeconds)}`, 'await'],
    [sql`j.state = 'SUCCEEDED' AND j.confirmed_at IS NULL`, 'note_unconfirmed'],
    [sql`${isUnknown} AND ${isConfirmed}`, 'settle'],
    [sql`${isUnknown} AND ${endedWithin(settleSeconds)}`, 'await'],
  ]),
)

/** Only jobs of this time are looked at. Longer than a command may be on its way, and its outcome unknown. */
const judgedWithin = sql.raw("interval '1 hour'")

const storing = prepare<Caller & Values>(
  (value) => sql`
    WITH ${selectInput(value)},
    accepted AS (
      SELECT input.*, (${columnsOf('r', shown)}) IS DISTINCT FROM (${columnsOf('input', shown)}) AS is_changed
      FROM input JOIN machine ON machine.id = input.machine_id AND ${isAtLeast(sql`machine.level`, 'manager')}
        LEFT JOIN machine_reports r ON r.machine_id = machine.id
      WHERE r.machine_id IS NULL OR (r.boot_id = input.boot_id AND r.seq < input.seq)
        OR (r.boot_id <> input.boot_id AND r.previous_boot_id IS DISTINCT FROM input.boot_id)
    ),
    stored AS (
      INSERT INTO machine_reports AS r (machine_id, at, ${reportColumns})
      SELECT machine_id, ${now}, ${reportColumns} FROM accepted
      ON CONFLICT (machine_id) DO UPDATE SET at = excluded.at, ${reportSettings},
        previous_boot_id = CASE WHEN r.boot_id = excluded.boot_id THEN r.previous_boot_id ELSE r.boot_id END
      WHERE r.boot_id <> excluded.boot_id OR r.seq < excluded.seq
      RETURNING r.machine_id, r.status
    ),
    newest AS (
      SELECT DISTINCT ON (j.machine_id) j.*, stored.status AS reported
      FROM stored JOIN machine ON machine.id = stored.machine_id
        JOIN jobs j ON j.machine_id = machine.id AND j.requested_at > ${now} - ${judgedWithin}
      WHERE j.sequence > machine.confirmed_sequence AND j.sent_at IS NOT NULL
      ORDER BY j.machine_id, j.sequence DESC
    ),
    judged AS (SELECT j.*, ${verdict} AS verdict FROM newest j),
    changed AS (
      UPDATE jobs SET version = jobs.version + 1,
        confirmed_at = CASE WHEN verdict = 'note_unconfirmed' THEN NULL ELSE coalesce(jobs.confirmed_at, ${now}) END,
        state = CASE WHEN verdict = 'settle' THEN 'SUCCEEDED' ELSE jobs.state END,
        result = CASE WHEN verdict = 'settle' THEN 'SUCCESS' ELSE jobs.result END,
        reason = CASE WHEN verdict = 'settle' THEN NULL ELSE jobs.reason END,
        finished_at = CASE WHEN verdict = 'settle' THEN ${now} ELSE jobs.finished_at END
      FROM judged WHERE jobs.id = judged.id AND verdict IN ('confirm', 'settle', 'note_unconfirmed')
      RETURNING jobs.*, verdict
    ),
    events AS (
      INSERT INTO job_events (job_id, version, state, at, attempt, by, reason)
      SELECT id, version, state, ${now}, nullif(attempts, 0), 'machine',
        CASE WHEN verdict = 'note_unconfirmed' THEN 'unconfirmed' ELSE 'confirmed' END
      FROM changed
    ),
    machines_of_stored AS (
      UPDATE machines m SET status = after.status, status_source = 'report',
        status_at = CASE WHEN m.status = after.status THEN m.status_at ELSE ${now} END,
        updated_at = CASE WHEN after.is_changed THEN ${now} ELSE m.updated_at END,
        revision = m.revision + CASE WHEN after.is_changed THEN 1 ELSE 0 END,
        confirmed_sequence = least(m.last_sequence, after.first_open - 1, after.first_awaited - 1)
      FROM (
        SELECT stored.machine_id, stored.status, judged.first_awaited,
          accepted.is_changed OR machine.status <> stored.status OR machine.status_source <> 'report' AS is_changed,
          (SELECT min(sequence) FROM jobs j WHERE j.machine_id = stored.machine_id AND ${isOpen}) AS first_open
        FROM stored JOIN accepted ON accepted.machine_id = stored.machine_id
          JOIN machine ON machine.id = stored.machine_id
          LEFT JOIN LATERAL (
            SELECT sequence AS first_awaited FROM judged
            WHERE judged.machine_id = stored.machine_id AND verdict = 'await'
          ) judged ON true
      ) after
      WHERE m.id = after.machine_id
    )
    SELECT ${jobColumns.of('changed')} FROM changed`,
)

export type StoredReports = {
  /** The jobs that the reports have confirmed or settled. */
  confirmed: JobRow[]
  machines: FetchedRow[]
}

/**
 * Stores reports under the locks of their machines, and then begins an attempt of the open job of each machine that
 * fetches its commands: in this order, so that a machine which has begun to run by itself is not started.
 */
export async function storeReports(
  database: Database,
  caller: Caller,
  reports: ReportRow[],
  siteId: number | null,
): Promise<StoredReports> {
  const machineIds = reports.map(({ machine_id }) => machine_id)
  const [, confirmed, machines] = await database.batchAll<[{ id: number }[], JobRow[], FetchedRow[]]>('store-reports', [
    lockMachines(caller, machineIds, 'manager'),
    storing({ ...caller, reports: toInput(reports), siteId }),
    fetchCommands({ ...caller, machineIds }),
  ])
  return { confirmed, machines: machines.map(toFetched) }
}

/** Begins an attempt of the open job of a machine that has waited for one. */
export async function fetchCommand(
  database: Database,
  caller: Caller,
  machineId: number,
): Promise<FetchedRow | undefined> {
  const statements = [
    lockMachines(caller, [machineId], 'manager'),
    fetchCommands({ ...caller, machineIds: [machineId] }),
  ]
  const [locked, [row]] = await database.batchAll<[{ id: number }[], FetchedRow[]]>('fetch-command', statements)
  return locked.length === 0 || row === undefined ? undefined : toFetched(row)
}

function toFetched({ command, changed, ...row }: FetchedRow): FetchedRow {
  return { ...row, command: command && jobColumns.fromJson(command), changed: changed.map(jobColumns.fromJson) }
}
