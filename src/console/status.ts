// What the page says of a machine: which status, how sure that is, and since when.
import type { Machine, MachineStatus, MachineStatusSource } from '../client/api.ts'
import { type Instant, isStale, staleAt } from './time.ts'

/** `stale` is not a status of the API: the reports have stopped, so nobody knows the status. */
export type ShownStatus = MachineStatus | 'stale'

export type Shown = {
  status: ShownStatus
  /** When the status is one that the machine itself reports now. */
  isReported: boolean
  /** What it was when the reports stopped. */
  last: MachineStatus
  source: MachineStatusSource
  since: string
}

type Part = Pick<Machine, 'status' | 'status_source' | 'status_at' | 'reported'>

export function showStatus({ status, status_source, status_at, reported }: Part, now: Instant): Shown {
  const common = { last: status, source: status_source }
  if (reported && isStale(reported, now)) {
    const since = new Date(staleAt(reported)).toISOString()
    return { ...common, status: 'stale', isReported: false, since, last: reported.status }
  }
  return { ...common, status, isReported: status_source === 'report', since: status_at }
}
