// What an outcome of a command does to its job and to the machine: tables, and the SQL expressions that are made from them.
import { type SQL, sql } from 'drizzle-orm'
import { constantSql, firstOf, sqlList } from '../../infra/rows.ts'
import { type ControllerResult, type JobEnd, type JobResult, type OpenState, openStates } from '../job.ts'
import { byCommand } from './fragments.ts'

/** What an outcome does to a job. Decisions `note_…` add an event and do not change the state of the job. */
type Decision = 'end' | 'accept' | 'fail_attempt' | 'end_late' | 'note_late_answer' | 'note_contradiction' | 'ignore'

/** What an outcome does to an open job, by the job's state. Only the attempt that holds the lease can fail. */
const decisions: Record<OpenState, Record<ControllerResult, Decision>> = {
  // The controller knows of the job: the database was restored from a backup after the command was sent.
  QUEUED: {
    SUCCESS: 'end',
    REMOTEFAILED: 'end',
    PENDING: 'accept',
    bad_answer: 'ignore',
    may_have_executed: 'ignore',
    busy: 'ignore',
    not_confirmed: 'ignore',
  },
  SENT: {
    SUCCESS: 'end',
    REMOTEFAILED: 'end',
    PENDING: 'accept',
    bad_answer: 'end',
    may_have_executed: 'fail_attempt',
    busy: 'fail_attempt',
    not_confirmed: 'end',
  },
  PENDING: {
    SUCCESS: 'end',
    REMOTEFAILED: 'end',
    PENDING: 'ignore',
    bad_answer: 'ignore',
    may_have_executed: 'ignore',
    busy: 'ignore',
    not_confirmed: 'ignore',
  },
}

/** How a job ends after each result. Null: the result does not end a job. */
export const ends: Record<ControllerResult, JobEnd | null> = {
  SUCCESS: { state: 'SUCCEEDED', result: 'SUCCESS', reason: null },
  REMOTEFAILED: { state: 'FAILED', result: 'REMOTEFAILED', reason: 'refused' },
  PENDING: null,
  bad_answer: { state: 'FAILED', result: 'INTERNALFAILED', reason: 'bad_answer' },
  may_have_executed: null,
  busy: null,
  not_confirmed: { state: 'REJECTED', result: 'INVALIDCOMMAND', reason: 'controller_refused' },
}

/** Results with which a controller says something about the command. */
const answers: readonly ControllerResult[] = ['SUCCESS', 'REMOTEFAILED', 'PENDING', 'bad_answer']

/** An SQL expression: the `Decision` about a job `target`. */
export function decide(result: ControllerResult, jobResult: JobResult | null, isFinal: boolean): SQL {
  const isAnswer = answers.includes(result)
  const onOpen = openStates.map((state): [SQL, Decision] => {
    const decision = decisions[state][result]
    const isState = sql`state = ${state}`
    return [decision === 'fail_attempt' ? sql`${isState} AND holds_lease` : isState, decision]
  })
  return firstOf<Decision>([
    ...onOpen,
    [sql`state IN (${sqlList(openStates)})`, 'ignore'],
    [sql`result = 'INTERNALFAILED' AND ${isFinal}::boolean`, 'end_late'],
    [sql`state = 'SUPERSEDED' AND ${isAnswer}::boolean`, 'note_late_answer'],
    [sql`${isFinal}::boolean AND result <> ${jobResult}`, 'note_contradiction'],
    [sql`true`, 'ignore'],
  ])
}

const statusOnSuccess = constantSql(byCommand((rule) => sqlList([rule.statusOnSuccess])))

/** After a failure: ERROR, unless a fresh report of the machine says otherwise. `fresh` is the status in it, or NULL. */
const error = sql.raw("coalesce(fresh, 'ERROR')")

/** The status of the machine after an outcome of its job `j`. NULL: it does not change. Needs `fresh`. */
export function statusAfter(result: ControllerResult): SQL {
  if (result === 'SUCCESS') return statusOnSuccess
  if (result === 'PENDING') return sql`'PENDING'`
  // The command was not sent, so the machine is as it was, unless the job that it superseded may have been executed.
  return result === 'not_confirmed' ? sql`CASE WHEN j.must_succeed THEN ${error} END` : error
}

/** A late success after a later job has ended: the machine may be moving although it was stopped. Somebody must look. */
const statusOnOvertakenSuccess = constantSql(
  byCommand(({ statusOnSuccess: status }) => (status === 'RUNNING' ? error : null)),
)

/**
 * The status of the machine after an answer that came when its job `j` had ended. NULL: it does not change. A machine that
 * reports RUNNING is not READY because it stopped once: it would be started. Needs `fresh`, and in `j` the columns
 * `manual_sequence` and `ended_sequence` of the machine.
 */
export function statusAfterLate(result: ControllerResult): SQL {
  return sql`CASE WHEN j.sequence <= j.manual_sequence THEN NULL
    WHEN j.sequence < j.ended_sequence THEN ${result === 'SUCCESS' ? statusOnOvertakenSuccess : sql`NULL`}
    WHEN fresh = 'RUNNING' THEN fresh ELSE ${statusAfter(result)} END`
}
