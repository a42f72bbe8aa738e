// What happens next to a job: one SQL expression, which claim, failure callback and sweep embed and carry out.
import { type SQL, sql } from 'drizzle-orm'
import { sqlList } from '../../infra/rows.ts'
import { awaitedStates, deliverableStates, type EventActor, type JobEnd, pendingSeconds } from '../job.ts'
import { byCommand, firstOf, now, number } from './fragments.ts'

/** Steps that end the job. */
type EndingStep = 'expire' | 'reject' | 'fail_outcome_unknown' | 'fail_unreachable' | 'time_out'

/**
 * `wait`: the controller will report · `leased`: another attempt has the machine · `send`: begin an attempt · all others
 * end the job.
 */
export type Step = 'wait' | 'leased' | 'send' | EndingStep

const isAwaited = sql`j.state IN (${sqlList(awaitedStates)})`
const isOverdue = sql`j.pending_since + interval '${number(pendingSeconds)} seconds' <= ${now}`
const isUsedUp = sql`j.attempts >= ${byCommand(({ maxAttempts }) => (maxAttempts === null ? null : number(maxAttempts)))}`
const isLate = sql`j.not_after <= ${now}`
const hasFitStatus = byCommand(({ isCheckedWhenSent, admittedIn }) => {
  return isCheckedWhenSent ? sql`m.status IN (${sqlList(admittedIn)})` : sql`true`
})
/** The machine is no longer one that the command may be sent to. */
const isChanged = sql`(m.deleted_at IS NOT NULL OR m.controller_url IS NULL OR NOT ${hasFitStatus})`

/** What happens next to a job `j` of a machine `m`, as a `Step`. Null: the job has ended. */
export const nextStep = firstOf<Step>([
  [sql`${isAwaited} AND ${isOverdue}`, 'time_out'],
  [isAwaited, 'wait'],
  [sql`j.state NOT IN (${sqlList(deliverableStates)})`, null],
  [sql`m.leased_until > ${now}`, 'leased'],
  [sql`${isUsedUp} AND j.may_have_executed`, 'fail_outcome_unknown'],
  [isUsedUp, 'fail_unreachable'],
  [sql`${isLate} AND j.may_have_executed`, 'fail_outcome_unknown'],
  [isLate, 'expire'],
  // Rejected only while it is certain that the command was never carried out.
  [sql`${isChanged} AND j.may_have_executed`, 'fail_outcome_unknown'],
  [isChanged, 'reject'],
  [sql`true`, 'send'],
])

/** `isMachineInError`: the machine is in ERROR afterwards; otherwise only if the job had to succeed. */
type End = JobEnd & { isMachineInError: boolean }

const ends: Record<EndingStep, End> = {
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

/** CTEs that end the jobs of `due` whose step says so, with event and machine. They need `due (id, version, step)`. */
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
