// What a machine is.

/** In the old system's order: 0 to 4. */
export const machineStatuses = ['POWEROFF', 'READY', 'RUNNING', 'PENDING', 'ERROR'] as const
export type MachineStatus = (typeof machineStatuses)[number]

type Tagged = { id: number; revision: number; is_manager: boolean }

/** A strong validator (RFC 9110 §8.8.3). The two views of a machine are two representations, so they differ. */
export function toEtag({ id, revision, is_manager }: Tagged): string {
  return `"${id}.${revision}${is_manager ? '' : '.public'}"`
}

/** The revisions of a machine that entity tags name, in the view of those who may change it. Other tags name none. */
export function toRevisions(etags: string[], id: number): number[] {
  return etags.flatMap((etag) => {
    const revision = Number(/\.(\d{1,15})"$/.exec(etag)?.[1] ?? 0)
    return toEtag({ id, revision, is_manager: true }) === etag ? [revision] : []
  })
}
