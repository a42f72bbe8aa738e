// Publishes jobs to QStash. No job is lost if QStash does not accept it: the sweep publishes it again.
import type { AppContext, Upstreams } from '../http/context.ts'
import type { QueueMessage } from '../infra/queue.ts'
import { describeError } from '../kernel/log.ts'
import type { Trace } from '../kernel/trace.ts'
import { commandRules, retryDelayExpression } from './commands.ts'
import type { JobRow } from './sql/fragments.ts'
import { markPublished } from './sql/redispatch.ts'

/** The dependencies of functions that work on jobs. */
export type JobContext = {
  upstreams: Upstreams
  trace: Trace
  publicUrl: string
  /** Keeps the Worker running for work that continues after the answer. */
  waitUntil: (work: Promise<unknown>) => void
}

export function toJobContext(c: AppContext): JobContext {
  const { upstreams, trace, environment } = c.var
  const waitUntil = (work: Promise<unknown>) => c.executionCtx.waitUntil(work)
  return { upstreams, trace, publicUrl: environment.PUBLIC_URL, waitUntil }
}

export const deliverPath = '/api/callbacks/jobs/deliver'
export const failedPath = '/api/callbacks/jobs/failed'

/** How long QStash waits for our answer: longer than a controller's time-out plus the time to store the outcome. */
const answerTimeoutSeconds = 25

/** `publishNo` makes the deduplication id new each time the job is published. */
export type Dispatch = { job: JobRow; publishNo: number }

/**
 * Publishes jobs. After the answer, it stores which of them QStash has accepted. If that fails, the sweep publishes a
 * job again, and the claim lets only one of the two messages through.
 * @param isMarked whether `published_at` of the jobs is set already
 * @returns how many jobs QStash has accepted
 */
export async function publishJobs(context: JobContext, dispatches: Dispatch[], isMarked: boolean): Promise<number> {
  const { upstreams, trace, publicUrl, waitUntil } = context
  const accepted = await upstreams.queue.publish(dispatches.map((dispatch) => toMessage(publicUrl, dispatch)))
  const wronglyMarked = dispatches.filter((_, index) => accepted[index] !== isMarked)
  if (wronglyMarked.length > 0) {
    const publications = wronglyMarked.map(({ job, publishNo }) => ({ jobId: job.id, publishNo }))
    const marking = markPublished(upstreams.database, publications, !isMarked).catch((error: unknown) => {
      trace.log('error', {
        job_ids: publications.map(({ jobId }) => jobId),
        doing: 'mark jobs as published',
        ...describeError(error),
      })
    })
    waitUntil(marking)
  }
  return accepted.filter((isAccepted) => isAccepted).length
}

function toMessage(publicUrl: string, { job, publishNo }: Dispatch): QueueMessage {
  const { queueRetries, label } = commandRules[job.command]
  return {
    url: `${publicUrl}${deliverPath}`,
    failureUrl: `${publicUrl}${failedPath}`,
    body: { job_id: job.id },
    retries: queueRetries,
    retryDelay: retryDelayExpression,
    timeoutSeconds: answerTimeoutSeconds,
    deduplicationId: `${job.id}:${publishNo}`,
    label,
  }
}
