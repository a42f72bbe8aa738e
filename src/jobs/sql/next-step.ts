// The next step of a job: one SQL expression. The claim, the failure callback and the sweep embed it and carry it out.
import { type SQL, sql } from 'drizzle-orm'
import { sqlList } from '../../infra/rows.ts'
import { awaitedStates, deliverableStates, type EventActor, type JobEnd, pendingSeconds } from '../job.ts'
import { byCommand, firstOf, now, numberLiteral } from './fragments.ts'

/** Steps that end the job. */
type FinalStep = 'expire' | 'reject' | 'fail_outcome_unknown' | 'fail_unreachable' | 'time_out'

/**
 * `wait`: the controller will report · `leased`: another attempt holds the lease · `send`: begin an attempt · all other
 * steps end the job.
 */
export type Step = 'wait' | 'leased' | 'send' | FinalStep

const isAwaited = sql`j.state IN (${sqlList(awaitedStates)})`
const isOverdue = sql`j.pending_since + interval '${numberLiteral(pendingSeconds)} seconds' <= ${now}`
const hasNoAttemptsLeft = sql`j.attempts >= ${byCommand(({ maxAttempts }) => (maxAttempts === null ? null : numberLiteral(maxAttempts)))}`
const isExpired = sql`j.not_after <= ${now}`
const hasAcceptedStatus = byCommand(({ isCheckedWhenSent, acceptedIn }) => {
  return isCheckedWhenSent ? sql`m.status IN (${sqlList(acceptedIn)})` : sql`true`
})
/** The machine has changed since the request, so the command may no longer be sent to it. */
const isChanged = sql`(m.deleted_at IS NOT NULL OR m.controller_url IS NULL OR NOT ${hasAcceptedStatus})`

/** The next `Step` of a job `j` of a machine `m`. NULL: the job has ended. */
export const nextStep = firstOf<Step>([
  [sql`${isAwaited} AND ${isOverdue}`, 'time_out'],
  [isAwaited, 'wait'],
  [sql`j.state NOT IN (${sqlList(deliverableStates)})`, null],
  [sql`m.leased_until > ${now}`, 'leased'],
  [sql`${hasNoAttemptsLeft} AND j.may_have_executed`, 'fail_outcome_unknown'],
  [hasNoAttemptsLeft, 'fail_unreachable'],
  [sql`${isExpired} AND j.may_have_executed`, 'fail_outcome_unknown'],
  [isExpired, 'expire'],
  // A job is REJECTED only if its command has certainly never been executed.
  [sql`${isChanged} AND j.may_have_executed`, 'fail_outcome_unknown'],
  [isChanged, 'reject'],
  [sql`true`, 'send'],
])

/** `isMachineInError`: the machine goes to ERROR. Without it, only a job with `must_succeed` sends it to ERROR. */
type End = JobEnd & { isMachineInError: boolean }

const ends: Record<FinalStep, End> = {
  expire: { state: 'EXPIRED', result: 'IGNORE', reason: 'not_in_time', isMachineInError: false },
  reject: { state: 'REJECTED', result: 'INVALIDCOMMAND', reason: 'changed', isMachineInError: false },
  fail_outcome_unknown: {
    state: 'FAILED',
    result: 'INTERNALFAILED',
    reason: 'outcome_unknown',
    isMachineInError: true,
  },
  fail_unreachable: { state: 'FAILED', result: 'INTERNALFAILED', reason: 'unreachable', isMachineInError: true },
  time_out: { state: 'TIMED_OUT', result: 'INTERNALFAILED', reason: 'no_report', isMachineInError: true },
}

const endRows = Object.entries(ends).map(([step, { state, result, reason, isMachineInError }]) => {
  return sql`(${sqlList([step, state, result])}, ${reason === null ? sql`NULL` : sqlList([reason])}, ${sql.raw(String(isMachineInError))})`
})
const endsTable = sql`ends (step, state, result, reason, is_machine_in_error) AS (VALUES ${sql.join(endRows, sql`, `)})`

/** CTEs that end the jobs in `due` with a `FinalStep`, and store event and machine. Need `due (id, version, step)`. */
export function endJobs(by: EventActor): SQL {
  return sql`${endsTable},
    ended AS (
      UPDATE jobs SET state = ends.state, result = ends.result, reason = ends.reason, finished_at = ${now},
        version = jobs.version + 1
      FROM due JOIN ends ON ends.step = due.step
      WHERE jobs.id = due.id AND jobs.version = due.version
      RETURNING jobs.*, ends.is_machine_in_error
    ),
    ended_events AS (
      INSERT INTO job_events (job_id, version, state, at, attempt, by, reason)
      SELECT id, version, state, ${now}, nullif(attempts, 0), ${by}, reason FROM ended
    ),
    machines_in_error AS (
      UPDATE machines SET status = 'ERROR', updated_at = ${now}, revision = revision + 1
      FROM ended WHERE machines.id = ended.machine_id AND (ended.is_machine_in_error OR ended.must_succeed)
    )`
}
