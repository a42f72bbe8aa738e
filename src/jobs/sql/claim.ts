// A delivery claims a job: it begins an attempt under a lease, or ends the job.
import { sql } from 'drizzle-orm'
import type { Database } from '../../infra/database.ts'
import { leaseSeconds } from '../job.ts'
import { type JobRow, jobColumns, lockMachineOf, now } from './fragments.ts'
import { endJobs, nextStep, type Step } from './next-step.ts'

/** `step` has been carried out already, and `job` has the state after it. */
export type Claim = {
  step: Step | null
  job: JobRow
  controllerUrl: string | null
  /** Whether an earlier attempt may have been executed. */
  mayHaveExecutedBefore: boolean
  leaseRemainingSeconds: number
  /** How long the command may still be sent, by PostgreSQL's clock at the time of the claim. */
  timeLeftSeconds: number
}

type ClaimRow = JobRow & {
  step: Step | null
  controller_url: string | null
  may_have_executed_before: boolean
  lease_remaining_seconds: number | null
  time_left_seconds: number
}

/** Plus 10 s for the controller and 8 s for storing its answer, this is less than the queue's time-out of 25 s. */
const claimDeadlineMs = 6_000

/**
 * Carries out the next step of a job for a delivery: the step `send` begins an attempt under a lease.
 * @returns undefined if the job does not exist
 */
export async function claim(database: Database, jobId: string): Promise<Claim | undefined> {
  const statements = [
    lockMachineOf(jobId),
    sql`
    WITH due AS (
      SELECT j.*, m.controller_url, extract(epoch FROM m.leased_until - ${now})::float8 AS lease_remaining_seconds,
        ${nextStep} AS step
      FROM jobs j JOIN machines m ON m.id = j.machine_id WHERE j.id = ${jobId}::uuid
    ), ${endJobs('queue')},
    started AS (
      UPDATE jobs SET state = 'SENT', attempts = jobs.attempts + 1, may_have_executed = true,
        sent_at = coalesce(jobs.sent_at, ${now}), version = jobs.version + 1
      FROM due WHERE jobs.id = due.id AND due.step = 'send'
      RETURNING jobs.*
    ),
    started_event AS (
      INSERT INTO job_events (job_id, version, state, at, attempt, by)
      SELECT id, version, state, ${now}, attempts, 'queue' FROM started
    ),
    leased AS (
      UPDATE machines SET leased_by = started.id || ':' || started.attempts,
        leased_until = ${now} + ${`${leaseSeconds} seconds`}::interval
      FROM started WHERE machines.id = started.machine_id
    ),
    current_job AS (
      SELECT ${jobColumns.of('started')} FROM started UNION ALL SELECT ${jobColumns.of('ended')} FROM ended
      UNION ALL SELECT ${jobColumns.of('due')} FROM due
    )
    SELECT current_job.*, due.step, due.controller_url, due.may_have_executed AS may_have_executed_before, due.lease_remaining_seconds,
      extract(epoch FROM due.not_after - ${now})::float8 AS time_left_seconds
    FROM current_job, due ORDER BY current_job.version DESC LIMIT 1`,
  ]
  const [row] = await database.batch<ClaimRow>('claim', statements, { deadlineMs: claimDeadlineMs })
  if (!row) return undefined
  return {
    step: row.step,
    job: row,
    controllerUrl: row.controller_url,
    mayHaveExecutedBefore: row.may_have_executed_before,
    leaseRemainingSeconds: row.lease_remaining_seconds ?? 0,
    timeLeftSeconds: row.time_left_seconds,
  }
}
