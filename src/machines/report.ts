// What a machine reports about itself.
import type { MachineStatus } from './machine.ts'

export const machineModes = ['automatic', 'semi_automatic', 'manual', 'setup', 'unknown'] as const
export type MachineMode = (typeof machineModes)[number]

/** Seconds between two reports, if a report has no `interval_seconds`. */
export const defaultIntervalSeconds = 10

/** A report is fresh for this many of its intervals. */
export const freshIntervals = 3

/** The last report of a machine, as the API shows it. Null: the machine did not report this value. */
export type Reported = {
  status: MachineStatus
  mode: MachineMode | null
  remote_enabled: boolean | null
  cycles: number | null
  last_cycle_ms: number | null
  alarm: { code: string; text: string } | null
  at: string
  is_fresh: boolean
  interval_seconds: number
}
