// The sweep, every minute: republishes jobs that nothing else will move, ends expired ones, and deletes old rows.
import { deleteExpiredSessions } from '../accounts/sql/sign-in.ts'
import { deleteExpiredKeys } from '../http/idempotency/store.ts'
import { type JobContext, publishJobs } from './dispatch.ts'
import { redispatchDueJobs } from './sql/redispatch.ts'
import { recordTransitions } from './transition.ts'

const batchSize = 100
const sweepTimeoutMs = 20_000

export type SweepReport = {
  handed_over: number
  not_taken: number
  ended: number
  duration_ms: number
}

/** Safe to run twice at once. Stops when no job is due, the queue is unavailable, or 20 s have passed. */
export async function sweep(context: JobContext): Promise<SweepReport> {
  const { upstreams, trace, waitUntil } = context
  const { database, cache } = upstreams
  const beganAt = Date.now()
  const report: SweepReport = { handed_over: 0, not_taken: 0, ended: 0, duration_ms: 0 }
  while (Date.now() - beganAt < sweepTimeoutMs) {
    const due = await redispatchDueJobs(database, batchSize)
    if (due.length === 0) break
    const ended = due.flatMap(({ step, job }) => (step === 'ended' ? [job] : []))
    waitUntil(recordTransitions({ trace, cache }, ended, 'sweep'))
    const dispatches = due.flatMap(({ job, publishNo }) => (publishNo === null ? [] : [{ job, publishNo }]))
    const takenCount = await publishJobs(context, dispatches, true)
    report.ended += ended.length
    report.handed_over += takenCount
    report.not_taken += dispatches.length - takenCount
    // What the queue does not take is due again at once. The next sweep tries again.
    if (takenCount < dispatches.length) break
  }
  await deleteExpiredKeys(database)
  await deleteExpiredSessions(database)
  report.duration_ms = Date.now() - beganAt
  trace.log('sweep', { ...report, round_trips: trace.roundTrips })
  return report
}
