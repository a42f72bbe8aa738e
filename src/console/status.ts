// What the page says of a machine: which status, how sure that is, and since when.
import type { Machine, MachineStatus, MachineStatusSource } from '../client/api.ts'
import { tick } from './clock.ts'
import { useSelected } from './state.ts'
import { isStale, staleAt } from './time.ts'

/** As lists of choices show them. */
export const statuses = ['RUNNING', 'READY', 'PENDING', 'ERROR', 'POWEROFF'] as const satisfies MachineStatus[]

/** `stale` is not a status of the API: the reports have stopped, so the current status is unknown. */
export type ShownStatus = MachineStatus | 'stale'

export type Shown = {
  status: ShownStatus
  /** Whether the machine itself reports this status now. */
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

/** The status that the page shows. It renders again when this changes, not at each tick of the clock. */
export function useShown(machine: Part): Shown {
  return showStatus(
    machine,
    useSelected(tick, (now) => isStale(machine.reported, now)),
  )
}
