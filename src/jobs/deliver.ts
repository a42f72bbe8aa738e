// A delivery of a job, by QStash or by the Worker itself: claim the job, send the command, store the outcome. Deliveries
// arrive late, twice and out of order; the claim lets one of them through.
import { describeError } from '../kernel/log.ts'
import { confirmController, controllerTimeoutMs } from '../machines/controller.ts'
import { type Command, commandRules, retryDelaysSeconds } from './commands.ts'
import type { JobContext } from './context.ts'
import { type ControllerAnswer, type ControllerCommand, notSent, sendCommand } from './controller.ts'
import { toDetail } from './job.ts'
import { type Claim, claim, type Deliverer } from './sql/claim.ts'
import type { JobRow } from './sql/fragments.ts'
import { type Settlement, settle } from './sql/settle.ts'
import { cacheJob } from './status-cache.ts'
import { recordTransitions } from './transition.ts'

/** The answer to QStash. 200: nothing more to do · 503: deliver again, after `retryAfterSeconds` if given. */
export type QueueAnswer = { status: 200 } | { status: 503; retryAfterSeconds?: number }

export const done: QueueAnswer = { status: 200 }
const retry: QueueAnswer = { status: 503 }

/** Total retry time for storing the outcome. Plus the controller's time-out, it is less than the lease. */
const storeTimeoutMs = 8_000
const storeRetryMs = 250

/** If the confirmation took longer than this, too little time is left for the command: the next attempt sends it. */
const confirmationMs = 2_000
const outcomeTokenSeconds = 24 * 60 * 60

export async function deliver(context: JobContext, jobId: string, by: Deliverer): Promise<QueueAnswer> {
  const { upstreams, trace, waitUntil } = context
  const { database, cache } = upstreams
  const claimStartedAt = Date.now()
  const claimed = await claim(database, jobId, by)
  if (!claimed) return done
  const { step, job, controllerUrl, leaseRemainingSeconds, delaySeconds, timeLeftSeconds } = claimed
  if (step === 'leased') return retryLeased(job.command, leaseRemainingSeconds)
  // The machine begins the attempts, when it reports. This message arrives when the command expires, or a little before.
  if (step === 'fetch') return { status: 503, retryAfterSeconds: Math.max(1, Math.ceil(timeLeftSeconds)) }
  if (step === 'delay') return { status: 503, retryAfterSeconds: Math.ceil(delaySeconds) }
  if (step === null || step === 'wait') return done
  waitUntil(recordTransitions({ trace, cache, waitUntil }, [job], 'queue'))
  if (step !== 'send' || controllerUrl === null) return done

  // The answer to the claim may have taken seconds. Measured from before the claim, so that only our own clock is used.
  const sendBefore = claimStartedAt + timeLeftSeconds * 1_000
  const answer = await sendJob(context, claimed, controllerUrl, sendBefore)
  const settlement = await storeOutcome(context, claimed, answer)
  if (!settlement) return retry
  // An unchanged job is cached, too: an earlier try may have stored the outcome without receiving the answer.
  if (settlement.isChanged) waitUntil(recordTransitions({ trace, cache, waitUntil }, [settlement.job], 'controller'))
  else waitUntil(cache.write([cacheJob(settlement.job)]))
  return settlement.effect === 'retry' ? retry : done
}

/** A START waits until the lease has ended, a STOP tries again sooner. */
export function retryLeased(command: Command, leaseRemainingSeconds: number): QueueAnswer {
  const seconds = commandRules[command].leasedRetrySeconds ?? Math.ceil(leaseRemainingSeconds) + 1
  return { status: 503, retryAfterSeconds: seconds }
}

/** New attempts begin only within this time: the runtime stops work after the answer at 30 s. */
const directDeliveryMs = 12_000

/** Delivers a job that QStash did not accept, with the usual delays. After that, the sweep processes the job. */
export async function deliverDirectly(context: JobContext, jobId: string): Promise<void> {
  const endsAt = Date.now() + directDeliveryMs
  const deliverOnce = async () => {
    try {
      return await deliver(context, jobId, 'worker')
    } catch (error) {
      context.trace.log('error', { job_id: jobId, doing: 'deliver a job without the queue', ...describeError(error) })
      return retry // as QStash would
    }
  }
  for (const delaySeconds of retryDelaysSeconds) {
    const { status } = await deliverOnce()
    if (status === 200 || Date.now() + delaySeconds * 1_000 > endsAt) return
    await new Promise((resolve) => setTimeout(resolve, delaySeconds * 1_000))
  }
}

/** Sends the command, if the controller has confirmed or confirms now that it controls the machine. */
async function sendJob(
  context: JobContext,
  { job, owner, isControllerConfirmed }: Claim,
  url: string,
  sendBefore: number,
): Promise<ControllerAnswer> {
  const startedAt = Date.now()
  if (!isControllerConfirmed && startedAt < sendBefore) {
    const confirmation = await confirmController(context, { machineId: job.machine_id, owner, url })
    if ('detail' in confirmation) {
      const { isFinal, detail } = confirmation
      return isFinal ? { result: 'not_confirmed', detail: toDetail(detail) } : notSent(detail)
    }
    if (Date.now() - startedAt > confirmationMs) return notSent('the controller took too long to confirm the machine')
  }
  const timeoutMs = controllerTimeoutMs - (Date.now() - startedAt)
  return sendCommand(context, url, await toCommand(context, job), sendBefore, timeoutMs)
}

export async function toCommand({ tokens, publicUrl }: JobContext, job: JobRow): Promise<ControllerCommand> {
  return {
    command: job.command,
    sequence: job.sequence,
    job_id: job.id,
    machine_id: job.machine_id,
    attempt: job.attempts,
    not_after: job.not_after,
    outcome_url: `${publicUrl}/api/callbacks/jobs/${job.id}/outcome`,
    outcome_token: await tokens.sign({ sub: job.id }, 'outcome', outcomeTokenSeconds),
  }
}

/**
 * Stores the outcome of an attempt. Retries until the time limit, because a lost outcome cannot be recovered later.
 * @returns undefined if the outcome could not be stored
 */
async function storeOutcome(
  { upstreams, trace }: JobContext,
  { job, mayHaveExecutedBefore }: Claim,
  answer: ControllerAnswer,
): Promise<Settlement | undefined> {
  const endsAt = Date.now() + storeTimeoutMs
  for (;;) {
    try {
      const outcome = { ...answer, attempt: job.attempts, mayHaveExecutedBefore }
      return await settle(upstreams.database, job.id, outcome, Math.max(1, endsAt - Date.now()))
    } catch (error) {
      trace.log('error', { job_id: job.id, attempt: job.attempts, doing: 'store the outcome', ...describeError(error) })
      if (Date.now() + storeRetryMs >= endsAt) return undefined
      await new Promise((resolve) => setTimeout(resolve, storeRetryMs))
    }
  }
}
