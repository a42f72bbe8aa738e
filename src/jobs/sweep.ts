// The safety net under every promise: once a minute, jobs that nobody takes care of are handed over again or ended.

import { deleteExpiredSessions } from '../accounts/sql/sign-in.ts'
import type { Upstreams } from '../http/context.ts'
import { deleteExpiredKeys } from '../http/idempotency/store.ts'
import type { Trace } from '../kernel/trace.ts'
import { toMessage } from './dispatch.ts'
import { markPublished, redispatchDueJobs } from './sql/redispatch.ts'
import { cacheJob } from './status-cache.ts'
import { logTransition } from './transition.ts'

const jobsAtOnce = 100
const longestSweepMs = 20_000

export type SweepReport = {
  handed_over: number
  not_taken: number
  ended: number
  duration_ms: number
}

/** Safe to run twice at once. Stops when none is due, the queue is away, or 20 s have passed. */
export async function sweep(
  trace: Trace,
  { database, cache, queue }: Upstreams,
  publicUrl: string,
  waitUntil: (work: Promise<unknown>) => void,
): Promise<SweepReport> {
  const beganAt = Date.now()
  const report: SweepReport = {
    handed_over: 0,
    not_taken: 0,
    ended: 0,
    duration_ms: 0,
  }
  while (Date.now() - beganAt < longestSweepMs) {
    const carried = await redispatchDueJobs(database, jobsAtOnce)
    if (carried.length === 0) break
    const again = carried.flatMap(({ job, publishNo }) => (publishNo === null ? [] : [{ job, publishNo }]))
    const ended = carried.filter(({ step }) => step === 'ended')
    for (const { job } of ended) logTransition(trace, job, 'sweep')
    waitUntil(cache.write(ended.map(({ job }) => cacheJob(job))))

    const taken = await queue.publishAll(again.map(({ job, publishNo }) => toMessage(publicUrl, job, publishNo)))
    const lost = again.filter((_, index) => taken[index] !== true)
    if (lost.length > 0) {
      await markPublished(
        database,
        lost.map(({ job, publishNo }) => ({ jobId: job.id, publishNo })),
        false,
      )
    }
    report.ended += ended.length
    report.handed_over += again.length - lost.length
    report.not_taken += lost.length
    // What the queue does not take is due again at once; it will be there in a minute, too.
    if (lost.length > 0) break
  }
  await deleteExpiredKeys(database)
  await deleteExpiredSessions(database)
  report.duration_ms = Date.now() - beganAt
  trace.log('sweep', { ...report, round_trips: trace.roundTrips })
  return report
}
