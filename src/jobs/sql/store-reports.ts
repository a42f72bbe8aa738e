// Stores reports under the locks of their machines, and what they say about the jobs of these machines.
import { sql } from 'drizzle-orm'
import type { Caller } from '../../http/context.ts'
import type { Database } from '../../infra/database.ts'
import { prepare } from '../../infra/prepare.ts'
import type { ChangedMachine } from '../../machines/feed.ts'
import { lockMachines } from '../../machines/sql/fragments.ts'
import { isFresh } from '../../machines/sql/report.ts'
import { isAtLeast } from '../../sites/sql/role.ts'
import { type FetchedRow, fetchCommands } from './claim.ts'
import { describeReports, type ReportDescription, readDescriptions } from './describe-reports.ts'
import { type ChangedJob, jobColumns, now } from './fragments.ts'
import { isOpen, reportEffect } from './report-effect.ts'
import {
  columnsOf,
  type InputShape,
  type ReportInput,
  type ReportRow,
  reportColumns,
  reportSettings,
  selectInput,
  shown,
  toInput,
} from './report-input.ts'

/** Only jobs of this time are looked at. Longer than a command may be on its way, and its outcome unknown. */
const affectedWithin = sql.raw("interval '1 hour'")

const storing = prepare<Caller & ReportInput, InputShape>(
  (value, shape) => sql`
    WITH ${selectInput(value, shape)},
    accepted AS (
      SELECT input.*, (${columnsOf('r', shown)}) IS DISTINCT FROM (${columnsOf('input', shown)}) AS is_changed,
        ${isFresh} IS NOT TRUE AS was_stale
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
        JOIN jobs j ON j.machine_id = machine.id AND j.requested_at > ${now} - ${affectedWithin}
      WHERE j.sequence > machine.confirmed_sequence AND j.sent_at IS NOT NULL
      ORDER BY j.machine_id, j.sequence DESC
    ),
    affected AS (SELECT j.*, ${reportEffect} AS effect FROM newest j),
    changed AS (
      UPDATE jobs SET version = jobs.version + 1,
        confirmed_at = CASE WHEN effect = 'note_unconfirmed' THEN NULL ELSE coalesce(jobs.confirmed_at, ${now}) END,
        state = CASE WHEN effect = 'settle' THEN 'SUCCEEDED' ELSE jobs.state END,
        result = CASE WHEN effect = 'settle' THEN 'SUCCESS' ELSE jobs.result END,
        reason = CASE WHEN effect = 'settle' THEN NULL ELSE jobs.reason END,
        finished_at = CASE WHEN effect = 'settle' THEN ${now} ELSE jobs.finished_at END
      FROM affected WHERE jobs.id = affected.id AND effect IN ('confirm', 'settle', 'note_unconfirmed')
      RETURNING jobs.*, effect
    ),
    events AS (
      INSERT INTO job_events (job_id, version, state, at, attempt, by, reason)
      SELECT id, version, state, ${now}, nullif(attempts, 0), 'machine',
        CASE WHEN effect = 'note_unconfirmed' THEN 'unconfirmed' ELSE 'confirmed' END
      FROM changed
    ),
    machines_of_stored AS (
      UPDATE machines m SET status = after.status, status_source = 'report',
        status_at = CASE WHEN m.status = after.status THEN m.status_at ELSE ${now} END,
        updated_at = CASE WHEN after.is_changed THEN ${now} ELSE m.updated_at END,
        revision = m.revision + CASE WHEN after.is_changed THEN 1 ELSE 0 END,
        confirmed_sequence = least(m.last_sequence, after.first_open - 1, after.first_awaited - 1)
      FROM (
        SELECT stored.machine_id, stored.status, awaited.first_awaited, accepted.was_stale,
          accepted.is_changed OR machine.status <> stored.status OR machine.status_source <> 'report' AS is_changed,
          (SELECT min(sequence) FROM jobs j WHERE j.machine_id = stored.machine_id AND ${isOpen}) AS first_open
        FROM stored JOIN accepted ON accepted.machine_id = stored.machine_id
          JOIN machine ON machine.id = stored.machine_id
          LEFT JOIN LATERAL (
            SELECT sequence AS first_awaited FROM affected
            WHERE affected.machine_id = stored.machine_id AND effect = 'await'
          ) awaited ON true
      ) after
      WHERE m.id = after.machine_id
      RETURNING m.id, m.owner_id, m.site_id, CASE WHEN after.is_changed OR after.was_stale THEN m.revision END AS revision
    )
    SELECT ${jobColumns.of('changed')}, m.id AS changed_machine_id, m.owner_id, m.site_id, m.revision
    FROM machines_of_stored m LEFT JOIN changed ON changed.machine_id = m.id
    WHERE m.revision IS NOT NULL OR changed.id IS NOT NULL`,
)

