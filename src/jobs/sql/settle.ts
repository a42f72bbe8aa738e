// Stores the outcome of a command: an answer, a report, or a missing answer of the controller. One batch serves all.
import { type SQL, sql } from 'drizzle-orm'
import type { Database } from '../../infra/database.ts'
import { type Bindable, prepare } from '../../infra/prepare.ts'
import { constantSql, sqlList } from '../../infra/rows.ts'
import { setStatus, sourceOf } from '../../machines/sql/fragments.ts'
import { freshStatus } from '../../machines/sql/report.ts'
import { awaitedStates, type ControllerResult, deliverableStates, type JobResult, pendingSeconds } from '../job.ts'
import {
  type ChangedJob,
  delayAfter,
  dueAfterDelivery,
  jobColumns,
  leaseOf,
  lockMachineOf,
  now,
  numberLiteral,
} from './fragments.ts'
import { decide, ends, statusAfter, statusAfterLate } from './outcomes.ts'

export type Outcome = {
  result: ControllerResult
  detail: string | null
  /** Null for a report, which belongs to no attempt. */
  attempt: number | null
  /** Whether an earlier attempt may have been executed. */
  mayHaveExecutedBefore: boolean
}

/**
 * `ended`: the job has ended, now or before with the same result · `pending`: the controller will report · `retry`: the
 * attempt failed, the job is open · `noted`: only an event was added · `contradiction`: it ended with another result
 */
export type Settlement = {
  effect: 'ended' | 'pending' | 'retry' | 'noted' | 'contradiction'
  job: ChangedJob
  isChanged: boolean
}

type SettlementRow = ChangedJob & { effect: Settlement['effect']; is_changed: boolean }

/** A message that QStash never accepted is not delivered again, so the sweep does not wait for QStash. */
const dueAfterFailure = constantSql(sql`CASE WHEN jobs.published_at IS NULL THEN jobs.next_attempt_at
  ELSE ${dueAfterDelivery(sql`${now} + ${delayAfter(sql`jobs.attempts`)}`)} END`)

type Values = {
  jobId: string
  /** Null: the outcome belongs to no attempt. */
  lease: string | null
  detail: string | null
  note: string
  attempt: number | null
  mayHaveExecuted: boolean
}

type Shape = { result: ControllerResult }

/** The result of a job after an outcome. */
function jobResultOf(result: ControllerResult): JobResult | null {
  return ends[result]?.result ?? (result === 'PENDING' ? result : null)
}

/** The outcome of a command that the machine fetched names no attempt: there is at most one at a time. */
const isLeaseOfFetched = sql.raw("m.controller_url IS NULL AND split_part(m.leased_by, ':', 1) = j.id::text")

/** CTEs: the job as `target`, and what becomes of it as `decision`. */
function selectDecision({ jobId, lease }: Bindable<Pick<Values, 'jobId' | 'lease'>>, result: ControllerResult): SQL {
  const isFinal = result === 'SUCCESS' || result === 'REMOTEFAILED'
  return sql`
    target AS (
      SELECT j.*, m.site_id, m.manual_sequence, m.ended_sequence,
        coalesce(m.leased_by = ${lease} OR ${isLeaseOfFetched}, false) AS holds_lease
      FROM jobs j JOIN machines m ON m.id = j.machine_id WHERE j.id = ${jobId}::uuid
    ),
    decision AS (
      SELECT id, decision, decision = 'ignore' OR EXISTS (
        SELECT FROM job_events e WHERE e.job_id = decided.id AND 'note_' || e.reason = decision
          AND split_part(e.detail, ':', 1) = ${result}
      ) AS changes_nothing
      FROM (SELECT target.id, ${decide(result, jobResultOf(result), isFinal)} AS decision FROM target) decided
    )`
}

/**
 * The lock for a report. One that changes nothing never will, and locks nothing: its token is valid for 24 h, so an
 * earlier controller of the machine could delay the owner with it.
 */
const lockForReport = prepare<Pick<Values, 'jobId' | 'lease'>, Shape>(
  (value, { result }) => sql`
    WITH ${selectDecision(value, result)}
    SELECT m.id FROM machines m, target, decision WHERE m.id = target.machine_id AND NOT decision.changes_nothing
    FOR NO KEY UPDATE OF m`,
)

