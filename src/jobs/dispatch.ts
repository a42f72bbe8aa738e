// Handing jobs to the queue. Whether QStash takes them decides nothing: what it has not taken, the sweep hands over.
import type { QueueMessage } from '../infra/queue.ts'
import { type Command, queueRetries } from './job.ts'

export const deliverPath = '/api/callbacks/jobs/deliver'
export const failedPath = '/api/callbacks/jobs/failed'

/** Our answer may take a controller's time-out and the writing of the outcome. */
const answerSeconds = 25
/** QStash's own delays (12 s, 2.5 min, 30 min) would start a machine half an hour late. In milliseconds. */
const retryDelay = 'min(30000, 1000 * pow(2, retried))'

/** @param publishNo makes the deduplication id anew each time the job is handed over */
export function toMessage(publicUrl: string, job: { id: string; command: Command }, publishNo: number): QueueMessage {
  return {
    url: `${publicUrl}${deliverPath}`,
    failureUrl: `${publicUrl}${failedPath}`,
    body: { job_id: job.id },
    retries: queueRetries[job.command],
    retryDelay,
    timeoutSeconds: answerSeconds,
    deduplicationId: `${job.id}:${publishNo}`,
    label: job.command === 'START' ? 'tiebar-start' : 'tiebar-stop',
  }
}
