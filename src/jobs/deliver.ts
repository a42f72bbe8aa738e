// What a delivery by the queue does: claim the job, send the command, store the outcome. Late, double and reordered
// deliveries are the normal case: the claim lets one through.
import type { TokenIssuer } from '../accounts/token.ts'
import type { Upstreams } from '../http/context.ts'
import { describeError } from '../kernel/log.ts'
import { toRfc3339 } from '../kernel/time.ts'
import type { Trace } from '../kernel/trace.ts'
import { type ControllerAnswer, type ControllerCommand, sendCommand } from './controller.ts'
import { toMessage } from './dispatch.ts'
import type { Command, Job } from './job.ts'
import { type Claim, claim } from './sql/claim.ts'
import { handleDeliveryFailure, markPublished } from './sql/redispatch.ts'
import { type Settlement, settle } from './sql/settle.ts'
import { cacheJob } from './status-cache.ts'
import { logTransition } from './transition.ts'

export type DeliveryContext = {
  upstreams: Upstreams
  tokens: TokenIssuer
  publicUrl: string
  trace: Trace
  waitUntil: (work: Promise<unknown>) => void
}

/** What the queue is told: 200, it is done · 503, again, after `retryAfterSeconds` or by the queue's own delay. */
export type QueueAnswer = { status: 200 } | { status: 503; retryAfterSeconds?: number }

const done: QueueAnswer = { status: 200 }
const again: QueueAnswer = { status: 503 }

/** How long the outcome of an attempt is tried to be stored; with the controller's time-out it fits the lease. */
const storingMs = 8_000
const pauseMs = 250
/** The machine certainly did nothing: the next delivery, or the sweep, ends the job. */
const notSent: ControllerAnswer = { result: 'busy', detail: 'not sent: the time to send it was over' }
const outcomeTokenSeconds = 24 * 60 * 60
const commandTokenSeconds = 60

export async function deliver(context: DeliveryContext, jobId: string): Promise<QueueAnswer> {
  const { database, cache } = context.upstreams
  const askedAt = Date.now()
  const claimed = await claim(database, jobId)
  if (!claimed) return done
  const { step, job, controllerUrl, leaseRemainingSeconds, timeLeftSeconds } = claimed
  if (step === 'leased')
    return {
      status: 503,
      retryAfterSeconds: retryAfterSeconds(job.command, leaseRemainingSeconds),
    }
  if (step === null || step === 'wait') return done
  logTransition(context.trace, job, 'queue')
  context.waitUntil(cache.write([cacheJob(job)]))
  if (step !== 'send' || controllerUrl === null) return done

  // The claim's answer may have been seconds on its way. Counted from before the question: no clock but ours is needed.
  const isTooLate = Date.now() - askedAt >= timeLeftSeconds * 1_000
  const answer = isTooLate ? notSent : await command(context, job, controllerUrl)
  const settlement = await store(context, claimed, answer)
  if (!settlement) return again
  if (settlement.isChanged) logTransition(context.trace, settlement.job, 'controller')
  // Also when it had moved already: that may have been an earlier try of this very write, whose answer was lost.
  context.waitUntil(cache.write([cacheJob(settlement.job)]))
  return settlement.effect === 'again' ? again : done
}

/** A START comes back when the lease is over; a STOP soon, since the attempt may end long before its lease. */
function retryAfterSeconds(command: Command, leaseRestSeconds: number): number {
  return command === 'STOP' ? 2 : Math.ceil(leaseRestSeconds) + 1
}

async function command(context: DeliveryContext, job: Job, controllerUrl: string): Promise<ControllerAnswer> {
  const { tokens, publicUrl, trace } = context
  const command: ControllerCommand = {
    command: job.command,
    job_id: job.id,
    machine_id: job.machine_id,
    attempt: job.attempts,
    not_after: toRfc3339(job.not_after),
    outcome_url: `${publicUrl}/api/callbacks/jobs/${job.id}/outcome`,
    outcome_token: await tokens.sign({ sub: job.id }, 'outcome', outcomeTokenSeconds),
  }
  const body = JSON.stringify(command)
  const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(body))
  const claims = {
    sub: job.id,
    jti: crypto.randomUUID(),
    body_sha256: Buffer.from(hash).toString('base64url'),
  }
  const authorization = `Bearer ${await tokens.sign(claims, 'controller', commandTokenSeconds)}`
  return sendCommand(trace, controllerUrl, body, authorization, job.id)
}

/** Tries until the time is up: an outcome that is lost here can only be guessed later. Undefined: it could not be stored. */
async function store(
  context: DeliveryContext,
  { job, mayHaveExecutedBefore }: Claim,
  answer: ControllerAnswer,
): Promise<Settlement | undefined> {
  const endsAt = Date.now() + storingMs
  for (;;) {
    try {
      const outcome = { ...answer, attempt: job.attempts, mayHaveExecutedBefore }
      return await settle(context.upstreams.database, job.id, outcome, Math.max(1, endsAt - Date.now()))
    } catch (error) {
      context.trace.log('error', {
        job_id: job.id,
        attempt: job.attempts,
        doing: 'store the outcome',
        ...describeError(error),
      })
      if (Date.now() + pauseMs >= endsAt) return undefined
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
    }
  }
}

/** The queue has given a message up: carry out `next`. */
export async function handleFailureCallback(context: DeliveryContext, jobId: string): Promise<QueueAnswer> {
  const { database, cache, queue } = context.upstreams
  const carried = await handleDeliveryFailure(database, jobId)
  if (!carried || carried.step === null || carried.step === 'wait') return done
  const { step, job, publishNo, leaseRemainingSeconds } = carried
  if (step === 'leased') return { status: 503, retryAfterSeconds: Math.ceil(leaseRemainingSeconds) + 1 }
  if (step === 'ended') {
    logTransition(context.trace, job, 'queue')
    context.waitUntil(cache.write([cacheJob(job)]))
  }
  if (publishNo === null) return done
  const isTaken = await queue.publish(toMessage(context.publicUrl, job, publishNo))
  if (!isTaken) await markPublished(database, [{ jobId: job.id, publishNo }], false)
  return done
}
