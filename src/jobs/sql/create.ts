// Decides whether a command is accepted, and stores the job or the refusal.
import { type SQL, sql } from 'drizzle-orm'
import { eventOf, recordEvents, subjectOf } from '../../accounts/sql/audit.ts'
import { requireCaller, selectCaller } from '../../accounts/sql/caller.ts'
import type { Caller } from '../../http/context.ts'
import { deleteExpiredKey, insertKey, type RequestKey } from '../../http/idempotency/store.ts'
import type { Database } from '../../infra/database.ts'
import { prepare } from '../../infra/prepare.ts'
import { firstOf, sqlList } from '../../infra/rows.ts'
import { lockMachine } from '../../machines/sql/fragments.ts'
import { isHeld } from '../../machines/sql/hold.ts'
import { hasReportKey, isRemoteDisabled, isStale } from '../../machines/sql/report.ts'
import { machineLevel, type RoleRefusal, refusalsBelow } from '../../sites/sql/role.ts'
import { type Command, commandRules, commands, supersededBy } from '../commands.ts'
import { type Refusal, refusalResults } from '../job.ts'
import { type JobRow, jobColumns, now, numberLiteral, selectOpenJobs, unpublishedSeconds } from './fragments.ts'

export type JobRequest = {
  jobId: string
  machineId: number
  command: Command
  expiresInSeconds: number
}

export type CreateJobDecision = 'accepted' | 'repeated' | RoleRefusal | Refusal

/**
 * `accepted`: `job` is the new job, and it supersedes the jobs in `superseded`. `repeated`: `job` is an earlier job of the
 * same command, which has not been sent yet. `job_open`: `open_job_id` is the job that blocks the command. For a refusal,
 * `job` is the REJECTED job, if one was stored. The fields are named like columns: the row is stored with the idempotency key.
 */
export type CreateJobResult = {
  decision: CreateJobDecision
  status: string | null
  /** Whether the machine gets the command in the answer to a report. */
  is_fetched: boolean
  open_job_id: string | null
  job: JobRow | null
  superseded: JobRow[]
  /** The site of the machine. */
  site_id: number | null
}

type NewJob = Caller & Omit<JobRequest, 'command' | 'expiresInSeconds'> & { expiresIn: string } & Partial<RequestKey>
type NewJobShape = { command: Command; hasKey: boolean }

/** Somebody without the role asked: not in the owner's history. One event a minute for each account, machine and command. */
function refusalEvent(command: Command): SQL {
  const subject = subjectOf('machine', sql`machine.id`)
  const after = sql`jsonb_build_object('command', ${sqlList([command])}, 'reason', decision.decision)`
  return sql`
      SELECT ${eventOf('operation.refuse', subject, { after })} FROM machine, decision
      WHERE decision.decision IN (${sqlList(['not_found', 'not_owner', 'role_too_low'] satisfies RoleRefusal[])}) AND NOT EXISTS (
        SELECT FROM audit_events e WHERE e.subject = ${subject} AND e.at > ${now} - interval '60 seconds'
          AND e.actor = decision.caller_id AND e.action = 'operation.refuse' AND e.after ->> 'command' = ${sqlList([command])})`
}

const hasOpenJob = sql`EXISTS (SELECT FROM open_jobs)`

/**
 * Why a command is not accepted as a new job, in the order in which it is told. Needs the CTEs `machine` (with the `level` of
 * the caller) and `open_jobs`. `repeated` is no obstacle: an earlier job is the answer. The preflight tells all of them.
 */
export function admissionRules(command: Command): [condition: SQL, name: Exclude<CreateJobDecision, 'accepted'>][] {
  const { acceptedIn, isHeld: isRefusedByHold, needsFreshReport } = commandRules[command]
  const others = commands.filter((other) => !supersededBy(command).includes(other))
  const isOther = others.length === 0 ? sql`false` : sql`command IN (${sqlList(others)})`
  return [
    ...refusalsBelow('operator', 'machine'),
    [isRefusedByHold ? isHeld(sql`machine.id`) : sql`false`, 'held'],
    [sql`EXISTS (SELECT FROM open_jobs WHERE ${isOther})`, 'job_open'],
    [
      sql`EXISTS (SELECT FROM open_jobs WHERE command = ${sqlList([command])} AND state = 'QUEUED' AND not_after > ${now})`,
      'repeated',
    ],
    [needsFreshReport ? isStale('machine') : sql`false`, 'stale'],
    [needsFreshReport ? isRemoteDisabled('machine') : sql`false`, 'remote_disabled'],
    [sql`machine.status NOT IN (${sqlList(acceptedIn)}) AND NOT ${hasOpenJob}`, 'wrong_state'],
    [sql`machine.controller_url IS NULL AND NOT ${hasReportKey('machine')}`, 'no_controller'],
  ]
}

/**
 * CTE bodies: the jobs that an accepted command supersedes, and whether it takes over the lease of an attempt. A command that
 * supersedes nothing has no UPDATE, which PostgreSQL would prepare for each START.
 */
function supersede(command: Command): { superseded: SQL; takeover: SQL } {
  const { supersededReason } = commandRules[command]
  if (supersededReason === null) {
    return {
      superseded: sql`SELECT jobs.*, jobs.state AS state_before FROM jobs WHERE false`,
      takeover: sql`SELECT false AS is_taken_over`,
    }
  }
  return {
    superseded: sql`
      UPDATE jobs SET state = 'SUPERSEDED', result = 'IGNORE', reason = ${sqlList([supersededReason])},
        finished_at = ${now}, version = jobs.version + 1
      FROM decision, open_jobs
      WHERE decision.decision = 'accepted' AND jobs.id = open_jobs.id AND jobs.version = open_jobs.version
      RETURNING jobs.*, open_jobs.state AS state_before`,
    takeover: sql`
      SELECT count(*) > 0 AS is_taken_over FROM jobs
      WHERE id = split_part(decision.leased_by, ':', 1)::uuid
        AND command IN (${sqlList(supersededBy(command))}) AND command <> ${sqlList([command])}`,
  }
}