const settlement = prepare<Values, Shape>((value, { result }) => {
  const end = ends[result]
  const jobResult = jobResultOf(result)
  return sql`
    WITH ${selectDecision(value, result)},
    changed AS (
      UPDATE jobs SET
        state = CASE WHEN decision = 'accept' THEN 'PENDING'
          WHEN decision IN ('end', 'end_late') THEN ${end?.state ?? null} ELSE jobs.state END,
        result = CASE WHEN decision IN ('end', 'end_late', 'accept') THEN ${jobResult} ELSE jobs.result END,
        reason = CASE WHEN decision IN ('end', 'end_late') THEN ${end?.reason ?? null} ELSE jobs.reason END,
        detail = CASE WHEN decision IN ('end', 'end_late', 'accept') THEN ${value.detail} ELSE jobs.detail END,
        finished_at = CASE WHEN decision IN ('end', 'end_late') THEN ${now} ELSE jobs.finished_at END,
        pending_since = CASE WHEN decision = 'accept' THEN ${now} ELSE jobs.pending_since END,
        may_have_executed = CASE WHEN decision = 'fail_attempt' THEN ${value.mayHaveExecuted}::boolean
          ELSE jobs.may_have_executed END,
        due_at = CASE decision WHEN 'accept' THEN ${now} + interval '${numberLiteral(pendingSeconds)} seconds'
          WHEN 'fail_attempt' THEN ${dueAfterFailure} ELSE jobs.due_at END,
        version = jobs.version + 1
      FROM decision
      WHERE jobs.id = decision.id AND NOT decision.changes_nothing
      RETURNING jobs.*, decision.decision
    ),
    event AS (
      INSERT INTO job_events (job_id, version, state, at, attempt, by, reason, detail)
      SELECT id, version, state, ${now}, ${value.attempt}::int,
        CASE WHEN decision = 'fail_attempt' THEN 'queue' ELSE 'controller' END,
        CASE decision WHEN 'fail_attempt' THEN 'attempt_failed' WHEN 'end_late' THEN 'late_answer'
          WHEN 'note_late_answer' THEN 'late_answer' WHEN 'note_contradiction' THEN 'contradiction' ELSE reason END,
        CASE WHEN starts_with(decision, 'note_') THEN ${value.note} ELSE ${value.detail} END
      FROM changed
    ),
    machine AS (
      UPDATE machines m SET
        ${setStatus(sql`after.status`, sourceOf(sql`after.status`, sql`after.fresh`))},
        ended_sequence = greatest(m.ended_sequence, after.ended_sequence),
        leased_until = CASE WHEN after.holds_lease THEN NULL ELSE m.leased_until END,
        leased_by = CASE WHEN after.holds_lease THEN NULL ELSE m.leased_by END
      FROM (
        SELECT j.machine_id, report.fresh, j.holds_lease,
          CASE WHEN changed.decision = 'end' THEN j.sequence END AS ended_sequence,
          CASE WHEN changed.decision IN ('end', 'accept') THEN ${statusAfter(result)}
            WHEN changed.decision IN ('end_late', 'note_late_answer') THEN ${statusAfterLate(result)} END AS status
        FROM target j LEFT JOIN changed ON true, LATERAL (SELECT ${freshStatus(sql`j.machine_id`)} AS fresh) report
      ) after
      WHERE m.id = after.machine_id
        AND (after.status IS NOT NULL OR after.holds_lease OR after.ended_sequence IS NOT NULL)
      RETURNING CASE WHEN after.status IS NOT NULL THEN m.revision END AS revision
    ),
    current_job AS (
      SELECT ${jobColumns.of('changed')} FROM changed UNION ALL SELECT ${jobColumns.of('target')} FROM target
    )
    SELECT current_job.*, (SELECT site_id FROM target) AS site_id, (SELECT revision FROM machine) AS revision, EXISTS (SELECT FROM changed) AS is_changed, CASE
      WHEN decision.decision = 'note_contradiction' THEN 'contradiction'
      WHEN decision.decision = 'note_late_answer' THEN 'noted'
      WHEN decision.decision = 'fail_attempt' THEN 'retry'
      WHEN current_job.state IN (${sqlList(deliverableStates)}) THEN 'retry'
      WHEN current_job.state IN (${sqlList(awaitedStates)}) THEN 'pending'
      ELSE 'ended' END AS effect
    FROM current_job, decision ORDER BY current_job.version DESC LIMIT 1`
})

/**
 * Stores an outcome. A late outcome does not set the status of the machine if a later job, by sequence, has ended, or if
 * a person has changed the status or the controller since.
 * @returns undefined if the job does not exist
 */
export async function settle(
  database: Database,
  jobId: string,
  { result, detail, attempt, mayHaveExecutedBefore }: Outcome,
  deadlineMs?: number,
): Promise<Settlement | undefined> {
  const values: Values = {
    jobId,
    lease: attempt === null ? null : leaseOf(jobId, attempt),
    detail,
    note: detail === null ? result : `${result}: ${detail}`,
    attempt,
    mayHaveExecuted: mayHaveExecutedBefore || result === 'may_have_executed',
  }
  const options = deadlineMs === undefined ? {} : { deadlineMs }
  const lock = attempt === null ? lockForReport(values, { result }) : lockMachineOf({ jobId })
  const statements = [lock, settlement(values, { result })]
  const [row] = await database.batch<SettlementRow>('settle', statements, options)
  return row && { effect: row.effect, job: row, isChanged: row.is_changed }
}