/** A machine that has changed or is fresh again, a job of it that has changed, or both. */
type StoredRow = (ChangedJob | { id: null; site_id: number | null; revision: number | null }) & {
  changed_machine_id: number
  owner_id: number
}

export type StoredReports = {
  descriptions: ReportDescription[]
  /** The jobs that the reports have confirmed or settled. */
  confirmed: ChangedJob[]
  /** The machines that have changed or are fresh again, but for those of these jobs. */
  changed: ChangedMachine[]
  machines: FetchedRow[]
}

/**
 * Stores reports under the locks of their machines, and then begins an attempt of the open job of each machine that
 * fetches its commands: in this order, so that a machine which has begun to run by itself is not started.
 * @throws TiebarError `session_ended`; `not_found`, `role_too_low` for the site
 */
export async function storeReports(
  database: Database,
  caller: Caller,
  reports: ReportRow[],
  siteId: number | null,
): Promise<StoredReports> {
  const machineIds = reports.map(({ machine_id }) => machine_id)
  const [input, shape] = toInput(reports, siteId)
  type Results = [{ id: number }[], Parameters<typeof readDescriptions>[0], StoredRow[], FetchedRow[]]
  const [, described, stored, machines] = await database.batchAll<Results>('store-reports', [
    lockMachines(caller, machineIds, 'manager'),
    describeReports(caller, reports, siteId),
    storing({ ...caller, ...input }, shape),
    fetchCommands({ ...caller, ...toAsking(reports) }, 'new'),
  ])
  const confirmed = stored.filter((row) => row.id !== null)
  const changed = stored.flatMap((row) => {
    const { id, changed_machine_id, owner_id, site_id, revision } = row
    return id !== null || revision === null ? [] : [{ id: changed_machine_id, owner_id, site_id, revision }]
  })
  return { descriptions: readDescriptions(described), confirmed, changed, machines: machines.map(toFetched) }
}

/** Begins an attempt of the open job of a machine that has waited for one. */
export async function fetchCommand(
  database: Database,
  caller: Caller,
  report: Asking,
): Promise<FetchedRow | undefined> {
  const statements = [
    lockMachines(caller, [report.machine_id], 'manager'),
    fetchCommands({ ...caller, ...toAsking([report]) }, 'held'),
  ]
  const [locked, [row]] = await database.batchAll<[{ id: number }[], FetchedRow[]]>('fetch-command', statements)
  return locked.length === 0 || row === undefined ? undefined : toFetched(row)
}

type Asking = Pick<ReportRow, 'machine_id' | 'boot_id' | 'seq'>

function toAsking(reports: Asking[]) {
  return {
    machineIds: reports.map(({ machine_id }) => machine_id),
    bootIds: reports.map(({ boot_id }) => boot_id),
    seqs: reports.map(({ seq }) => seq),
  }
}

function toFetched({ command, changed, ...row }: FetchedRow): FetchedRow {
  return { ...row, command: command && jobColumns.fromJson(command), changed: changed.map(jobColumns.fromJson) }
}
