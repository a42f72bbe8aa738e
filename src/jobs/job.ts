// What a job is: its states, results and reasons, and how long things may take.
import { toRfc3339 } from '../kernel/time.ts'

export const commands = ['START', 'STOP'] as const
export type Command = (typeof commands)[number]

export const jobStates = [
  'QUEUED',
  'SENT',
  'PENDING',
  'SUCCEEDED',
  'FAILED',
  'REJECTED',
  'EXPIRED',
  'TIMED_OUT',
  'CANCELED',
  'SUPERSEDED',
] as const
export type JobState = (typeof jobStates)[number]

/** In the old system's order: 1 to 7. */
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

/** Why a job was refused at the door. */
export const refusals = ['not_owner', 'wrong_state', 'job_open', 'no_controller'] as const
export type Refusal = (typeof refusals)[number]

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

export type Job = {
  id: string
  machine_id: number
  machine_owner_id: number
  command: Command
  state: JobState
  result: JobResult | null
  reason: JobReason | null
  detail: string | null
  attempts: number
  requested_by: number
  requested_at: string
  not_after: string
  sent_at: string | null
  finished_at: string | null
  version: number
}

export type JobEvent = {
  version: number
  state: JobState
  at: string
  attempt: number | null
  by: number | 'queue' | 'controller' | 'sweep'
  reason: EventReason | null
  detail: string | null
}

/** Takes a job out of a row, which may have more columns, and brings its times into the API's form. */
export function toJob(row: Job): Job {
  return {
    id: row.id,
    machine_id: row.machine_id,
    machine_owner_id: row.machine_owner_id,
    command: row.command,
    state: row.state,
    result: row.result,
    reason: row.reason,
    detail: row.detail,
    attempts: row.attempts,
    requested_by: row.requested_by,
    requested_at: toRfc3339(row.requested_at),
    not_after: toRfc3339(row.not_after),
    sent_at: row.sent_at && toRfc3339(row.sent_at),
    finished_at: row.finished_at && toRfc3339(row.finished_at),
    version: row.version,
  }
}

export function isOpen(state: JobState): boolean {
  return state === 'QUEUED' || state === 'SENT' || state === 'PENDING'
}

/** How long after its request a command may still be sent, unless the request says otherwise. */
export const expiresInSeconds: Record<Command, number> = {
  START: 60,
  STOP: 600,
}

/** A START is tried this often; a STOP until its time is over. */
export const startAttempts = 4

/** What the queue does by itself before it calls back with the failure. */
export const queueRetries: Record<Command, number> = { START: 3, STOP: 5 }

/** How long one attempt has the machine to itself: longer than the controller's answer and our own writing may take. */
export const leaseSeconds = 20
export const controllerTimeoutMs = 10_000

/** How long a controller that answered PENDING may take to report the outcome. */
export const pendingSeconds = 600

export const longestDetail = 1_000

/** Free text from outside in the shape that PostgreSQL can hold. */
export function toDetail(text: string): string {
  return [
    ...text
      .replaceAll('\0', '')
      .toWellFormed()
      .slice(0, 2 * longestDetail),
  ]
    .slice(0, longestDetail)
    .join('')
}
