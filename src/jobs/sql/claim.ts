// How a job moves. `next` is the one rule of what happens next; claim, failed callback and sweep carry it out, and
// `settle` stores what a controller said. Each runs under the machine's lock, or is guarded by the job's version.
import { type SQL, sql } from 'drizzle-orm'
import type { Database } from '../../infra/database.ts'
import { type Job, leaseSeconds, pendingSeconds, startAttempts } from '../job.ts'

/**
 * PostgreSQL's clock at the start of the statement. `now()` is the start of the transaction, which is before the wait
 * for the machine's lock: a lease counted from there would be too short, and a START could pass its `not_after`.
 */
export const present = sql.raw('statement_timestamp()')

/** Columns of a `Job`. */
export function jobColumns(alias: string): SQL {
  const names = ['id', 'machine_id', 'machine_owner_id', 'command', 'state', 'result', 'reason', 'detail', 'attempts']
  names.push('requested_by', 'requested_at', 'not_after', 'sent_at', 'finished_at', 'version')
  return sql.raw(names.map((name) => `${alias}.${name}`).join(', '))
}

export type Step = 'wait' | 'leased' | 'send' | 'expire' | 'reject' | 'fail_unclear' | 'fail_unreachable' | 'time_out'

/**
 * What happens next to a job `j` of a machine `m`, as a `Step`. Null: the job has ended, nothing does.
 * A START whose machine changed is rejected only while it is certain that it was never carried out.
 */
export const next = sql.raw(`CASE
  WHEN j.state = 'PENDING' AND j.pending_since + interval '${pendingSeconds} seconds' <= statement_timestamp() THEN 'time_out'
  WHEN j.state = 'PENDING' THEN 'wait'
  WHEN j.state NOT IN ('QUEUED', 'SENT') THEN NULL
  WHEN m.leased_until > statement_timestamp() THEN 'leased'
  WHEN j.command = 'START' AND j.attempts >= ${startAttempts} AND j.unclear THEN 'fail_unclear'
  WHEN j.command = 'START' AND j.attempts >= ${startAttempts} THEN 'fail_unreachable'
  WHEN j.not_after <= statement_timestamp() AND j.unclear THEN 'fail_unclear'
  WHEN j.not_after <= statement_timestamp() THEN 'expire'
  WHEN (m.deleted_at IS NOT NULL OR m.controller_url IS NULL OR (j.command = 'START' AND m.status <> 'READY'))
    THEN CASE WHEN j.unclear THEN 'fail_unclear' ELSE 'reject' END
  ELSE 'send' END`)

/** How the steps that end a job end it. A machine whose job ended so is in ERROR, or only if the job had to succeed. */
const ends = sql.raw(`ends (step, state, result, reason, is_machine_lost) AS (VALUES
  ('expire', 'EXPIRED', 'IGNORE', 'not_in_time', false),
  ('reject', 'REJECTED', 'INVALIDCOMMAND', 'changed', false),
  ('fail_unclear', 'FAILED', 'INTERNALFAILED', 'outcome_unknown', true),
  ('fail_unreachable', 'FAILED', 'INTERNALFAILED', 'unreachable', true),
  ('time_out', 'TIMED_OUT', 'INTERNALFAILED', 'no_report', true))`)

/** Ends the jobs of `due` whose step says so, with event and machine. Needs `due (id, version, step)`. */
export function ending(by: 'courier' | 'sweep'): SQL {
  return sql`${ends},
    ended AS (
      UPDATE jobs SET state = ends.state, result = ends.result, reason = ends.reason, finished_at = ${present},
        version = jobs.version + 1
      FROM due JOIN ends ON ends.step = due.step
      WHERE jobs.id = due.id AND jobs.version = due.version
      RETURNING jobs.*, ends.is_machine_lost
    ),
    ended_events AS (
      INSERT INTO job_events (job_id, version, state, at, attempt, by, reason)
      SELECT id, version, state, ${present}, nullif(attempts, 0), ${by}, reason FROM ended
    ),
    lost_machines AS (
      UPDATE machines SET status = 'ERROR', updated_at = ${present}, revision = revision + 1
      FROM ended WHERE machines.id = ended.machine_id AND (ended.is_machine_lost OR ended.must_succeed)
    )`
}

export function lockMachineOf(jobId: string): SQL {
  return sql`
    SELECT m.id FROM machines m JOIN jobs j ON j.machine_id = m.id WHERE j.id = ${jobId}::uuid
    FOR NO KEY UPDATE OF m`
}

/** A lease is one attempt's and nobody else's. */
export function leaseOf(jobId: string, attempt: number): string {
  return `${jobId}:${attempt}`
}

/** `job` is what it is now; a step that ended the job has done so. */
export type Claim = {
  step: Step | null
  job: Job
  controllerUrl: string | null
  /** Whether some attempt before this one may have acted. */
  wasUnclear: boolean
  leaseRestSeconds: number
  /** How long the command may still be sent, by PostgreSQL's clock, when the claim was made. */
  timeLeftSeconds: number
}

type ClaimRow = Job & {
  step: Step | null
  controller_url: string | null
  was_unclear: boolean
  lease_rest_seconds: number | null
  time_left_seconds: number
}

/** With the controller's 10 s and the 8 s for storing what it said, a delivery so ends within the courier's 25 s. */
const claimDeadlineMs = 6_000

/** Carries out `next` for a delivery: step `send` begins an attempt under a lease. Undefined: no such job. */
export async function claim(database: Database, jobId: string): Promise<Claim | undefined> {
  const statements = [
    lockMachineOf(jobId),
    sql`
    WITH due AS (
      SELECT j.*, m.controller_url, extract(epoch FROM m.leased_until - ${present})::float8 AS lease_rest_seconds,
        ${next} AS step
      FROM jobs j JOIN machines m ON m.id = j.machine_id WHERE j.id = ${jobId}::uuid
    ), ${ending('courier')},
    begun AS (
      UPDATE jobs SET state = 'SENT', attempts = jobs.attempts + 1, unclear = true,
        sent_at = coalesce(jobs.sent_at, ${present}), version = jobs.version + 1
      FROM due WHERE jobs.id = due.id AND due.step = 'send'
      RETURNING jobs.*
    ),
    begun_event AS (
      INSERT INTO job_events (job_id, version, state, at, attempt, by)
      SELECT id, version, state, ${present}, attempts, 'courier' FROM begun
    ),
    leased AS (
      UPDATE machines SET leased_by = begun.id || ':' || begun.attempts,
        leased_until = ${present} + ${`${leaseSeconds} seconds`}::interval
      FROM begun WHERE machines.id = begun.machine_id
    ),
    present_job AS (
      SELECT ${jobColumns('begun')} FROM begun UNION ALL SELECT ${jobColumns('ended')} FROM ended
      UNION ALL SELECT ${jobColumns('due')} FROM due
    )
    SELECT present_job.*, due.step, due.controller_url, due.unclear AS was_unclear, due.lease_rest_seconds,
      extract(epoch FROM due.not_after - ${present})::float8 AS time_left_seconds
    FROM present_job, due ORDER BY present_job.version DESC LIMIT 1`,
  ]
  const [row] = await database.batch<ClaimRow>(statements, { deadlineMs: claimDeadlineMs })
  if (!row) return undefined
  return {
    step: row.step,
    job: row,
    controllerUrl: row.controller_url,
    wasUnclear: row.was_unclear,
    leaseRestSeconds: row.lease_rest_seconds ?? 0,
    timeLeftSeconds: row.time_left_seconds,
  }
}
