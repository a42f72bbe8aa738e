// The sweep, every minute: republishes stalled jobs, ends expired ones, and deletes old rows.
import { deleteExpiredResets } from '../accounts/sql/password-reset.ts'
import { deleteExpiredSessions } from '../accounts/sql/sign-in.ts'
import { deleteExpiredKeys } from '../http/idempotency/store.ts'
import type { JobContext } from './context.ts'
import { republishJobs } from './dispatch.ts'
import { redispatchDueJobs } from './sql/redispatch.ts'
import { deleteOldJobs, type Retention } from './sql/retention.ts'
import { recordTransitions } from './transition.ts'

const batchSize = 100
const sweepTimeoutMs = 20_000

export type SweepReport = {
  published: number
  not_published: number
  ended: number
  duration_ms: number
}

/** Two sweeps may run at the same time. Jobs are processed until none is due, or for 20 s; then old rows are deleted. */
export async function sweep(context: JobContext, retention: Retention): Promise<SweepReport> {
  const { upstreams, trace, waitUntil } = context
  const { database, cache } = upstreams
  const startedAt = Date.now()
  const hasTime = () => Date.now() - startedAt < sweepTimeoutMs
  const report: SweepReport = { published: 0, not_published: 0, ended: 0, duration_ms: 0 }
  while (hasTime()) {
    const due = await redispatchDueJobs(database, batchSize)
    if (due.length === 0) break
    const ended = due.flatMap(({ step, job }) => (step === 'ended' ? [job] : []))
    waitUntil(recordTransitions({ trace, cache, waitUntil }, ended, 'sweep'))
    const dispatches = due.flatMap(({ job, publishNo, delaySeconds }) => {
      return publishNo === null ? [] : [{ job, publishNo, delaySeconds }]
    })
    const publishedCount = await republishJobs(context, dispatches)
    report.ended += ended.length
    report.published += publishedCount
    report.not_published += dispatches.length - publishedCount
  }
  await deleteExpiredKeys(database)
  await deleteExpiredSessions(database)
  await deleteExpiredResets(database)
  while (hasTime() && (await deleteOldJobs(database, retention)));
  report.duration_ms = Date.now() - startedAt
  trace.log('sweep', { ...report, round_trips: trace.roundTrips })
  return report
}
