// Publishes jobs to QStash. No job is lost if QStash does not accept it: the sweep publishes it again, and a STOP is
// sent without QStash.
import type { QueueMessage } from '../infra/queue.ts'
import { describeError } from '../kernel/log.ts'
import { commandRules, retryDelayExpression } from './commands.ts'
import type { JobContext } from './context.ts'
import { deliverDirectly } from './deliver.ts'
import type { JobRow } from './sql/fragments.ts'
import { markUnpublished } from './sql/redispatch.ts'

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
 * Publishes jobs, and sends the STOPs that QStash has not accepted. The first claim of a delivery stores that QStash has a new
 * job. Until then the sweep may publish the job again, and the claim lets only one of the two messages through.
 * @returns the jobs that QStash has not accepted
 */
export async function publishJobs(context: JobContext, dispatches: Dispatch[]): Promise<Dispatch[]> {
  const { upstreams, publicUrl, waitUntil } = context
  const accepted = await upstreams.queue.publish(dispatches.map((dispatch) => toMessage(publicUrl, dispatch)))
  const refused = dispatches.filter((_, index) => !accepted[index])
  for (const { job, isFetched } of refused) {
    if (commandRules[job.command].isSentWithoutQueue && !isFetched) waitUntil(deliverDirectly(context, job.id))
  }
  return refused
}

/**
 * Publishes jobs that are marked as published already. After the answer, it removes the mark from those that QStash has
 * not accepted.
 * @returns how many jobs QStash has accepted
 */
export async function republishJobs(context: JobContext, dispatches: Dispatch[]): Promise<number> {
  const refused = await publishJobs(context, dispatches)
  if (refused.length > 0) context.waitUntil(unmark(context, refused))
  return dispatches.length - refused.length
}

/** If storing fails, the sweep publishes the jobs later: when QStash should have delivered them. */
async function unmark({ upstreams, trace }: JobContext, dispatches: Dispatch[]): Promise<void> {
  const publications = dispatches.map(({ job, publishNo }) => ({ jobId: job.id, publishNo }))
  try {
    await markUnpublished(upstreams.database, publications)
  } catch (error) {
    const job_ids = publications.map(({ jobId }) => jobId)
    trace.log('error', { job_ids, doing: 'mark jobs as not published', ...describeError(error) })
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
