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

/** The answer to QStash: 200, there is nothing more to do · 503, deliver again, after `retryAfterSeconds` if given. */
export type QueueAnswer = { status: 200 } | { status: 503; retryAfterSeconds?: number }

const done: QueueAnswer = { status: 200 }
const again: QueueAnswer = { status: 503 }

/** Total time for storing the outcome of an attempt; together with the controller's time-out it is less than the lease. */
const storeTimeoutMs = 8_000
const storeRetryMs = 250

/** The machine certainly did nothing: the next delivery, or the sweep, ends the job. */
const notSent: ControllerAnswer = { result: 'busy', detail: 'not sent: the time to send it was over' }
const outcomeTokenSeconds = 24 * 60 * 60
const commandTokenSeconds = 60

export async function deliver(context: DeliveryContext, jobId: string): Promise<QueueAnswer> {
  const { upstreams, trace, waitUntil } = context
  const { database, cache } = upstreams
  const askedAt = Date.now()
  const claimed = await claim(database, jobId)
  if (!claimed) return done
  const { step, job, controllerUrl, leaseRemainingSeconds, timeLeftSeconds } = claimed
  if (step === 'leased') {
    return { status: 503, retryAfterSeconds: retryAfterSeconds(job.command, leaseRemainingSeconds) }
  }
  if (step === null || step === 'wait') return done
  waitUntil(recordTransitions({ trace, cache }, [job], 'queue'))
  if (step !== 'send' || controllerUrl === null) return done

  // The claim's answer may have been on its way for seconds. Counted from before the question: only our clock is needed.
  const isTooLate = Date.now() - askedAt >= timeLeftSeconds * 1_000
  const answer = isTooLate ? notSent : await command(context, job, controllerUrl)
  const settlement = await store(context, claimed, answer)
  if (!settlement) return again
  // A job that had changed already is cached, too: an earlier try may have stored it and lost the answer.
  if (settlement.isChanged) waitUntil(recordTransitions({ trace, cache }, [settlement.job], 'controller'))
  else waitUntil(cache.write([cacheJob(settlement.job)]))
  return settlement.effect === 'again' ? again : done
}

function retryAfterSeconds(command: Command, leaseRemainingSeconds: number): number {
  return commandRules[command].leasedRetrySeconds ?? Math.ceil(leaseRemainingSeconds) + 1
}

async function command(context: DeliveryContext, job: JobRow, controllerUrl: string): Promise<ControllerAnswer> {
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
 * Stores the outcome of an attempt, and tries again while there is time: an outcome that is lost here can only be
 * guessed later. Undefined: it could not be stored.
 */
async function store(
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

/** QStash has used up its retries for a message: carry out the next step of its job. */
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
