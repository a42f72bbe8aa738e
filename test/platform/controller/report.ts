// How a machine that answered PENDING reports the end of its command: tried until it is taken, within bounds.
import { setTimeout as delay } from 'node:timers/promises'

export type Report = { result: 'SUCCESS' | 'REMOTEFAILED'; detail?: string | undefined }

export type ReportTarget = {
  outcomeUrl: string
  outcomeToken: string
  retryMs: number
  signal: AbortSignal
  /** Told of every try: the status of the answer, 0 when there was none. */
  onTry(status: number): void
}

const maxTries = 10
const longestWaitMs = 30_000
const tryTimeoutMs = 10_000

/** Taken is 2xx, and 409 too: the job has ended otherwise, and saying it again would not change that. */
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

/** Reports until it is taken, ten times at most, waiting twice as long each time; ends quietly when aborted. */
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
