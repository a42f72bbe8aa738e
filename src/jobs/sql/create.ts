// How a job comes into being, and how a person takes it back.
import { sql } from 'drizzle-orm'
import { requireCaller, selectCaller } from '../../accounts/sql/caller.ts'
import type { Caller } from '../../http/context.ts'
import { deleteExpiredKey, insertKey, type RequestKey } from '../../http/idempotency/store.ts'
import type { Database } from '../../infra/database.ts'
import { lockMachine, openJobsOf } from '../../machines/store.ts'
import type { Command, Job, Refusal } from '../job.ts'
import { now } from './fragments.ts'

export type JobRequest = {
  jobId: string
  machineId: number
  command: Command
  expiresInSeconds: number
}

/**
 * `accepted`: `job` is the new one, `superseded` the START that it took the place of. A refusal names the `open_job` that
 * is in the way. As a row, so that it can be kept with the idempotency key.
 */
export type CreateJobResult = {
  decision: 'accepted' | 'not_found' | Refusal
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
export async function createJob(
  database: Database,
  caller: Caller,
  { jobId, machineId, command, expiresInSeconds }: JobRequest,
  key: RequestKey | undefined,
): Promise<CreateJobResult> {
  const isStop = command === 'STOP'
  const admission = sql`
      SELECT decision.decision, decision.status, decision.open_job_id,
        (SELECT to_jsonb(stored) FROM stored WHERE decision.decision = 'accepted') AS job,
        (SELECT to_jsonb(superseded) FROM superseded) AS superseded
      FROM decision`
  const decide = sql`
    WITH caller AS (${selectCaller(caller)}),
    machine AS (SELECT * FROM machines WHERE id = ${machineId}::bigint AND deleted_at IS NULL),
    open_jobs AS (${openJobsOf(machineId)}),
    decision AS (
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
          ELSE 'accepted' END AS decision
      FROM caller LEFT JOIN machine ON true
    ),
    superseded AS (
      UPDATE jobs SET state = 'SUPERSEDED', result = 'IGNORE', reason = 'by_stop', finished_at = ${now},
        version = jobs.version + 1
      FROM decision, open_jobs
      WHERE decision.decision = 'accepted' AND jobs.id = open_jobs.id
      RETURNING jobs.*, open_jobs.state AS state_before
    ),
    stored AS (
      INSERT INTO jobs (id, machine_id, machine_owner_id, command, state, result, reason, requested_by, requested_at,
        not_after, finished_at, must_succeed)
      SELECT ${jobId}::uuid, ${machineId}::bigint, owner_id, ${command},
        CASE decision WHEN 'accepted' THEN 'QUEUED' ELSE 'REJECTED' END,
        CASE decision WHEN 'accepted' THEN NULL WHEN 'not_owner' THEN 'PERMISSIONDENIED' ELSE 'INVALIDCOMMAND' END,
        nullif(decision, 'accepted'), caller_id, ${now}, ${now} + ${`${expiresInSeconds} seconds`}::interval,
        CASE decision WHEN 'accepted' THEN NULL ELSE ${now} END,
        EXISTS (SELECT FROM superseded WHERE state_before IN ('SENT', 'PENDING'))
      FROM decision
      WHERE decision <> 'not_found' AND (decision = 'accepted' OR NOT EXISTS (
        SELECT FROM jobs WHERE machine_id = ${machineId}::bigint AND requested_by = caller_id AND command = ${command}
          AND state = 'REJECTED' AND reason = decision AND requested_at > ${now} - interval '60 seconds'))
      RETURNING *
    ),
    events AS (
      INSERT INTO job_events (job_id, version, state, at, attempt, by, reason)
      SELECT id, version, state, ${now}, NULL, requested_by::text, reason FROM stored
      UNION ALL
      SELECT superseded.id, version, state, ${now}, nullif(attempts, 0), caller_id::text, reason FROM superseded, decision
    )${key ? sql`, keeping AS (${insertKey(key, sql`${admission} WHERE decision.decision <> 'not_found'`)})` : sql``}
    ${admission}`
  const statements = [lockMachine(machineId), decide]
  if (key) statements.unshift(deleteExpiredKey(key))
  const rows = await database.batch<CreateJobResult>(statements, {
    retryOnViolationOf: 'jobs_one_open_per_command',
  })
  return requireCaller(rows)
}
