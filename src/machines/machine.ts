// Statuses and ETags of machines.
import type { Role } from '../sites/role.ts'

/** The index is the number of the status in the old system, 0 to 4. */
export const machineStatuses = ['POWEROFF', 'READY', 'RUNNING', 'PENDING', 'ERROR'] as const
export type MachineStatus = (typeof machineStatuses)[number]

/** Where a status comes from: a person by `PATCH`, the success or failure of a command, or a report of the machine. */
export const statusSources = ['person', 'command', 'report'] as const

/** How commands reach the controller: posted to `controller_url`, or in the answer to a report of the machine. */
export const deliveries = ['push', 'pull'] as const
export type Delivery = (typeof deliveries)[number]

type Tagged = {
  id: number
  revision: number
  my_role: Role | null
  reported: { is_fresh: boolean } | null
  delivery: Delivery
}

/**
 * A strong validator (RFC 9110 §8.8.3). The representation depends on the role of the caller: only managers see the
 * controller, and `my_role` differs. A report whose status has not changed leaves the revision, so that counters do not
 * change the ETag; that the reports have stopped does. A key for reports leaves the revision, too, and changes `delivery`.
 */
export function toEtag({ id, revision, my_role, reported, delivery }: Tagged): string {
  const freshness = reported === null ? '' : reported.is_fresh ? '.fresh' : '.stale'
  return `"${id}.${revision}${freshness}${delivery === 'pull' ? '.pull' : ''}${my_role === 'manager' ? '' : `.${my_role ?? 'public'}`}"`
}

/**
 * The revisions in the ETags that managers get for this machine. All other ETags are ignored. The marks for fresh reports
 * and for `delivery` do not matter, because they show no change of the machine itself.
 */
export function toRevisions(etags: string[], id: number): number[] {
  return etags.flatMap((etag) => {
    const [, machine, revision] = /^"(\d{1,15})\.(\d{1,15})(?:\.fresh|\.stale)?(?:\.pull)?"$/.exec(etag) ?? []
    const isOurs = machine === String(id) && revision === String(Number(revision)) // not written as 42.07
    return isOurs ? [Number(revision)] : []
  })
}
