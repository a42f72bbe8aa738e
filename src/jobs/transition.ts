// After every change of a job: a line in the log and a newer entry in the status cache.
import type { Cache, CacheWrite } from '../infra/redis.ts'
import type { Trace } from '../kernel/trace.ts'
import type { EventActor } from './job.ts'
import type { JobRow } from './sql/fragments.ts'
import { cacheJob } from './status-cache.ts'

/**
 * Logs changed jobs and writes them into the status cache. Never rejects: a failed write to the cache is only logged.
 * @param by the id of the account, or the actor, that changed the jobs
 * @param others what else is written with the same round trip
 */
export async function recordTransitions(
  { trace, cache }: { trace: Trace; cache: Cache },
  jobs: JobRow[],
  by: number | EventActor,
  others: CacheWrite[] = [],
): Promise<void> {
  for (const job of jobs) {
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
  await cache.write([...jobs.map(cacheJob), ...others])
}
