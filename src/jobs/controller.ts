// Talking to a machine's controller: one signed command, one answer that is believed only as far as it makes sense.
import { readAtMost } from '../http/middleware/json-body.ts'
import { TiebarError } from '../kernel/error.ts'
import { describeError } from '../kernel/log.ts'
import type { Trace } from '../kernel/trace.ts'
import type { Command } from './commands.ts'
import type { ControllerResult } from './job.ts'
import { controllerTimeoutMs, toDetail } from './job.ts'

/** What is posted to a controller. `not_after` is RFC 3339: whoever reads this later must not act on it. */
export type ControllerCommand = {
  command: Command
  job_id: string
  machine_id: number
  attempt: number
  not_after: string
  outcome_url: string
  /** Bearer token for `outcome_url`, good for 24 h. */
  outcome_token: string
}

export type ControllerAnswer = { result: ControllerResult; detail: string | null }

const largestAnswer = 64 * 1024

/** Posts a command. Redirects are not followed: a controller's address is checked when it is stored, not where it points. */
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
        return judgeStatus(response.status)
      }
      return judgeBody(await readAtMost(response, largestAnswer))
    })
  } catch (error) {
    if (error instanceof TiebarError) return { result: 'bad_answer', detail: 'the answer was over 64 KiB' }
    // Refused and cut off look alike here, so the command may have been carried out.
    const detail = signal.aborted
      ? `no answer within ${controllerTimeoutMs / 1000} s`
      : `no connection: ${describeError(error).message}`
    return { result: 'may_have_executed', detail: toDetail(detail) }
  }
}

/** What a status that is not 2xx says about the command. */
export function judgeStatus(status: number): ControllerAnswer {
  const detail = `the controller answered ${status}`
  if (status === 429 || status === 503) return { result: 'busy', detail }
  if (status === 408 || status === 425 || status >= 500) return { result: 'may_have_executed', detail }
  if (status >= 400) return { result: 'REMOTEFAILED', detail }
  return { result: 'bad_answer', detail }
}

/** Names, or the old system's numbers. */
const results = new Map<unknown, 'SUCCESS' | 'REMOTEFAILED' | 'PENDING'>([
  ['SUCCESS', 'SUCCESS'],
  ['REMOTEFAILED', 'REMOTEFAILED'],
  ['PENDING', 'PENDING'],
  [1, 'SUCCESS'],
  [2, 'REMOTEFAILED'],
  [4, 'PENDING'],
])

export function judgeBody(bytes: Uint8Array): ControllerAnswer {
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
