// Stores the outcome of a command: an answer, a report, or a missing answer of the controller. One batch serves all.
import { type SQL, sql } from 'drizzle-orm'
import type { Database } from '../../infra/database.ts'
import { sqlList } from '../../infra/rows.ts'
import {
  awaitedStates,
  type ControllerResult,
  deliverableStates,
  type JobEnd,
  type JobResult,
  type OpenState,
  openStates,
} from '../job.ts'
import { byCommand, firstOf, type JobRow, jobColumns, leaseOf, lockMachineOf, now } from './fragments.ts'

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
  job: JobRow
  isChanged: boolean
}

type SettlementRow = JobRow & { effect: Settlement['effect']; is_changed: boolean }

/** What an outcome does to a job. Decisions `note_…` add an event and do not change the state of the job. */
type Decision = 'end' | 'accept' | 'fail_attempt' | 'end_late' | 'note_late_answer' | 'note_contradiction' | 'ignore'

/** What an outcome does to an open job, by the job's state. Only the attempt that holds the lease can fail. */
const decisions: Record<OpenState, Record<ControllerResult, Decision>> = {
  QUEUED: {
    SUCCESS: 'ignore',
    REMOTEFAILED: 'ignore',
    PENDING: 'ignore',
    bad_answer: 'ignore',
    may_have_executed: 'ignore',
    busy: 'ignore',
  },
  SENT: {
    SUCCESS: 'end',
    REMOTEFAILED: 'end',
    PENDING: 'accept',
    bad_answer: 'end',
    may_have_executed: 'fail_attempt',
    busy: 'fail_attempt',
  },
  PENDING: {
    SUCCESS: 'end',
    REMOTEFAILED: 'end',
    PENDING: 'ignore',
    bad_answer: 'ignore',
    may_have_executed: 'ignore',
    busy: 'ignore',
  },
}

/** How a job ends after each result. Null: the result does not end a job. */
const ends: Record<ControllerResult, JobEnd | null> = {
  SUCCESS: { state: 'SUCCEEDED', result: 'SUCCESS', reason: null },
  REMOTEFAILED: { state: 'FAILED', result: 'REMOTEFAILED', reason: 'refused' },
  PENDING: null,
  bad_answer: { state: 'FAILED', result: 'INTERNALFAILED', reason: 'bad_answer' },
  may_have_executed: null,
  busy: null,
}

/** An SQL expression: the `Decision` about a job `target`. */
function decide(result: ControllerResult, jobResult: JobResult | null, isFinal: boolean): SQL {
  const onOpen = openStates.map((state): [SQL, Decision] => {
    const decision = decisions[state][result]
    const isState = sql`state = ${state}`
    return [decision === 'fail_attempt' ? sql`${isState} AND holds_lease` : isState, decision]
  })
  return firstOf<Decision>([
    ...onOpen,
    [sql`state IN (${sqlList(openStates)})`, 'ignore'],
    [sql`result = 'INTERNALFAILED' AND ${isFinal}::boolean`, 'end_late'],
    [sql`state = 'SUPERSEDED' AND ${jobResult}::text IS NOT NULL`, 'note_late_answer'],
    [sql`${isFinal}::boolean AND result <> ${jobResult}`, 'note_contradiction'],
    [sql`true`, 'ignore'],
  ])
}

/** The status of a machine after an outcome of its job `j`. */
function statusAfter(result: ControllerResult): SQL {
  if (result === 'SUCCESS') return byCommand(({ statusOnSuccess }) => sqlList([statusOnSuccess]))
  return result === 'PENDING' ? sql`'PENDING'` : sql`'ERROR'`
}

/**
 * Stores an outcome. A late outcome does not set the status of the machine if a newer job has decided it.
 * @returns undefined if the job does not exist
 */
