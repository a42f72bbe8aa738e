// Stores what a controller answered or reported, or that it did not: one batch for answers and reports alike.
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
  job: JobRow
  isChanged: boolean
}

type SettlementRow = JobRow & { effect: Settlement['effect']; is_changed: boolean }

/** What an outcome does to a job. Notes leave the job as it is and stand in its timeline. */
type Decision = 'end' | 'accept' | 'fail_attempt' | 'end_late' | 'note_late_answer' | 'note_contradiction' | 'leave'

/** What an outcome does to an open job, by the job's state. Only the attempt that holds the lease can fail. */
const decisions: Record<OpenState, Record<ControllerResult, Decision>> = {
  QUEUED: {
    SUCCESS: 'leave',
    REMOTEFAILED: 'leave',
    PENDING: 'leave',
    bad_answer: 'leave',
    may_have_executed: 'leave',
    busy: 'leave',
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
    PENDING: 'leave',
    bad_answer: 'leave',
    may_have_executed: 'leave',
    busy: 'leave',
  },
}

/** How a job ends by what the controller said. Null: that does not end a job. */
const ends: Record<ControllerResult, JobEnd | null> = {
  SUCCESS: { state: 'SUCCEEDED', result: 'SUCCESS', reason: null },
  REMOTEFAILED: { state: 'FAILED', result: 'REMOTEFAILED', reason: 'refused' },
  PENDING: null,
  bad_answer: { state: 'FAILED', result: 'INTERNALFAILED', reason: 'bad_answer' },
  may_have_executed: null,
  busy: null,
}

/** The statement's decision on a job `was`. */
function decide(result: ControllerResult, jobResult: JobResult | null, isFinal: boolean): SQL {
  const onOpen = openStates.map((state): [SQL, Decision] => {
    const decision = decisions[state][result]
    const isState = sql`state = ${state}`
    return [decision === 'fail_attempt' ? sql`${isState} AND holds_lease` : isState, decision]
  })
  return firstOf<Decision>([
    ...onOpen,
    [sql`state IN (${sqlList(openStates)})`, 'leave'],
    [sql`result = 'INTERNALFAILED' AND ${isFinal}::boolean`, 'end_late'],
    [sql`state = 'SUPERSEDED' AND ${jobResult}::text IS NOT NULL`, 'note_late_answer'],
    [sql`${isFinal}::boolean AND result <> ${jobResult}`, 'note_contradiction'],
    [sql`true`, 'leave'],
  ])
}

/** The status that an outcome gives to the machine of a job `j`. Null: none. */
function statusAfter(result: ControllerResult): SQL {
  if (result === 'SUCCESS') return byCommand(({ statusOnSuccess }) => sqlList([statusOnSuccess]))
  return result === 'PENDING' ? sql`'PENDING'` : sql`'ERROR'`
}

/** Stores an outcome. Undefined: no such job. */
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
    WITH was AS (
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
      SELECT was.id, ${decide(result, jobResult, isFinal)} AS decision
      FROM was
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
        FROM was j LEFT JOIN changed ON true
      ) after
      WHERE m.id = after.machine_id
        AND (after.status IS NOT NULL OR after.holds_lease)
    ),
    current_job AS (SELECT ${jobColumns.of('changed')} FROM changed UNION ALL SELECT ${jobColumns.of('was')} FROM was)
    SELECT current_job.*, EXISTS (SELECT FROM changed) AS is_changed, CASE
      WHEN decision.decision = 'note_contradiction' THEN 'contradiction'
      WHEN decision.decision = 'note_late_answer' THEN 'noted'
      WHEN decision.decision = 'fail_attempt' THEN 'again'
      WHEN current_job.state IN (${sqlList(deliverableStates)}) THEN 'again'
      WHEN current_job.state IN (${sqlList(awaitedStates)}) THEN 'pending'
      ELSE 'ended' END AS effect
    FROM current_job, decision ORDER BY current_job.version DESC LIMIT 1`,
    ],
    options,
  )
  return row && { effect: row.effect, job: row, isChanged: row.is_changed }
}
