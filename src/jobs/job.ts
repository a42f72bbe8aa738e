// What a job is: its states, results and reasons, and how long things may take.

/** QStash delivers the job. */
export const deliverableStates = ['QUEUED', 'SENT'] as const
/** The controller has accepted the command and will report the outcome. */
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

/** In the order of the old system's numbers: 1 to 7. */
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
  not_owner: 'PERMISSIONDENIED',
  wrong_state: 'INVALIDCOMMAND',
  job_open: 'INVALIDCOMMAND',
  no_controller: 'INVALIDCOMMAND',
} as const satisfies Record<string, JobResult>
export type Refusal = keyof typeof refusalResults
const refusals = Object.keys(refusalResults) as [Refusal, ...Refusal[]] // Object.keys forgets the key type

export const jobReasons = [
  ...refusals,
  'changed',
  'refused',
  'bad_answer',
  'outcome_unknown',
  'unreachable',
  'not_in_time',
  'no_report',
  'by_person',
  'by_stop',
] as const
export type JobReason = (typeof jobReasons)[number]

/** Reasons that only events have: the end of an attempt, and notes. */
export const eventReasons = [...jobReasons, 'attempt_failed', 'late_answer', 'contradiction'] as const
export type EventReason = (typeof eventReasons)[number]

/** Who changes a job, beside people. */
export const eventActors = ['queue', 'controller', 'sweep'] as const
export type EventActor = (typeof eventActors)[number]

/** How a job ends. */
export type JobEnd = { state: FinalState; result: JobResult; reason: JobReason | null }

/**
 * What a controller answered or reported, or what is known without an answer: `bad_answer` is an invalid response,
 * `may_have_executed` no response that says what the machine did, `busy` the certainty that it did nothing (429, 503).
 */
export type ControllerResult = 'SUCCESS' | 'REMOTEFAILED' | 'PENDING' | 'bad_answer' | 'may_have_executed' | 'busy'

/** How long one attempt has the machine to itself: longer than the controller's time-out and the storing of its answer. */
export const leaseSeconds = 20
export const controllerTimeoutMs = 10_000

/** How long a controller that answered PENDING may take to report the outcome. */
export const pendingSeconds = 600

export const longestDetail = 1_000

/** Free text from outside in the shape that PostgreSQL can store. */
export function toDetail(text: string): string {
  // Cut by code units first: only the beginning has to be split into code points.
  const beginning = text
    .replaceAll('\0', '')
    .toWellFormed()
    .slice(0, 2 * longestDetail)
  return [...beginning].slice(0, longestDetail).join('')
}
