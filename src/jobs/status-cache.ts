// The copy of a job in Redis, for clients that poll its status. At most 5 s old while the job can still change.
import type { CacheWrite, VersionedValue } from '../infra/redis.ts'
import { isOpen, settleSeconds } from './job.ts'
import { type Job, toJob } from './schema.ts'
import { type JobRow, jobColumns } from './sql/fragments.ts'

const openSeconds = 5
const endedSeconds = 24 * 60 * 60

export function jobCacheKey(jobId: string): string {
  return `job:${jobId}`
}

/** The entry of a job. */
export function toCachedJob(row: JobRow): VersionedValue {
  const job = toJob(row)
  // A late answer can still change a job whose outcome is unknown, or add a note to a job that was superseded.
  const mayBeAnswered = isOpen(job.state) || job.result === 'INTERNALFAILED' || job.state === 'SUPERSEDED'
  const mayChange = mayBeAnswered || mayBeConfirmed(job)
  return {
    key: jobCacheKey(job.id),
    value: JSON.stringify(job),
    version: job.version,
    seconds: mayChange ? openSeconds : endedSeconds,
  }
}

/** Writes the job unless a newer version is there already. */
export function cacheJob(row: JobRow): CacheWrite {
  return { when: 'changed', values: [toCachedJob(row)], entries: [] }
}

/** A report of the machine can still confirm the job, or show that it had no effect. */
function mayBeConfirmed({ state, confirmed_at, finished_at }: Job): boolean {
  if (state !== 'SUCCEEDED' || confirmed_at !== null || finished_at === null) return false
  return Date.now() - Date.parse(finished_at) < settleSeconds * 1_000
}

/** @returns undefined for an entry of an older version of this code, which had other members */
export function parseCachedJob(text: string): Job | undefined {
  const cached = JSON.parse(text) as Job // only `cacheJob` writes it
  return jobColumns.names.every((name) => name in cached) ? cached : undefined
}
