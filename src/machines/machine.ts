// Statuses and ETags of machines.

/** The index is the number of the status in the old system, 0 to 4. */
export const machineStatuses = ['POWEROFF', 'READY', 'RUNNING', 'PENDING', 'ERROR'] as const
export type MachineStatus = (typeof machineStatuses)[number]

type Tagged = { id: number; revision: number; is_manager: boolean }

/** A strong validator (RFC 9110 §8.8.3). Callers who do not manage the machine get another representation. */
export function toEtag({ id, revision, is_manager }: Tagged): string {
  return `"${id}.${revision}${is_manager ? '' : '.public'}"`
}

/** The revisions in the ETags that the owner and staff get for this machine. All other ETags are ignored. */
export function toRevisions(etags: string[], id: number): number[] {
  return etags.flatMap((etag) => {
    const revision = Number(/\.(\d{1,15})"$/.exec(etag)?.[1] ?? 0)
    return toEtag({ id, revision, is_manager: true }) === etag ? [revision] : []
  })
}
