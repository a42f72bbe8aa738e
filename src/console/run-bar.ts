// The statuses of a machine over a time, as far as its jobs show them. Reports between jobs are not stored, so the bar
// shows what commands have done, and the current status since it began.
import type { Job, Machine, MachineStatus } from '../client/api.ts'
import { type Instant, isStale, staleAt } from './time.ts'

export type SegmentStatus = MachineStatus | 'stale' | 'unknown'
export type Segment = { status: SegmentStatus; from: Instant; to: Instant }
type Ended = Pick<Job, 'command' | 'state' | 'reason' | 'sent_at' | 'finished_at'>
type Current = Pick<Machine, 'status' | 'status_at' | 'reported'>

/** The status of the machine after a job that has ended. Undefined: the job does not change it. */
function statusAfter({ command, state }: Ended): SegmentStatus | undefined {
  if (state === 'SUCCEEDED') return command === 'START' ? 'RUNNING' : 'READY'
  if (state === 'FAILED' || state === 'TIMED_OUT') return 'ERROR'
  return undefined
}

/** @returns segments without gaps, the oldest first */
export function computeRunBar(jobs: Ended[], machine: Current, from: Instant, now: Instant): Segment[] {
  const changes: { at: Instant; status: SegmentStatus }[] = []
  for (const job of jobs) {
    const status = statusAfter(job)
    if (status && job.finished_at !== null) changes.push({ at: Date.parse(job.finished_at), status })
  }
  const currentSince = Date.parse(machine.status_at)
  // The current status is certain since it began; what jobs say of the time after that is older than it.
  const known = changes.filter(({ at }) => at < currentSince).sort((a, b) => a.at - b.at)
  known.push({ at: currentSince, status: machine.status })
  const { reported } = machine
  if (reported && isStale(reported, now)) known.push({ at: staleAt(reported), status: 'stale' })
  return toSegments(known, from, now)
}

function toSegments(changes: { at: Instant; status: SegmentStatus }[], from: Instant, to: Instant): Segment[] {
  const segments: Segment[] = []
  let status: SegmentStatus = 'unknown'
  let begin = from
  for (const change of changes) {
    const at = Math.min(Math.max(change.at, from), to)
    if (at > begin && change.status !== status) {
      segments.push({ status, from: begin, to: at })
      begin = at
    }
    status = change.status
  }
  if (to > begin) segments.push({ status, from: begin, to })
  return segments
}

/** Milliseconds of each status. */
export function sumBar(segments: Segment[]): Map<SegmentStatus, number> {
  const sums = new Map<SegmentStatus, number>()
  for (const { status, from, to } of segments) sums.set(status, (sums.get(status) ?? 0) + to - from)
  return sums
}
