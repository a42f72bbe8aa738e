// Sends a command to the controller of a machine and validates its answer.
import { readAtMost } from '../http/middleware/json-body.ts'
import { TiebarError } from '../kernel/error.ts'
import {
  type ControllerContext,
  describeMissingAnswer,
  isRefusedByCloudflare,
  refusedByCloudflare,
  send,
  signRequest,
} from '../machines/controller.ts'
import { findControllerUrlFault } from '../machines/controller-url.ts'
import type { Command } from './commands.ts'
import { readControllerReport } from './controller-report.ts'
import type { ControllerResult } from './job.ts'
import { toDetail } from './job.ts'

/** The body that is posted to a controller, which must not execute it after `not_after` (RFC 3339). */
export type ControllerCommand = {
  command: Command
  /** The order of the commands of the machine. A controller refuses one that is lower than the highest it has seen. */
  sequence: number
  job_id: string
  machine_id: number
  attempt: number
  not_after: string
  outcome_url: string
  /** Bearer token for `outcome_url`, valid for 24 h. */
  outcome_token: string
}

export type ControllerAnswer = { result: ControllerResult; detail: string | null }

const maxAnswerBytes = 64 * 1024

/** The answer for a command that was not sent. The next delivery, or the sweep, continues with the job. */
export function notSent(detail: string): ControllerAnswer {
  return { result: 'busy', detail: toDetail(`not sent: ${detail}`) }
}

/**
 * Posts a command.
 * @param sendBefore when the command expires, in ms since 1970. Checked last, so that nothing slow follows the check
 * @param timeoutMs how long to wait for the answer
 * @returns the result, also for a missing or invalid answer. It does not throw for these
 */
export async function sendCommand(
  context: ControllerContext,
  url: string,
  command: ControllerCommand,
  sendBefore: number,
  timeoutMs: number,
): Promise<ControllerAnswer> {
  const fault = findControllerUrlFault(url, context.allowPrivateControllers)
  if (fault !== undefined) return { result: 'not_confirmed', detail: `the controller URL ${fault}` }
  const { machine_id: machineId, job_id: id, sequence } = command
  const request = await signRequest(context, { url, machineId, job: { id, sequence }, body: command })
  if (Date.now() >= sendBefore) return notSent('the command had expired')
  const signal = AbortSignal.timeout(timeoutMs)
  try {
    const response = await send(context, request, signal)
    if (!response.ok) {
      const isFromCloudflare = await isRefusedByCloudflare(response)
      return isFromCloudflare ? { result: 'busy', detail: refusedByCloudflare } : interpretStatus(response.status)
    }
    return interpretBody(await readAtMost(response, maxAnswerBytes), response.headers.get('Content-Type'))
  } catch (error) {
    if (error instanceof TiebarError) return { result: 'bad_answer', detail: 'the answer was larger than 64 KiB' }
    // A refused and a broken connection look the same here, so the command may have been executed.
    return { result: 'may_have_executed', detail: toDetail(describeMissingAnswer(error, signal)) }
  }
}

/** The result of the command for a status that is not 2xx. */
export function interpretStatus(status: number): ControllerAnswer {
  const detail = `the controller answered ${status}`
  if (status === 429 || status === 503) return { result: 'busy', detail }
  if (status === 408 || status === 425 || status >= 500) return { result: 'may_have_executed', detail }
  if (status >= 400) return { result: 'REMOTEFAILED', detail }
  return { result: 'bad_answer', detail }
}

/** The result of the command for the body of a 2xx response. */
export function interpretBody(bytes: Uint8Array, contentType: string | null = null): ControllerAnswer {
  const report = readControllerReport(bytes, contentType)
  if (typeof report !== 'string') return report
  const detail =
    report === 'no_result'
      ? 'the answer had no result of SUCCESS, REMOTEFAILED or PENDING'
      : 'the answer was not a JSON object'
  return { result: 'bad_answer', detail }
}
