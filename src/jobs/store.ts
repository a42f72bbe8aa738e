// How a job moves. `next` is the one rule of what happens next; claim, failed callback and sweep carry it out, and
// `settle` stores what a controller said. Each runs under the machine's lock, or is guarded by the job's version.
import { type SQL, sql } from 'drizzle-orm'
import type { Database } from '../infra/database.ts'
import { type Job, leaseSeconds, pendingSeconds, startAttempts } from './job.ts'

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
function ending(by: 'courier' | 'sweep'): SQL {
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
}

type ClaimRow = Job & {
  step: Step | null
  controller_url: string | null
  was_unclear: boolean
  lease_rest_seconds: number | null
}

/** Carries out `next` for a delivery: step `send` begins an attempt under a lease. Undefined: no such job. */
export async function claim(database: Database, jobId: string): Promise<Claim | undefined> {
  const [row] = await database.batch<ClaimRow>([
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
    SELECT present_job.*, due.step, due.controller_url, due.unclear AS was_unclear, due.lease_rest_seconds
    FROM present_job, due ORDER BY present_job.version DESC LIMIT 1`,
  ])
  if (!row) return undefined
  return {
    step: row.step,
    job: row,
    controllerUrl: row.controller_url,
    wasUnclear: row.was_unclear,
    leaseRestSeconds: row.lease_rest_seconds ?? 0,
  }
}

/**
 * What was done: the courier is to have the job again (`send`, with `publishNo`), or it ended, or there was nothing to do.
 * `job` is what it is now.
 */
export type Carried = {
  step: 'send' | 'ended' | 'leased' | 'wait' | null
  job: Job
  publishNo: number | null
  leaseRestSeconds: number
}

type CarriedRow = Job & {
  step: Carried['step']
  publish_no: number | null
  lease_rest_seconds: number | null
}

function carryOut(due: SQL, by: 'courier' | 'sweep'): SQL {
  return sql`
    WITH due AS (${due}), ${ending(by)},
    published AS (
      UPDATE jobs SET publish_no = jobs.publish_no + 1, published_at = ${present}
      FROM due WHERE jobs.id = due.id AND due.step = 'send'
        AND jobs.version = due.version AND jobs.publish_no = due.publish_no
      RETURNING jobs.*
    )
    SELECT ${jobColumns('due')}, due.step, NULL::int AS publish_no, due.lease_rest_seconds
    FROM due WHERE due.step IS NULL OR due.step IN ('wait', 'leased')
    UNION ALL SELECT ${jobColumns('ended')}, 'ended', NULL, NULL FROM ended
    UNION ALL SELECT ${jobColumns('published')}, 'send', published.publish_no, NULL FROM published`
}

function toCarried(row: CarriedRow): Carried {
  return {
    step: row.step,
    job: row,
    publishNo: row.publish_no,
    leaseRestSeconds: row.lease_rest_seconds ?? 0,
  }
}

/** Carries out `next` when the courier has given a message up. Undefined: no such job. */
export async function carryOutFailed(database: Database, jobId: string): Promise<Carried | undefined> {
  const due = sql`
    SELECT j.*, extract(epoch FROM m.leased_until - ${present})::float8 AS lease_rest_seconds, ${next} AS step
    FROM jobs j JOIN machines m ON m.id = j.machine_id WHERE j.id = ${jobId}::uuid`
  const [row] = await database.batch<CarriedRow>([lockMachineOf(jobId), carryOut(due, 'courier')])
  return row && toCarried(row)
}

/**
 * Carries out `next` for up to `limit` jobs that nobody else takes care of: not handed over 5 s after the request, given
 * up silently by the courier, or PENDING past the time. One statement: a machine that another holds is skipped, one that
 * is had is read anew by its lock, and a job that moved meanwhile is left alone by the guard on its version. What ends
 * comes first: it needs no courier, and must not wait behind what a courier that is away does not take.
 */
export async function carryOutDue(database: Database, limit: number): Promise<Carried[]> {
  const due = sql`
    SELECT j.*, NULL::float8 AS lease_rest_seconds, ${next} AS step
    FROM jobs j JOIN machines m ON m.id = j.machine_id
    WHERE (j.state IN ('QUEUED', 'SENT') AND (m.leased_until IS NULL OR m.leased_until <= ${present})
        AND ((j.published_at IS NULL AND j.requested_at <= ${present} - interval '5 seconds')
          OR j.published_at <= ${present} - CASE j.command WHEN 'START' THEN interval '37 seconds' ELSE interval '61 seconds' END))
      OR (j.state = 'PENDING' AND j.pending_since + interval '${sql.raw(String(pendingSeconds))} seconds' <= ${present})
    ORDER BY ${next} = 'send', j.requested_at LIMIT ${limit}
    FOR NO KEY UPDATE OF m SKIP LOCKED`
  return (await database.query<CarriedRow>(carryOut(due, 'sweep'))).map(toCarried)
}

/** Remembers that the courier has a message, or, with `taken` false, that it did not take it. */
export async function markPublished(
  database: Database,
  sent: { jobId: string; publishNo: number }[],
  taken: boolean,
): Promise<void> {
  await database.query(sql`
    UPDATE jobs SET published_at = CASE WHEN ${taken}::boolean THEN ${present} END
    FROM unnest(${sql.param(sent.map(({ jobId }) => jobId))}::uuid[],
        ${sql.param(sent.map(({ publishNo }) => publishNo))}::int[])
      AS sent (job_id, publish_no)
    WHERE jobs.id = sent.job_id AND jobs.publish_no = sent.publish_no`)
}
