// Descriptions of the enum values of jobs, for the OpenAPI document.
import type { ValueTexts } from '../http/openapi/fields.ts'
import { commandRules, commands } from './commands.ts'
import type { eventActors, eventReasons, jobReasons, jobResults, jobStates } from './job.ts'
import type { Obstacle } from './sql/preflight.ts'

const descriptions = commands.map((command) => [command, commandRules[command].description])
export const commandTexts = Object.fromEntries(descriptions) as ValueTexts<typeof commands> // has an entry for every command

/**
 * An open job always reaches a final state. A final state changes only if the outcome was unknown: by a late answer of the
 * controller, or by a report of the machine.
 */
export const stateTexts: ValueTexts<typeof jobStates> = {
  QUEUED: 'Open: accepted, and not yet sent to the controller.',
  SENT: 'Open: an attempt to send it has begun, and the controller has not answered.',
  PENDING: 'Open: the controller has accepted the command and will report the outcome.',
  SUCCEEDED: 'Final: the controller executed the command.',
  FAILED:
    'Final: the controller refused, was not reached or gave an invalid answer, or the outcome is unknown. ' +
    'Unless it refused, a late report is still accepted.',
  REJECTED:
    'Final: not sent, because it was not allowed, the machine was changed, or its controller did not confirm it.',
  EXPIRED: 'Final: not executed, because the command could not be sent before `not_after`.',
  TIMED_OUT: 'Final: the controller accepted the command and did not report in time. A late report is still accepted.',
  CANCELED: 'Final: a person cancelled it before it was sent.',
  SUPERSEDED: 'Final: a STOP or a hold superseded it.',
}

export const resultTexts: ValueTexts<typeof jobResults> = {
  SUCCESS: 'The controller executed the command.',
  REMOTEFAILED: 'The controller refused.',
  INTERNALFAILED: 'The controller gave no valid answer or report.',
  PENDING: 'The controller is executing the command.',
  PERMISSIONDENIED: 'The requester may not operate the machine.',
  INVALIDCOMMAND: 'The command was not possible for the machine when it was requested or sent.',
  IGNORE: 'The command expired, was cancelled or was superseded.',
}

export const reasonTexts: ValueTexts<typeof jobReasons> = {
  not_owner: 'Only in old jobs: the requester was neither the owner of the machine nor staff.',
  wrong_state: 'The status of the machine did not allow the command.',
  job_open: 'Another job of the machine was open.',
  no_controller: 'The machine had no controller.',
  stale: 'The machine had stopped reporting.',
  remote_disabled: 'The machine had reported that it accepts no remote commands.',
  held: 'Somebody was at the machine and had placed a hold on it.',
  not_allowed: 'The requester had lost the right to operate the machine before the command was sent.',
  controller_refused: 'The controller did not confirm that it controls this machine, so the command was not sent.',
  changed: 'The machine was changed or deleted after the request.',
  refused: 'The controller refused.',
  bad_answer: 'The controller gave an invalid answer.',
  outcome_unknown: 'An attempt may have been executed, but the outcome is unknown.',
  unreachable: 'No attempt reached the controller.',
  not_in_time: 'The command could not be sent before `not_after`.',
  no_report: 'The controller accepted the command and did not report the outcome.',
  by_person: 'A person cancelled the job.',
  by_stop: 'A STOP superseded the job.',
  by_hold: 'Somebody placed a hold on the machine.',
}

/** The obstacles that a preflight names. */
export const obstacleTexts: Record<Obstacle, string> = {
  role_too_low: 'The role of the caller does not allow it.',
  scope_missing: 'The API key lacks the scope of the command.',
  held: reasonTexts.held,
  job_open: reasonTexts.job_open,
  wrong_state: reasonTexts.wrong_state,
  no_controller: reasonTexts.no_controller,
  stale: reasonTexts.stale,
  remote_disabled: reasonTexts.remote_disabled,
}

export const eventReasonTexts: ValueTexts<typeof eventReasons> = {
  ...reasonTexts,
  attempt_failed: 'An attempt failed; another one may follow.',
  late_answer:
    'The controller answered after the job had ended. The job takes this outcome if its own was unknown; otherwise it is ' +
    'only a note.',
  confirmed: 'A report of the machine shows that it has executed the command.',
  unconfirmed: 'Only a note: the command succeeded, but the reports of the machine do not show it.',
  contradiction: 'Only a note: the controller reported an outcome that contradicts the result of the job.',
}

export const actorTexts: ValueTexts<typeof eventActors> = {
  queue: 'A message of the queue.',
  controller: 'The controller, by its answer or its report.',
  machine: 'The machine, by a report.',
  sweep: 'The sweep, which runs every minute.',
}

export const outcomes = ['SUCCESS', 'REMOTEFAILED'] as const
export const outcomeTexts: ValueTexts<typeof outcomes> = {
  SUCCESS: 'The machine executed the command.',
  REMOTEFAILED: 'The machine did not execute the command.',
}
