// One line per transition of a job.
import { log } from '../kernel/log.ts'
import type { Job } from './job.ts'

/** @param by an account's id, or who else moved it */
export function logTransition(job: Job, by: number | 'courier' | 'controller' | 'sweep', requestId?: string): void {
  log('job', {
    job_id: job.id,
    machine_id: job.machine_id,
    command: job.command,
    state: job.state,
    result: job.result,
    reason: job.reason,
    version: job.version,
    attempts: job.attempts,
    by,
    ...(requestId === undefined ? {} : { request_id: requestId }),
  })
}
