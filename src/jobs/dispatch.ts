// Publishes jobs to QStash. No job is lost if QStash does not accept it: the sweep publishes it again, and a STOP is
// sent without QStash.
import type { QueueMessage } from '../infra/queue.ts'
import { describeError } from '../kernel/log.ts'
import { commandRules, retryDelayExpression } from './commands.ts'
import type { JobContext } from './context.ts'
import { deliverDirectly } from './deliver.ts'
import type { JobRow } from './sql/fragments.ts'
import { markPublished } from './sql/redispatch.ts'

export const deliverPath = '/api/callbacks/jobs/deliver'
export const failedPath = '/api/callbacks/jobs/failed'

/** How long QStash waits for our answer: longer than a controller's time-out plus the time to store the outcome. */
const answerTimeoutSeconds = 25

/**
 * `publishNo` makes the deduplication id new each time the job is published. QStash delivers after `delaySeconds`.
 * `isFetched`: the machine fetches the command, and the message is only for ending the job when it expires.
 */
export type Dispatch = { job: JobRow; publishNo: number; delaySeconds: number; isFetched?: boolean }

/**
 * Publishes jobs. After the answer, it stores which of them QStash has accepted, and sends the STOPs that it has not. If
 * storing fails, the sweep publishes a job again, and the claim lets only one of the two messages through.
 * @param isMarked whether `published_at` of the jobs is set already
 * @returns how many jobs QStash has accepted
 */
export async function publishJobs(context: JobContext, dispatches: Dispatch[], isMarked: boolean): Promise<number> {
  const { upstreams, publicUrl, waitUntil } = context
  const accepted = await upstreams.queue.publish(dispatches.map((dispatch) => toMessage(publicUrl, dispatch)))
  const wronglyMarked = dispatches.filter((_, index) => accepted[index] !== isMarked)
  if (wronglyMarked.length > 0) waitUntil(mark(context, wronglyMarked, !isMarked))
  for (const [index, { job, isFetched }] of dispatches.entries()) {
    const { isSentWithoutQueue } = commandRules[job.command]
    if (isSentWithoutQueue && !accepted[index] && !isFetched) waitUntil(deliverDirectly(context, job.id))
  }
  return accepted.filter((isAccepted) => isAccepted).length
}

async function mark({ upstreams, trace }: JobContext, dispatches: Dispatch[], isAccepted: boolean): Promise<void> {
  const publications = dispatches.map(({ job, publishNo }) => ({ jobId: job.id, publishNo }))
  try {
    await markPublished(upstreams.database, publications, isAccepted)
  } catch (error) {
    const job_ids = publications.map(({ jobId }) => jobId)
    trace.log('error', { job_ids, doing: 'mark jobs as published', ...describeError(error) })
  }
}

type MessageContent = { job: Pick<JobRow, 'id' | 'command' | 'attempts'>; publishNo: number; delaySeconds: number }

export function toMessage(publicUrl: string, { job, publishNo, delaySeconds }: MessageContent): QueueMessage {
  const { queueRetries, label } = commandRules[job.command]
  return {
    url: `${publicUrl}${deliverPath}`,
    failureUrl: `${publicUrl}${failedPath}`,
    body: { job_id: job.id },
    delaySeconds: Math.ceil(delaySeconds),
    retries: queueRetries,
    retryDelay: retryDelayExpression(job.attempts),
    timeoutSeconds: answerTimeoutSeconds,
    deduplicationId: `${job.id}:${publishNo}`,
    label,
  }
}
