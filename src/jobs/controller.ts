// Sends a signed command to the controller of a machine and validates its answer.
import { readAtMost } from '../http/middleware/json-body.ts'
import { TiebarError } from '../kernel/error.ts'
import { describeError } from '../kernel/log.ts'
import type { Trace } from '../kernel/trace.ts'
import type { Command } from './commands.ts'
import type { ControllerResult } from './job.ts'
import { controllerTimeoutMs, toDetail } from './job.ts'

/** The body that is posted to a controller, which must not execute it after `not_after` (RFC 3339). */
export type ControllerCommand = {
  command: Command
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

/** Posts a command. Redirects are not followed, because the URL check does not cover their targets. */
export async function sendCommand(
  trace: Trace,
  controllerUrl: string,
  body: string,
  authorization: string,
  jobId: string,
): Promise<ControllerAnswer> {
  const signal = AbortSignal.timeout(controllerTimeoutMs)
  try {
    return await trace.measure('controller', async () => {
      const response = await fetch(controllerUrl, {
        method: 'POST',
        headers: {
          'Content-Type': 'application/json',
          Accept: 'application/json',
          'User-Agent': 'Tiebar',
          'Idempotency-Key': jobId,
          Authorization: authorization,
        },
        body,
        redirect: 'manual',
        signal,
      })
      if (!response.ok) {
        await response.body?.cancel()
        return interpretStatus(response.status)
      }
      return interpretBody(await readAtMost(response, maxAnswerBytes))
    })
  } catch (error) {
    if (error instanceof TiebarError) return { result: 'bad_answer', detail: 'the answer was larger than 64 KiB' }
    // A refused and a broken connection look the same here, so the command may have been executed.
    const detail = signal.aborted
      ? `no answer within ${controllerTimeoutMs / 1000} s`
      : `no connection: ${describeError(error).message}`
    return { result: 'may_have_executed', detail: toDetail(detail) }
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

/** Names, and their numbers in the old system. */
const results = new Map<unknown, 'SUCCESS' | 'REMOTEFAILED' | 'PENDING'>([
  ['SUCCESS', 'SUCCESS'],
  ['REMOTEFAILED', 'REMOTEFAILED'],
  ['PENDING', 'PENDING'],
  [1, 'SUCCESS'],
  [2, 'REMOTEFAILED'],
  [4, 'PENDING'],
])

/** The result of the command for the body of a 2xx response. */
export function interpretBody(bytes: Uint8Array): ControllerAnswer {
  const answer = parseObject(bytes)
  if (!answer)
    return {
      result: 'bad_answer',
      detail: 'the answer was not a JSON object',
    }
  const result = results.get(answer.result)
  if (!result)
    return {
      result: 'bad_answer',
      detail: 'the answer had no result of SUCCESS, REMOTEFAILED or PENDING',
    }
  return {
    result,
    detail: typeof answer.detail === 'string' ? toDetail(answer.detail) : null,
  }
}

function parseObject(bytes: Uint8Array): { result?: unknown; detail?: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes))
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined // not JSON: a bad answer
  }
}
