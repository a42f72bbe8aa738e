// The copy of a job in Redis, for those who watch it. Never older than 5 s while anything can still happen to it.
import type { CacheWrite } from '../infra/redis.ts'
import { isOpen } from './job.ts'
import { type Job, toJob } from './schema.ts'
import type { JobRow } from './sql/fragments.ts'

const openSeconds = 5
const endedSeconds = 24 * 60 * 60

export function jobCacheKey(jobId: string): string {
  return `job:${jobId}`
}

/** Writes the job unless a newer version is there already. */
export function cacheJob(row: JobRow): CacheWrite {
  const job = toJob(row)
  // A job whose outcome is unknown may yet learn it from a late report.
  const mayChange = isOpen(job.state) || job.result === 'INTERNALFAILED'
  return {
    when: 'newer',
    key: jobCacheKey(job.id),
    value: JSON.stringify(job),
    version: job.version,
    seconds: mayChange ? openSeconds : endedSeconds,
  }
}

export function parseCachedJob(text: string): Job {
  return JSON.parse(text) as Job // written by `cacheJob` alone
}
