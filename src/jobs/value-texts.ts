// What each value of the closed lists of jobs means, for the OpenAPI document.
import type { ValueTexts } from '../http/openapi/fields.ts'
import { commandRules, commands } from './commands.ts'
import type { eventActors, eventReasons, jobReasons, jobResults, jobStates } from './job.ts'

const descriptions = commands.map((command) => [command, commandRules[command].description])
export const commandTexts = Object.fromEntries(descriptions) as ValueTexts<typeof commands> // of every command

/** Open states come to an end by themselves; only a late report of the controller still changes a final one. */
export const stateTexts: ValueTexts<typeof jobStates> = {
  QUEUED: 'Open: accepted, and not yet sent to the controller.',
  SENT: 'Open: an attempt to send it has begun, and the controller has not answered.',
  PENDING: 'Open: the controller has taken the command and will report the outcome.',
  SUCCEEDED: 'Final: the controller did what it was told.',
  FAILED: 'Final: the controller refused, or the outcome is not known. If it is not, a late report is still taken.',
  REJECTED: 'Final: not sent, because it was not allowed or the machine was changed.',
  EXPIRED: 'Final: not carried out, because its time was over.',
  TIMED_OUT: 'Final: the controller took the command and did not report in time. A late report is still taken.',
  CANCELED: 'Final: a person cancelled it before it was sent.',
  SUPERSEDED: 'Final: a STOP took its place.',
}

export const resultTexts: ValueTexts<typeof jobResults> = {
  SUCCESS: 'The controller did what it was told.',
  REMOTEFAILED: 'The controller refused.',
  INTERNALFAILED: 'The controller gave no answer that says what it did.',
  PENDING: 'The controller is carrying it out.',
  PERMISSIONDENIED: 'The requester may not operate the machine.',
  INVALIDCOMMAND: 'The command does not fit the machine as it is.',
  IGNORE: 'The command expired, was cancelled or was superseded.',
}

export const reasonTexts: ValueTexts<typeof jobReasons> = {
  not_owner: 'The requester is neither the owner of the machine nor staff.',
  wrong_state: 'The status of the machine did not admit the command.',
  job_open: 'Another job of the machine was open.',
  no_controller: 'The machine had no controller.',
  changed: 'The machine was changed or deleted after the request.',
  refused: 'The controller refused.',
  bad_answer: 'The controller gave an answer that cannot be read.',
  outcome_unknown: 'An attempt may have been carried out, and nobody has said so.',
  unreachable: 'No attempt reached the controller.',
  not_in_time: 'The command could not be sent before `not_after`.',
  no_report: 'The controller took the command and did not report the outcome.',
  by_person: 'A person cancelled the job.',
  by_stop: 'A STOP took the place of the job.',
}

export const eventReasonTexts: ValueTexts<typeof eventReasons> = {
  ...reasonTexts,
  attempt_failed: 'An attempt failed; another one may follow.',
  late_answer: 'Only a note: the controller answered after the job had ended.',
  contradiction: 'Only a note: the controller reported another outcome than before.',
}

export const actorTexts: ValueTexts<typeof eventActors> = {
  queue: 'A message of the queue.',
  controller: 'The controller, by its answer or its report.',
  sweep: 'The check that runs every minute.',
}

export const outcomes = ['SUCCESS', 'REMOTEFAILED'] as const
export const outcomeTexts: ValueTexts<typeof outcomes> = {
  SUCCESS: 'The machine did what it was told.',
  REMOTEFAILED: 'The machine did not.',
}
