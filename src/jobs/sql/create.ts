// How a job comes into being, and how a person takes it back.
import { sql } from 'drizzle-orm'
import { callerOf, requireCaller } from '../../accounts/sql/sign-in.ts'
import type { Claimant } from '../../http/context.ts'
import { dropOldKey, keepKey, type RequestKey } from '../../http/idempotency/store.ts'
import type { Database } from '../../infra/database.ts'
import { lockMachine, openJobsOf } from '../../machines/store.ts'
import type { Command, Job, Refusal } from '../job.ts'
import { jobColumns, lockMachineOf, present } from './claim.ts'

export type Request = {
  jobId: string
  machineId: number
  command: Command
  expiresInSeconds: number
}

/**
 * `accepted`: `job` is the new one, `superseded` the START that it took the place of. A refusal names the `open_job` that
 * is in the way. As a row, so that it can be kept with the idempotency key.
 */
export type Admission = {
  verdict: 'accepted' | 'not_found' | Refusal
  status: string | null
  open_job_id: string | null
  job: Job | null
  superseded: Job | null
}

/**
 * Decides on a request under the machine's lock and stores what it decided: the job, or its refusal, which is recorded
 * once a minute for one asker, machine, command and reason.
 * @throws TiebarError `session_ended`
 * @throws UniqueViolation of the idempotency key, for a twin
 */
export async function admit(
  database: Database,
  claimant: Claimant,
  { jobId, machineId, command, expiresInSeconds }: Request,
  key: RequestKey | undefined,
): Promise<Admission> {
  const isStop = command === 'STOP'
  const admission = sql`
      SELECT verdict.verdict, verdict.status, verdict.open_job_id,
        (SELECT to_jsonb(stored) FROM stored WHERE verdict.verdict = 'accepted') AS job,
        (SELECT to_jsonb(superseded) FROM superseded) AS superseded
      FROM verdict`
  const decide = sql`
    WITH caller AS (${callerOf(claimant)}),
    machine AS (SELECT * FROM machines WHERE id = ${machineId}::bigint AND deleted_at IS NULL),
    open_jobs AS (${openJobsOf(machineId)}),
    verdict AS (
      SELECT caller.id AS caller_id, machine.owner_id, machine.status,
        (SELECT id FROM open_jobs ORDER BY (command = ${command}) DESC LIMIT 1) AS open_job_id,
        CASE
          WHEN machine.id IS NULL THEN 'not_found'
          WHEN NOT (caller.is_staff OR machine.owner_id = caller.id) THEN 'not_owner'
          WHEN EXISTS (SELECT FROM open_jobs WHERE command = ${command} OR NOT ${isStop}::boolean) THEN 'job_open'
          WHEN NOT ${isStop}::boolean AND machine.status <> 'READY' THEN 'wrong_state'
          WHEN ${isStop}::boolean AND machine.status NOT IN ('RUNNING', 'PENDING', 'ERROR')
            AND NOT EXISTS (SELECT FROM open_jobs) THEN 'wrong_state'
          WHEN machine.controller_url IS NULL THEN 'no_controller'
          ELSE 'accepted' END AS verdict
      FROM caller LEFT JOIN machine ON true
    ),
    superseded AS (
      UPDATE jobs SET state = 'SUPERSEDED', result = 'IGNORE', reason = 'by_stop', finished_at = ${present},
        version = jobs.version + 1
      FROM verdict, open_jobs
      WHERE verdict.verdict = 'accepted' AND jobs.id = open_jobs.id
      RETURNING jobs.*, open_jobs.state AS state_before
    ),
    stored AS (
      INSERT INTO jobs (id, machine_id, machine_owner_id, command, state, result, reason, requested_by, requested_at,
        not_after, finished_at, must_succeed)
      SELECT ${jobId}::uuid, ${machineId}::bigint, owner_id, ${command},
        CASE verdict WHEN 'accepted' THEN 'QUEUED' ELSE 'REJECTED' END,
        CASE verdict WHEN 'accepted' THEN NULL WHEN 'not_owner' THEN 'PERMISSIONDENIED' ELSE 'INVALIDCOMMAND' END,
        nullif(verdict, 'accepted'), caller_id, ${present}, ${present} + ${`${expiresInSeconds} seconds`}::interval,
        CASE verdict WHEN 'accepted' THEN NULL ELSE ${present} END,
        EXISTS (SELECT FROM superseded WHERE state_before IN ('SENT', 'PENDING'))
      FROM verdict
      WHERE verdict <> 'not_found' AND (verdict = 'accepted' OR NOT EXISTS (
        SELECT FROM jobs WHERE machine_id = ${machineId}::bigint AND requested_by = caller_id AND command = ${command}
          AND state = 'REJECTED' AND reason = verdict AND requested_at > ${present} - interval '60 seconds'))
      RETURNING *
    ),
    events AS (
      INSERT INTO job_events (job_id, version, state, at, attempt, by, reason)
      SELECT id, version, state, ${present}, NULL, requested_by::text, reason FROM stored
      UNION ALL
      SELECT superseded.id, version, state, ${present}, nullif(attempts, 0), caller_id::text, reason FROM superseded, verdict
    )${key ? sql`, keeping AS (${keepKey(key, sql`${admission} WHERE verdict.verdict <> 'not_found'`)})` : sql``}
    ${admission}`
  const statements = [lockMachine(machineId), decide]
  if (key) statements.unshift(dropOldKey(key))
  const rows = await database.batch<Admission>(statements, {
    retryOnViolationOf: 'jobs_one_open_per_command',
  })
  return requireCaller(rows)
}

export type Cancellation = {
  verdict: 'not_found' | 'not_cancelable' | 'canceled'
  job: Job
}

/** Takes a QUEUED job back. @throws TiebarError `session_ended` */
export async function cancel(
  database: Database,
  claimant: Claimant,
  jobId: string,
  detail: string | null,
): Promise<Cancellation> {
  const rows = await database.batch<Job & { verdict: Cancellation['verdict'] }>([
    lockMachineOf(jobId),
    sql`
    WITH caller AS (${callerOf(claimant)}),
    was AS (
      SELECT jobs.* FROM jobs, caller WHERE jobs.id = ${jobId}::uuid
        AND (caller.is_staff OR jobs.requested_by = caller.id OR jobs.machine_owner_id = caller.id)
    ),
    canceled AS (
      UPDATE jobs SET state = 'CANCELED', result = 'IGNORE', reason = 'by_person', detail = ${detail},
        finished_at = ${present}, version = jobs.version + 1
      FROM was WHERE jobs.id = was.id AND was.state = 'QUEUED' AND NOT was.must_succeed
      RETURNING jobs.*
    ),
    event AS (
      INSERT INTO job_events (job_id, version, state, at, by, reason, detail)
      SELECT canceled.id, version, state, ${present}, caller.id::text, reason, detail FROM canceled, caller
    ),
    present_job AS (SELECT ${jobColumns('canceled')} FROM canceled UNION ALL SELECT ${jobColumns('was')} FROM was)
    SELECT present_job.*, CASE WHEN present_job.id IS NULL THEN 'not_found'
      WHEN EXISTS (SELECT FROM canceled) THEN 'canceled' ELSE 'not_cancelable' END AS verdict
    FROM caller LEFT JOIN present_job ON true ORDER BY present_job.version DESC NULLS LAST LIMIT 1`,
  ])
  const row = requireCaller(rows)
  return { verdict: row.verdict, job: row }
}
