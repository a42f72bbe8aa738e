// A machine that answered PENDING reports the result of its command, with a limited number of retries.
import { setTimeout as delay } from 'node:timers/promises'

export type Report = { result: 'SUCCESS' | 'REMOTEFAILED'; detail?: string | undefined }

export type ReportTarget = {
  outcomeUrl: string
  outcomeToken: string
  retryMs: number
  signal: AbortSignal
  /** Called after every attempt with the status of the answer, 0 if there was none. */
  onTry(status: number): void
}

const maxTries = 10
const longestWaitMs = 30_000
const tryTimeoutMs = 10_000

/** 2xx is accepted, and 409 too: the job has already ended, and another report would not change that. */
function isTaken(status: number): boolean {
  return (status >= 200 && status < 300) || status === 409
}

async function sendReport(report: Report, target: ReportTarget): Promise<number> {
  try {
    const response = await fetch(target.outcomeUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${target.outcomeToken}` },
      body: JSON.stringify(report),
      redirect: 'manual',
      signal: AbortSignal.any([target.signal, AbortSignal.timeout(tryTimeoutMs)]),
    })
    await response.arrayBuffer()
    return response.status
  } catch {
    return 0
  }
}

/** Reports until the report is accepted, at most ten times, with doubling delays. Returns when aborted. */
export async function reportOutcome(report: Report, target: ReportTarget): Promise<void> {
  for (let tried = 0; tried < maxTries; tried++) {
    if (tried > 0) {
      const waitMs = Math.min(longestWaitMs, target.retryMs * 2 ** (tried - 1))
      await delay(waitMs, undefined, { signal: target.signal }).catch(() => undefined)
    }
    if (target.signal.aborted) return
    const status = await sendReport(report, target)
    if (target.signal.aborted) return
    target.onTry(status)
    if (isTaken(status)) return
  }
}