export async function settle(
  database: Database,
  jobId: string,
  { result, detail, attempt, mayHaveExecutedBefore }: Outcome,
  deadlineMs?: number,
): Promise<Settlement | undefined> {
  const isFinal = result === 'SUCCESS' || result === 'REMOTEFAILED'
  const end = ends[result]
  const jobResult = end?.result ?? (result === 'PENDING' ? result : null)
  const note = detail === null ? result : `${result}: ${detail}`
  const lease = attempt === null ? null : leaseOf(jobId, attempt)
  const mayHaveExecuted = mayHaveExecutedBefore || result === 'may_have_executed'
  const options = deadlineMs === undefined ? {} : { deadlineMs }
  const [row] = await database.batch<SettlementRow>(
    'settle',
    [
      lockMachineOf(jobId),
      sql`
    WITH target AS (
      SELECT j.*, coalesce(m.leased_by = ${lease}, false) AS holds_lease, later.is_followed, later.is_followed_by_ended
      FROM jobs j JOIN machines m ON m.id = j.machine_id, LATERAL (
        SELECT count(*) > 0 AS is_followed,
          coalesce(bool_or(state NOT IN (${sqlList(openStates)})), false) AS is_followed_by_ended
        FROM jobs WHERE machine_id = j.machine_id AND (requested_at, id) > (j.requested_at, j.id)
          AND NOT (state = 'REJECTED' AND reason <> 'changed')
      ) later
      WHERE j.id = ${jobId}::uuid
    ),
    decision AS (
      SELECT target.id, ${decide(result, jobResult, isFinal)} AS decision
      FROM target
    ),
    changed AS (
      UPDATE jobs SET
        state = CASE WHEN decision = 'accept' THEN 'PENDING'
          WHEN decision IN ('end', 'end_late') THEN ${end?.state ?? null} ELSE jobs.state END,
        result = CASE WHEN decision IN ('end', 'end_late', 'accept') THEN ${jobResult} ELSE jobs.result END,
        reason = CASE WHEN decision IN ('end', 'end_late') THEN ${end?.reason ?? null} ELSE jobs.reason END,
        detail = CASE WHEN decision IN ('end', 'end_late', 'accept') THEN ${detail} ELSE jobs.detail END,
        finished_at = CASE WHEN decision IN ('end', 'end_late') THEN ${now} ELSE jobs.finished_at END,
        pending_since = CASE WHEN decision = 'accept' THEN ${now} ELSE jobs.pending_since END,
        may_have_executed = CASE WHEN decision = 'fail_attempt' THEN ${mayHaveExecuted}::boolean
          ELSE jobs.may_have_executed END,
        version = jobs.version + 1
      FROM decision
      WHERE jobs.id = decision.id AND decision <> 'ignore' AND NOT (starts_with(decision, 'note_') AND EXISTS (
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
      FROM changed
    ),
    machine AS (
      UPDATE machines m SET
        status = coalesce(after.status, m.status),
        updated_at = CASE WHEN after.status IS NULL THEN m.updated_at ELSE ${now} END,
        revision = m.revision + CASE WHEN after.status IS NULL THEN 0 ELSE 1 END,
        leased_until = CASE WHEN after.holds_lease THEN NULL ELSE m.leased_until END,
        leased_by = CASE WHEN after.holds_lease THEN NULL ELSE m.leased_by END
      FROM (
        SELECT j.machine_id, j.holds_lease, CASE
          WHEN changed.decision IS NULL OR changed.decision IN ('fail_attempt', 'note_contradiction') THEN NULL
          WHEN changed.decision = 'end_late' AND j.is_followed THEN NULL
          WHEN changed.decision = 'note_late_answer' AND j.is_followed_by_ended THEN NULL
          ELSE ${statusAfter(result)} END AS status
        FROM target j LEFT JOIN changed ON true
      ) after
      WHERE m.id = after.machine_id
        AND (after.status IS NOT NULL OR after.holds_lease)
    ),
    current_job AS (
      SELECT ${jobColumns.of('changed')} FROM changed UNION ALL SELECT ${jobColumns.of('target')} FROM target
    )
    SELECT current_job.*, EXISTS (SELECT FROM changed) AS is_changed, CASE
      WHEN decision.decision = 'note_contradiction' THEN 'contradiction'
      WHEN decision.decision = 'note_late_answer' THEN 'noted'
      WHEN decision.decision = 'fail_attempt' THEN 'retry'
      WHEN current_job.state IN (${sqlList(deliverableStates)}) THEN 'retry'
      WHEN current_job.state IN (${sqlList(awaitedStates)}) THEN 'pending'
      ELSE 'ended' END AS effect
    FROM current_job, decision ORDER BY current_job.version DESC LIMIT 1`,
    ],
    options,
  )
  return row && { effect: row.effect, job: row, isChanged: row.is_changed }
}
