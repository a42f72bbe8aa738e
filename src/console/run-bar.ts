// The statuses of a machine over a time, as parts of a bar.
import type { Machine, MachineStatus, StatusChange } from '../client/api.ts'
import { type Instant, isStale, staleAt } from './time.ts'

/** `stale`: the machine had stopped reporting. `unknown`: nothing is stored of that time. */
export type SegmentStatus = MachineStatus | 'stale' | 'unknown'
export type Segment = { status: SegmentStatus; from: Instant; to: Instant }
type Change = { status: SegmentStatus; at: Instant; isReported: boolean }

/**
 * @param history in any order, with the status at `from`
 * @returns segments without gaps, the oldest first
 */
export function computeRunBar(
  history: StatusChange[],
  reported: Machine['reported'],
  from: Instant,
  now: Instant,
): Segment[] {
  const changes: Change[] = history.map(({ status, source, at }) => {
    return { status: status ?? 'stale', at: Date.parse(at), isReported: source === 'report' }
  })
  // The reports may have stopped since the history was read.
  if (reported && isStale(reported, now)) changes.push({ status: 'stale', at: staleAt(reported), isReported: true })
  return toSegments(
    changes.sort((a, b) => a.at - b.at),
    from,
    now,
  )
}

function toSegments(changes: Change[], from: Instant, to: Instant): Segment[] {
  const segments: Segment[] = []
  let status: SegmentStatus = 'unknown'
  let begin = from
  for (const change of changes) {
    // Only the machine itself ends its silence, as on the rest of the page: what others say of it meanwhile is not shown.
    if (status === 'stale' && !change.isReported) continue
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
