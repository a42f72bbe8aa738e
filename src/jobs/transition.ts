// After every change of a job: a line in the log, a newer entry in the status cache, and an entry in the change feed.
import type { CacheWrite } from '../infra/redis.ts'
import type { Trace } from '../kernel/trace.ts'
import { type Change, type FeedContext, publishChanges } from '../machines/feed.ts'
import type { EventActor } from './job.ts'
import type { ChangedJob } from './sql/fragments.ts'
import { toCachedJob } from './status-cache.ts'

/** Written with the same round trip: changes of other machines, and other entries. */
type Others = { machines?: Change[]; writes?: CacheWrite[] }

/**
 * Logs changed jobs, and writes them into the status cache and the change feed. Never rejects: a failed write to Redis is
 * only logged.
 * @param by the id of the account, or the actor, that changed the jobs
 */
export async function recordTransitions(
  { trace, cache, waitUntil }: FeedContext & { trace: Trace },
  jobs: ChangedJob[],
  by: number | EventActor,
  { machines = [], writes = [] }: Others = {},
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
  const changes = [...jobs.map(toJobChange), ...machines]
  await publishChanges({ cache, waitUntil }, changes, { values: jobs.map(toCachedJob), writes })
}

function toJobChange(job: ChangedJob): Change {
  const { id, machine_id, machine_owner_id, version, requested_by, site_id, revision } = job
  return { machine_id, revision, owner_id: machine_owner_id, site_ids: [site_id], job: { id, version, requested_by } }
}