/** Decides about a command, under the lock of the machine. */
const creation = prepare<NewJob, NewJobShape>((value, { command, hasKey }) => {
  const { superseded, takeover } = supersede(command)
  const decision = firstOf<CreateJobDecision>([...admissionRules(command), [sql`true`, 'accepted']])
  const refusals = Object.entries(refusalResults).map(([reason, result]) => sql`WHEN ${reason} THEN ${result}`)
  const result = sql`
      SELECT decision.decision, decision.status, decision.is_fetched, decision.open_job_id,
        decision.site_id,
        CASE decision.decision WHEN 'repeated' THEN (SELECT to_jsonb(open_jobs) FROM open_jobs)
          ELSE (SELECT to_jsonb(stored) FROM stored) END AS job,
        (SELECT coalesce(jsonb_agg(superseded), '[]') FROM superseded) AS superseded
      FROM decision`
  return sql`
    WITH caller AS (${selectCaller(value)}),
    machine AS MATERIALIZED (
      SELECT m.*, ${machineLevel('caller', 'm')} AS level FROM caller, machines m
      WHERE m.id = ${value.machineId}::bigint AND m.deleted_at IS NULL
    ),
    open_jobs AS (${selectOpenJobs(value.machineId)}),
    decision AS (
      SELECT caller.id AS caller_id, caller.key_id, machine.owner_id, machine.site_id, machine.status, machine.leased_by,
        machine.controller_url IS NULL AS is_fetched,
        (SELECT id FROM open_jobs) AS open_job_id, ${decision} AS decision
      FROM caller LEFT JOIN machine ON true
    ),
    superseded AS (${superseded}),
    sequenced AS (
      UPDATE machines m SET last_sequence = m.last_sequence + 1,
        leased_until = CASE WHEN lease.is_taken_over THEN NULL ELSE m.leased_until END,
        leased_by = CASE WHEN lease.is_taken_over THEN NULL ELSE m.leased_by END
      FROM decision, LATERAL (${takeover}) lease
      WHERE m.id = ${value.machineId}::bigint AND decision.decision = 'accepted'
      RETURNING m.last_sequence
    ),
    stored AS (
      INSERT INTO jobs (id, machine_id, machine_owner_id, command, sequence, state, result, reason, requested_by, key_id,
        requested_at, not_after, finished_at, due_at, must_succeed)
      SELECT ${value.jobId}::uuid, ${value.machineId}::bigint, owner_id, ${command},
        coalesce((SELECT last_sequence FROM sequenced), 0),
        CASE decision WHEN 'accepted' THEN 'QUEUED' ELSE 'REJECTED' END,
        CASE decision ${sql.join(refusals, sql` `)} END,
        nullif(decision, 'accepted'), caller_id, key_id, ${now}, ${now} + ${value.expiresIn}::interval,
        CASE decision WHEN 'accepted' THEN NULL ELSE ${now} END,
        ${now} + CASE WHEN is_fetched THEN ${value.expiresIn}::interval
          ELSE interval '${numberLiteral(unpublishedSeconds)} seconds' END,
        EXISTS (SELECT FROM superseded WHERE state_before <> 'QUEUED' OR must_succeed)
      FROM decision
      WHERE decision = 'accepted' OR (decision IN (${sqlList(Object.keys(refusalResults))}) AND NOT EXISTS (
        SELECT FROM jobs WHERE machine_id = ${value.machineId}::bigint AND requested_by = caller_id AND command = ${command}
          AND sequence = 0 AND state = 'REJECTED' AND reason = decision AND requested_at > ${now} - interval '60 seconds'))
      RETURNING *
    ),
    events AS (
      INSERT INTO job_events (job_id, version, state, at, attempt, by, key_id, reason)
      SELECT id, version, state, ${now}, NULL, requested_by::text, key_id, reason FROM stored
      UNION ALL
      SELECT superseded.id, version, state, ${now}, nullif(attempts, 0), caller_id::text, decision.key_id, reason
      FROM superseded, decision
    ),
    refused AS (${recordEvents(refusalEvent(command))})${hasKey ? sql`, stored_key AS (${insertKey(value, sql`${result} WHERE decision.decision <> 'not_found'`)})` : sql``}
    ${result}`
})

/**
 * Decides under the machine's lock. The same refusal (account, machine, command, reason) is recorded once a minute. The
 * refusal for lack of a role is an audit event: strangers must not fill the history of a machine.
 * @throws TiebarError `session_ended`
 * @throws UniqueViolation of the idempotency key, if a concurrent request has stored it first
 */
export async function createJob(
  database: Database,
  caller: Caller,
  { jobId, machineId, command, expiresInSeconds }: JobRequest,
  key: RequestKey | undefined,
): Promise<CreateJobResult> {
  const create = creation(
    { ...key, ...caller, jobId, machineId, expiresIn: `${expiresInSeconds} seconds` },
    { command, hasKey: key !== undefined },
  )
  const statements = [lockMachine(caller, machineId, 'operator'), create]
  if (key) statements.unshift(deleteExpiredKey(key))
  const rows = await database.batch<CreateJobResult>('create-job', statements, {
    retryOnViolationOf: 'jobs_one_open',
  })
  const { job, superseded: supersededRows, ...rest } = requireCaller(rows)
  return { ...rest, job: job && jobColumns.fromJson(job), superseded: supersededRows.map(jobColumns.fromJson) }
}
