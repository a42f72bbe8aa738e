// One line per transition of a job.
import type { Trace } from '../kernel/trace.ts'
import type { Job } from './job.ts'

/** @param by an account's id, or who else moved it */
export function logTransition(trace: Trace, job: Job, by: number | 'queue' | 'controller' | 'sweep'): void {
  trace.log('job', {
    job_id: job.id,
    machine_id: job.machine_id,
    command: job.command,
    state: job.state,
    result: job.result,
    reason: job.reason,
    version: job.version,
    attempts: job.attempts,
    by,
  })
}
