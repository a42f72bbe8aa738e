// What the page says of a machine: which status, how sure that is, and since when.
import type { Machine, MachineStatus, MachineStatusSource } from '../client/api.ts'
import { tick } from './clock.ts'
import { useSelected } from './state.ts'
import { isStale, staleAt } from './time.ts'

/** As lists of choices show them. */
export const statuses = ['RUNNING', 'READY', 'PENDING', 'ERROR', 'POWEROFF'] as const satisfies MachineStatus[]

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

function showStatus({ status, status_source, status_at, reported }: Part, stale: boolean): Shown {
  const common = { last: status, source: status_source }
  if (reported && stale) {
    const since = new Date(staleAt(reported)).toISOString()
    return { ...common, status: 'stale', isReported: false, since, last: reported.status }
  }
  return { ...common, status, isReported: status_source === 'report', since: status_at }
}

/** What the page says now. It renders again when that changes, which is more seldom than the clock ticks. */
export function useShown(machine: Part): Shown {
  return showStatus(
    machine,
    useSelected(tick, (now) => isStale(machine.reported, now)),
  )
}
