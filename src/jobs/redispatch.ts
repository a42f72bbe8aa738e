// Publishes a job again after QStash has given up its message, or because QStash is not known to have one.
import type { Caller } from '../http/context.ts'
import { describeError } from '../kernel/log.ts'
import type { JobContext } from './context.ts'
import { done, type QueueAnswer, retryLeased } from './deliver.ts'
import { republishJobs } from './dispatch.ts'
import type { JobRow } from './sql/fragments.ts'
import { type RedispatchResult, redispatchJob, redispatchUnpublished } from './sql/redispatch.ts'
import { recordTransitions } from './transition.ts'

/** Carries out the next step of a job after QStash has used up the retries for its message. */
export async function handleFailureCallback(context: JobContext, jobId: string): Promise<QueueAnswer> {
  const handled = await redispatchJob(context.upstreams.database, jobId)
  if (!handled) return done
  if (handled.step === 'leased') return retryLeased(handled.job.command, handled.leaseRemainingSeconds)
  await completeRedispatch(context, handled)
  return done
}

/** Publishes an earlier job if QStash is not known to have it, after the caller has repeated the request. Never rejects. */
export async function republishJob(context: JobContext, caller: Caller, job: JobRow): Promise<void> {
  try {
    const handled = await redispatchUnpublished(context.upstreams.database, caller, job)
    if (handled) await completeRedispatch(context, handled)
  } catch (error) {
    context.trace.log('error', { job_id: job.id, doing: 'publish a job again', ...describeError(error) })
  }
}

async function completeRedispatch(context: JobContext, { step, job, publishNo, delaySeconds }: RedispatchResult) {
  const { upstreams, trace, waitUntil } = context
  if (step === 'ended') waitUntil(recordTransitions({ trace, cache: upstreams.cache, waitUntil }, [job], 'queue'))
  if (publishNo !== null) await republishJobs(context, [{ job, publishNo, delaySeconds }])
}
