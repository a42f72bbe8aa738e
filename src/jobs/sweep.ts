// The sweep, every minute: republishes stalled jobs, ends expired ones, and deletes old rows.
import { deleteExpiredSessions } from '../accounts/sql/sign-in.ts'
import { deleteExpiredKeys } from '../http/idempotency/store.ts'
import { type JobContext, publishJobs } from './dispatch.ts'
import { redispatchDueJobs } from './sql/redispatch.ts'
import { recordTransitions } from './transition.ts'

const batchSize = 100
const sweepTimeoutMs = 20_000

export type SweepReport = {
  published: number
  not_published: number
  ended: number
  duration_ms: number
}

/** Two sweeps may run at the same time. Stops when no job is due, the queue is unavailable, or 20 s have passed. */
export async function sweep(context: JobContext): Promise<SweepReport> {
  const { upstreams, trace, waitUntil } = context
  const { database, cache } = upstreams
  const startedAt = Date.now()
  const report: SweepReport = { published: 0, not_published: 0, ended: 0, duration_ms: 0 }
  while (Date.now() - startedAt < sweepTimeoutMs) {
    const due = await redispatchDueJobs(database, batchSize)
    if (due.length === 0) break
    const ended = due.flatMap(({ step, job }) => (step === 'ended' ? [job] : []))
    waitUntil(recordTransitions({ trace, cache }, ended, 'sweep'))
    const dispatches = due.flatMap(({ job, publishNo }) => (publishNo === null ? [] : [{ job, publishNo }]))
    const publishedCount = await publishJobs(context, dispatches, true)
    report.ended += ended.length
    report.published += publishedCount
    report.not_published += dispatches.length - publishedCount
    // A job that the queue does not accept is due again at once. The next sweep tries again.
    if (publishedCount < dispatches.length) break
  }
  await deleteExpiredKeys(database)
  await deleteExpiredSessions(database)
  report.duration_ms = Date.now() - startedAt
  trace.log('sweep', { ...report, round_trips: trace.roundTrips })
  return report
}
