// States, results and reasons of jobs, and their time limits.
import { cutText } from '../kernel/text.ts'

/** States in which QStash delivers the job. */
export const deliverableStates = ['QUEUED', 'SENT'] as const
/** States in which the controller has accepted the command and will report the outcome. */
export const awaitedStates = ['PENDING'] as const
export const openStates = [...deliverableStates, ...awaitedStates] as const
export type OpenState = (typeof openStates)[number]

export const finalStates = [
  'SUCCEEDED',
  'FAILED',
  'REJECTED',
  'EXPIRED',
  'TIMED_OUT',
  'CANCELED',
  'SUPERSEDED',
] as const
export type FinalState = (typeof finalStates)[number]

export const jobStates = [...openStates, ...finalStates] as const
export type JobState = (typeof jobStates)[number]

export function isOpen(state: JobState): boolean {
  const open: readonly JobState[] = openStates
  return open.includes(state)
}

/** The index plus 1 is the number of the result in the old system, 1 to 7. */
export const jobResults = [
  'SUCCESS',
  'REMOTEFAILED',
  'INTERNALFAILED',
  'PENDING',
  'PERMISSIONDENIED',
  'INVALIDCOMMAND',
  'IGNORE',
] as const
export type JobResult = (typeof jobResults)[number]

/** Why a request was refused, and the result of the job that records the refusal. */
export const refusalResults = {
  wrong_state: 'INVALIDCOMMAND',
  job_open: 'INVALIDCOMMAND',
  no_controller: 'INVALIDCOMMAND',
  held: 'INVALIDCOMMAND',
  stale: 'INVALIDCOMMAND',
  remote_disabled: 'INVALIDCOMMAND',
} as const satisfies Record<string, JobResult>
export type Refusal = keyof typeof refusalResults
const refusals = Object.keys(refusalResults) as [Refusal, ...Refusal[]] // Object.keys returns string[]

export const jobReasons = [
  ...refusals,
  'not_owner',
  'not_allowed',
  'changed',
  'controller_refused',
  'refused',
  'bad_answer',
  'outcome_unknown',
  'unreachable',
  'not_in_time',
  'no_report',
  'by_person',
  'by_stop',
  'by_hold',
] as const
export type JobReason = (typeof jobReasons)[number]

/** The last five occur only in events: a failed attempt, late answers, and what the reports of the machine show. */
export const eventReasons = [
  ...jobReasons,
  'attempt_failed',
  'late_answer',
  'contradiction',
  'confirmed',
  'unconfirmed',
] as const
export type EventReason = (typeof eventReasons)[number]

/** Who changes a job, besides accounts. */
export const eventActors = ['queue', 'controller', 'machine', 'sweep'] as const
export type EventActor = (typeof eventActors)[number]

/** How a job ends. */
export type JobEnd = { state: FinalState; result: JobResult; reason: JobReason | null }

/**
 * The result of a command, from an answer, a report or a missing answer. `bad_answer`: the response is invalid.
 * `may_have_executed`: no response tells what the machine did. `busy`: the machine certainly did nothing (429, 503).
 * `not_confirmed`: the controller did not confirm that it controls this machine, so the command was not sent.
 */
export type ControllerResult =
  | 'SUCCESS'
  | 'REMOTEFAILED'
  | 'PENDING'
  | 'bad_answer'
  | 'may_have_executed'
  | 'busy'
  | 'not_confirmed'

/** The lease of one attempt: longer than the time-out of a controller (10 s) plus the time to store its answer (8 s). */
export const leaseSeconds = 20

/** How long a controller that answered PENDING may take to report the outcome. */
export const pendingSeconds = 600

/** How long after the success of a command the reports have time to confirm it. Then the event `unconfirmed` is added. */
export const confirmSeconds = 60

/** How long after the end of a job with an unknown outcome a report of the machine can still settle it. */
export const settleSeconds = 600

export const maxDetailLength = 1_000

/** Makes text from outside storable in PostgreSQL: no NUL, no lone surrogates, at most 1,000 characters. */
export function toDetail(text: string): string {
  return cutText(text, maxDetailLength)
}
