// Publishes jobs to QStash. Whether QStash takes them decides nothing: the sweep publishes what it has not taken.
import type { AppContext, Upstreams } from '../http/context.ts'
import type { QueueMessage } from '../infra/queue.ts'
import { describeError } from '../kernel/log.ts'
import type { Trace } from '../kernel/trace.ts'
import { commandRules, retryDelayExpression } from './commands.ts'
import type { JobRow } from './sql/fragments.ts'
import { markPublished } from './sql/redispatch.ts'

/** What the work on jobs needs beside the job itself. */
export type JobContext = {
  upstreams: Upstreams
  trace: Trace
  publicUrl: string
  /** Work that goes on after the answer. */
  waitUntil: (work: Promise<unknown>) => void
}

export function toJobContext(c: AppContext): JobContext {
  const { upstreams, trace, environment } = c.var
  const waitUntil = (work: Promise<unknown>) => c.executionCtx.waitUntil(work)
  return { upstreams, trace, publicUrl: environment.PUBLIC_URL, waitUntil }
}

export const deliverPath = '/api/callbacks/jobs/deliver'
export const failedPath = '/api/callbacks/jobs/failed'

/** How long QStash waits for our answer, which may take a controller's time-out and the storing of the outcome. */
const answerSeconds = 25

/** `publishNo` makes the deduplication id new each time the job is published. */
export type Dispatch = { job: JobRow; publishNo: number }

/**
 * Publishes jobs and then stores which of them QStash has, after the answer. If that fails, the sweep publishes a job
 * once more, and the claim lets one of the two messages through.
 * @param isMarked whether `published_at` says by now that QStash has them
 * @returns how many QStash has taken
 */
export async function publishJobs(context: JobContext, dispatches: Dispatch[], isMarked: boolean): Promise<number> {
  const { upstreams, trace, publicUrl, waitUntil } = context
  const taken = await upstreams.queue.publish(dispatches.map((dispatch) => toMessage(publicUrl, dispatch)))
  const misjudged = dispatches.filter((_, index) => taken[index] !== isMarked)
  if (misjudged.length > 0) {
    const publications = misjudged.map(({ job, publishNo }) => ({ jobId: job.id, publishNo }))
    const marking = markPublished(upstreams.database, publications, !isMarked).catch((error: unknown) => {
      trace.log('error', {
        job_ids: publications.map(({ jobId }) => jobId),
        doing: 'mark jobs',
        ...describeError(error),
      })
    })
    waitUntil(marking)
  }
  return taken.filter((isTaken) => isTaken).length
}

function toMessage(publicUrl: string, { job, publishNo }: Dispatch): QueueMessage {
  const { queueRetries, label } = commandRules[job.command]
  return {
    url: `${publicUrl}${deliverPath}`,
    failureUrl: `${publicUrl}${failedPath}`,
    body: { job_id: job.id },
    retries: queueRetries,
    retryDelay: retryDelayExpression,
    timeoutSeconds: answerSeconds,
    deduplicationId: `${job.id}:${publishNo}`,
    label,
  }
}
