// The texts that say why a command is not accepted.
import { TiebarError } from '../kernel/error.ts'
import { type Command, commandRules } from './commands.ts'
import type { CreateJobDecision, CreateJobResult } from './sql/create.ts'
import type { Obstacle, Preflight } from './sql/preflight.ts'

export const refusalTexts: Record<Exclude<CreateJobDecision, 'accepted' | 'repeated'>, string> = {
  not_found: 'There is no machine with this id.',
  not_owner: 'You have no role on this machine, so you may not operate it.',
  role_too_low: 'Your role on this machine does not allow you to operate it. Operators and managers may.',
  wrong_state: 'The status of the machine does not allow the command.',
  job_open: 'A job is open on this machine. Wait until it ends, or send a STOP, which supersedes it.',
  no_controller: 'The machine has no controller_url to send the command to, and no key with which it could fetch it.',
  stale:
    'The machine has not reported for some time, so its status is unknown. `reported.at` is the time of the last report.',
  remote_disabled: 'The machine reports that it accepts no remote commands. Enable them at the machine.',
  held: 'Somebody is at the machine and has placed a hold on it. The preflight of the machine says who, and since when.',
}

/** The problem that answers a command which was not accepted. */
export function explainRefusal(command: Command, { decision, status, open_job_id }: CreateJobResult): TiebarError {
  if (decision === 'accepted' || decision === 'repeated') throw new TypeError('there is a job, so nothing was refused')
  const detail = refusalTexts[decision] + (decision === 'wrong_state' ? explainStatus(command, status) : '')
  return new TiebarError(
    decision,
    detail,
    decision === 'job_open' && open_job_id !== null ? { jobId: open_job_id } : {},
  )
}

function explainStatus(command: Command, status: string | null): string {
  return ` A ${command} needs one of ${commandRules[command].acceptedIn.join(', ')}; the machine is ${status}.`
}

export type ObstacleReason = { code: Obstacle; detail: string; by?: number; since?: string }

const obstacleTexts = { ...refusalTexts, scope_missing: 'The API key lacks the scope of this command.' }

/** The reasons of one obstacle: for `held`, one for each hold. */
export function explainObstacle(code: Obstacle, command: Command, found: Preflight): ObstacleReason[] {
  switch (code) {
    case 'held':
      return found.holds.map((hold) => ({ code, detail: `Account ${hold.by} is at the machine.`, ...hold }))
    case 'job_open':
      return [{ code, detail: refusalTexts[code], ...found.openJob }]
    case 'wrong_state':
      return [{ code, detail: refusalTexts[code] + explainStatus(command, found.status) }]
    default:
      return [{ code, detail: obstacleTexts[code] }]
  }
}
