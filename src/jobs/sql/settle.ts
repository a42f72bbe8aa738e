// What becomes of a job when a controller says something, or fails to: one batch for answers and reports alike.
import { sql } from 'drizzle-orm'
import type { Database } from '../../infra/database.ts'
import type { Job, JobResult } from '../job.ts'
import { jobColumns, leaseOf, lockMachineOf, now } from './fragments.ts'

/**
 * What an attempt or a report brought: an answer of the controller, one that makes no sense (`bad_answer`), none that
 * says what the machine did (`may_have_executed`), or the certainty that it did nothing (`busy`: 429, 503).
 */
export type ControllerResult = 'SUCCESS' | 'REMOTEFAILED' | 'PENDING' | 'bad_answer' | 'may_have_executed' | 'busy'

export type Outcome = {
  result: ControllerResult
  detail: string | null
  /** Null for a report. */
  attempt: number | null
  /** Whether some attempt before this one may have acted. */
  mayHaveExecutedBefore: boolean
}

/**
 * `ended`: by this or before with the same result · `pending` · `again`: the attempt failed, the job is open ·
 * `noted`: the answer changed no job · `contradiction`: the job had ended otherwise
 */
export type Settlement = {
  effect: 'ended' | 'pending' | 'again' | 'noted' | 'contradiction'
  job: Job
  isChanged: boolean
}

type SettlementRow = Job & { effect: Settlement['effect']; is_changed: boolean }

