// Decides whether a command is accepted, and stores the job or the refusal.
import { sql } from 'drizzle-orm'
import { requireCaller, selectCaller } from '../../accounts/sql/caller.ts'
import type { Caller } from '../../http/context.ts'
import { deleteExpiredKey, insertKey, type RequestKey } from '../../http/idempotency/store.ts'
import type { Database } from '../../infra/database.ts'
import { sqlList } from '../../infra/rows.ts'
import { lockMachine } from '../../machines/store.ts'
import { type Command, commandRules, supersededBy } from '../commands.ts'
import { type Refusal, refusalResults } from '../job.ts'
import { firstOf, type JobRow, jobColumns, now, selectOpenJobs } from './fragments.ts'

export type JobRequest = {
  jobId: string
  machineId: number
  command: Command
  expiresInSeconds: number
}

export type CreateJobDecision = 'accepted' | 'not_found' | Refusal

/**
 * `accepted`: `job` is the new job, and it supersedes the jobs in `superseded`. `job_open`: `open_job_id` is the job
 * that blocks the command. The fields are named like columns: the row is stored with the idempotency key.
 */
export type CreateJobResult = {
  decision: CreateJobDecision
  status: string | null
  open_job_id: string | null
  job: JobRow | null
  superseded: JobRow[]
}

/**
 * Decides under the machine's lock. The same refusal (account, machine, command, reason) is recorded once a minute.
 * @throws TiebarError `session_ended`
 * @throws UniqueViolation of the idempotency key, if a concurrent request has stored it first
 */
export async function createJob(
  database: Database,
  caller: Caller,
  { jobId, machineId, command, expiresInSeconds }: JobRequest,
  key: RequestKey | undefined,
): Promise<CreateJobResult> {
  const { acceptedIn, supersededReason } = commandRules[command]
  const hasOpenJob = sql`EXISTS (SELECT FROM open_jobs)`
  const decision = firstOf<CreateJobDecision>([
    [sql`machine.id IS NULL`, 'not_found'],
    [sql`NOT (caller.is_staff OR machine.owner_id = caller.id)`, 'not_owner'],
    [
      sql`EXISTS (SELECT FROM open_jobs WHERE command <> ALL (${sql.param(supersededBy(command))}::text[]))`,
      'job_open',
    ],
    [sql`machine.status NOT IN (${sqlList(acceptedIn)}) AND NOT ${hasOpenJob}`, 'wrong_state'],
    [sql`machine.controller_url IS NULL`, 'no_controller'],
    [sql`true`, 'accepted'],
  ])
  const refusals = Object.entries(refusalResults).map(([reason, result]) => sql`WHEN ${reason} THEN ${result}`)
  const result = sql`
      SELECT decision.decision, decision.status, decision.open_job_id,
        (SELECT to_jsonb(stored) FROM stored WHERE decision.decision = 'accepted') AS job,
        (SELECT coalesce(jsonb_agg(superseded), '[]') FROM superseded) AS superseded
      FROM decision`
  const decide = sql`
    WITH caller AS (${selectCaller(caller)}),
    machine AS (SELECT * FROM machines WHERE id = ${machineId}::bigint AND deleted_at IS NULL),
    open_jobs AS (${selectOpenJobs(machineId)}),
    decision AS (
      SELECT caller.id AS caller_id, machine.owner_id, machine.status,
        (SELECT id FROM open_jobs ORDER BY (command = ${command}) DESC LIMIT 1) AS open_job_id, ${decision} AS decision
      FROM caller LEFT JOIN machine ON true
    ),
    superseded AS (
      UPDATE jobs SET state = 'SUPERSEDED', result = 'IGNORE', reason = ${supersededReason}, finished_at = ${now},
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
        CASE decision ${sql.join(refusals, sql` `)} END,
        nullif(decision, 'accepted'), caller_id, ${now}, ${now} + ${`${expiresInSeconds} seconds`}::interval,
        CASE decision WHEN 'accepted' THEN NULL ELSE ${now} END,
        EXISTS (SELECT FROM superseded WHERE state_before <> 'QUEUED')
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
    )${key ? sql`, stored_key AS (${insertKey(key, sql`${result} WHERE decision.decision <> 'not_found'`)})` : sql``}
    ${result}`
  const statements = [lockMachine(machineId), decide]
  if (key) statements.unshift(deleteExpiredKey(key))
  const rows = await database.batch<CreateJobResult>('create-job', statements, {
    retryOnViolationOf: 'jobs_one_open_per_command',
  })
  const { job, superseded, ...rest } = requireCaller(rows)
  return { ...rest, job: job && jobColumns.fromJson(job), superseded: superseded.map(jobColumns.fromJson) }
}
