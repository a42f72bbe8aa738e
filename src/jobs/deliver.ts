// A delivery by QStash: claim the job, send the command, store the outcome. Deliveries arrive late, twice and out of
// order; the claim lets one of them through.
import type { TokenIssuer } from '../accounts/token.ts'
import { describeError } from '../kernel/log.ts'
import { type Command, commandRules } from './commands.ts'
import { type ControllerAnswer, type ControllerCommand, sendCommand } from './controller.ts'
import { type JobContext, publishJobs } from './dispatch.ts'
import { type Claim, claim } from './sql/claim.ts'
import type { JobRow } from './sql/fragments.ts'
import { handleDeliveryFailure } from './sql/redispatch.ts'
import { type Settlement, settle } from './sql/settle.ts'
import { cacheJob } from './status-cache.ts'
import { recordTransitions } from './transition.ts'

export type DeliveryContext = JobContext & { tokens: TokenIssuer }

/** The answer to QStash. 200: nothing more to do · 503: deliver again, after `retryAfterSeconds` if given. */
export type QueueAnswer = { status: 200 } | { status: 503; retryAfterSeconds?: number }

const done: QueueAnswer = { status: 200 }
const retry: QueueAnswer = { status: 503 }

/** Total retry time for storing the outcome. Plus the controller's time-out, it is less than the lease. */
const storeTimeoutMs = 8_000
const storeRetryMs = 250

/** The machine certainly did nothing: the next delivery, or the sweep, ends the job. */
const notSent: ControllerAnswer = { result: 'busy', detail: 'not sent: the command had expired' }
const outcomeTokenSeconds = 24 * 60 * 60
const commandTokenSeconds = 60

export async function deliver(context: DeliveryContext, jobId: string): Promise<QueueAnswer> {
  const { upstreams, trace, waitUntil } = context
  const { database, cache } = upstreams
  const claimStartedAt = Date.now()
  const claimed = await claim(database, jobId)
  if (!claimed) return done
  const { step, job, controllerUrl, leaseRemainingSeconds, timeLeftSeconds } = claimed
  if (step === 'leased') {
    return { status: 503, retryAfterSeconds: retryAfterSeconds(job.command, leaseRemainingSeconds) }
  }
  if (step === null || step === 'wait') return done
  waitUntil(recordTransitions({ trace, cache }, [job], 'queue'))
  if (step !== 'send' || controllerUrl === null) return done

  // The answer to the claim may have taken seconds. Measured from before the claim, so that only our own clock is used.
  const isTooLate = Date.now() - claimStartedAt >= timeLeftSeconds * 1_000
  const answer = isTooLate ? notSent : await sendJob(context, job, controllerUrl)
  const settlement = await storeOutcome(context, claimed, answer)
  if (!settlement) return retry
  // An unchanged job is cached, too: an earlier try may have stored the outcome without receiving the answer.
  if (settlement.isChanged) waitUntil(recordTransitions({ trace, cache }, [settlement.job], 'controller'))
  else waitUntil(cache.write([cacheJob(settlement.job)]))
  return settlement.effect === 'retry' ? retry : done
}

function retryAfterSeconds(command: Command, leaseRemainingSeconds: number): number {
  return commandRules[command].leasedRetrySeconds ?? Math.ceil(leaseRemainingSeconds) + 1
}

async function sendJob(context: DeliveryContext, job: JobRow, controllerUrl: string): Promise<ControllerAnswer> {
  const { tokens, publicUrl, trace } = context
  const command: ControllerCommand = {
    command: job.command,
    job_id: job.id,
    machine_id: job.machine_id,
    attempt: job.attempts,
    not_after: job.not_after,
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

/**
 * Stores the outcome of an attempt. Retries until the time limit, because a lost outcome cannot be recovered later.
 * @returns undefined if the outcome could not be stored
 */
async function storeOutcome(
  { upstreams, trace }: DeliveryContext,
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

/** Carries out the next step of a job after QStash has used up the retries for its message. */
export async function handleFailureCallback(context: JobContext, jobId: string): Promise<QueueAnswer> {
  const { upstreams, trace, waitUntil } = context
  const handled = await handleDeliveryFailure(upstreams.database, jobId)
  if (!handled) return done
  const { step, job, publishNo, leaseRemainingSeconds } = handled
  if (step === 'leased') return { status: 503, retryAfterSeconds: Math.ceil(leaseRemainingSeconds) + 1 }
  if (step === 'ended') waitUntil(recordTransitions({ trace, cache: upstreams.cache }, [job], 'queue'))
  if (publishNo !== null) await publishJobs(context, [{ job, publishNo }], true)
  return done
}