/** Stores an outcome. Undefined: no such job. */
export async function settle(
  database: Database,
  jobId: string,
  { result, detail, attempt, mayHaveExecutedBefore }: Outcome,
  deadlineMs?: number,
): Promise<Settlement | undefined> {
  const isFinal = result === 'SUCCESS' || result === 'REMOTEFAILED'
  const isAnswer = isFinal || result === 'PENDING'
  const jobResult: JobResult | null = isAnswer ? result : result === 'bad_answer' ? 'INTERNALFAILED' : null
  const note = detail === null ? result : `${result}: ${detail}`
  const lease = attempt === null ? null : leaseOf(jobId, attempt)
  const options = deadlineMs === undefined ? {} : { deadlineMs }
  const [row] = await database.batch<SettlementRow>(
    [
      lockMachineOf(jobId),
      sql`
    WITH was AS (
      SELECT j.*, coalesce(m.leased_by = ${lease}, false) AS holds_lease, later.is_followed, later.is_outlived
      FROM jobs j JOIN machines m ON m.id = j.machine_id, LATERAL (
        SELECT count(*) > 0 AS is_followed,
          coalesce(bool_or(state NOT IN ('QUEUED', 'SENT', 'PENDING')), false) AS is_outlived
        FROM jobs WHERE machine_id = j.machine_id AND (requested_at, id) > (j.requested_at, j.id)
          AND NOT (state = 'REJECTED' AND reason <> 'changed')
      ) later
      WHERE j.id = ${jobId}::uuid
    ),
    decision AS (
      SELECT was.id, CASE
        WHEN state IN ('SENT', 'PENDING') AND ${isFinal}::boolean THEN 'end'
        WHEN state = 'SENT' AND ${result} = 'bad_answer' THEN 'end'
        WHEN state = 'SENT' AND ${result} = 'PENDING' THEN 'accept'
        WHEN state = 'SENT' AND ${result} IN ('may_have_executed', 'busy') AND holds_lease THEN 'fail_attempt'
        WHEN result = 'INTERNALFAILED' AND ${isFinal}::boolean THEN 'end_late'
        WHEN state = 'SUPERSEDED' AND ${jobResult}::text IS NOT NULL THEN 'note_late_answer'
        WHEN state NOT IN ('QUEUED', 'SENT', 'PENDING') AND ${isFinal}::boolean AND result <> ${jobResult}
          THEN 'note_contradiction'
        ELSE 'leave' END AS decision
      FROM was
    ),
    moved AS (
      UPDATE jobs SET
        state = CASE WHEN decision = 'accept' THEN 'PENDING' WHEN decision NOT IN ('end', 'end_late') THEN jobs.state
          WHEN ${result} = 'SUCCESS' THEN 'SUCCEEDED' ELSE 'FAILED' END,
        result = CASE WHEN decision IN ('end', 'end_late', 'accept') THEN ${jobResult} ELSE jobs.result END,
        reason = CASE WHEN decision NOT IN ('end', 'end_late') THEN jobs.reason
          WHEN ${result} = 'REMOTEFAILED' THEN 'refused' WHEN ${result} = 'bad_answer' THEN 'bad_answer' END,
        detail = CASE WHEN decision IN ('end', 'end_late', 'accept') THEN ${detail} ELSE jobs.detail END,
        finished_at = CASE WHEN decision IN ('end', 'end_late') THEN ${now} ELSE jobs.finished_at END,
        pending_since = CASE WHEN decision = 'accept' THEN ${now} ELSE jobs.pending_since END,
        may_have_executed = CASE WHEN decision = 'fail_attempt' THEN ${mayHaveExecutedBefore || result === 'may_have_executed'}::boolean ELSE jobs.may_have_executed END,
        version = jobs.version + 1
      FROM decision
      WHERE jobs.id = decision.id AND decision <> 'leave' AND NOT (starts_with(decision, 'note_') AND EXISTS (
        SELECT FROM job_events e WHERE e.job_id = jobs.id AND 'note_' || e.reason = decision AND e.detail = ${note}))
      RETURNING jobs.*, decision.decision
    ),
    event AS (
      INSERT INTO job_events (job_id, version, state, at, attempt, by, reason, detail)
      SELECT id, version, state, ${now}, ${attempt}::int,
        CASE WHEN decision = 'fail_attempt' THEN 'queue' ELSE 'controller' END,
        CASE decision WHEN 'fail_attempt' THEN 'attempt_failed' WHEN 'end_late' THEN 'late_answer'
          WHEN 'note_late_answer' THEN 'late_answer' WHEN 'note_contradiction' THEN 'contradiction' ELSE reason END,
        CASE WHEN starts_with(decision, 'note_') THEN ${note} ELSE ${detail} END
      FROM moved
    ),
    machine AS (
      UPDATE machines m SET
        status = coalesce(shown.status, m.status),
        updated_at = CASE WHEN shown.status IS NULL THEN m.updated_at ELSE ${now} END,
        revision = m.revision + CASE WHEN shown.status IS NULL THEN 0 ELSE 1 END,
        leased_until = CASE WHEN shown.holds_lease THEN NULL ELSE m.leased_until END,
        leased_by = CASE WHEN shown.holds_lease THEN NULL ELSE m.leased_by END
      FROM (
        SELECT was.machine_id, was.holds_lease, CASE
          WHEN moved.decision IS NULL OR moved.decision IN ('fail_attempt', 'note_contradiction') THEN NULL
          WHEN moved.decision = 'end_late' AND was.is_followed THEN NULL
          WHEN moved.decision = 'note_late_answer' AND was.is_outlived THEN NULL
          WHEN ${result} = 'SUCCESS' THEN CASE was.command WHEN 'START' THEN 'RUNNING' ELSE 'READY' END
          WHEN ${result} = 'PENDING' THEN 'PENDING'
          ELSE 'ERROR' END AS status
        FROM was LEFT JOIN moved ON true
      ) shown
      WHERE m.id = shown.machine_id
        AND (shown.status IS NOT NULL OR shown.holds_lease)
    ),
    current_job AS (SELECT ${jobColumns('moved')} FROM moved UNION ALL SELECT ${jobColumns('was')} FROM was)
    SELECT current_job.*, EXISTS (SELECT FROM moved) AS is_changed, CASE
      WHEN decision.decision = 'note_contradiction' THEN 'contradiction'
      WHEN decision.decision = 'note_late_answer' THEN 'noted'
      WHEN decision.decision = 'fail_attempt' THEN 'again'
      WHEN current_job.state IN ('QUEUED', 'SENT') THEN 'again'
      WHEN current_job.state = 'PENDING' THEN 'pending'
      ELSE 'ended' END AS effect
    FROM current_job, decision ORDER BY current_job.version DESC LIMIT 1`,
    ],
    options,
  )
  return row && { effect: row.effect, job: row, isChanged: row.is_changed }
}
