// Statuses and ETags of machines.
import type { Role } from '../sites/role.ts'

/** The index is the number of the status in the old system, 0 to 4. */
export const machineStatuses = ['POWEROFF', 'READY', 'RUNNING', 'PENDING', 'ERROR'] as const
export type MachineStatus = (typeof machineStatuses)[number]

type Tagged = { id: number; revision: number; my_role: Role | null }

/**
 * A strong validator (RFC 9110 §8.8.3). The representation depends on the role of the caller: only managers see the
 * controller, and `my_role` differs.
 */
export function toEtag({ id, revision, my_role }: Tagged): string {
  return `"${id}.${revision}${my_role === 'manager' ? '' : `.${my_role ?? 'public'}`}"`
}

/** The revisions in the ETags that managers get for this machine. All other ETags are ignored. */
export function toRevisions(etags: string[], id: number): number[] {
  return etags.flatMap((etag) => {
    const revision = Number(/\.(\d{1,15})"$/.exec(etag)?.[1] ?? 0)
    return toEtag({ id, revision, my_role: 'manager' }) === etag ? [revision] : []
  })
}
