// What a machine is, and what of it is shown to whom.
import { toRfc3339 } from '../kernel/time.ts'

/** In the old system's order: 0 to 4. */
export const machineStatuses = ['POWEROFF', 'READY', 'RUNNING', 'PENDING', 'ERROR'] as const
export type MachineStatus = (typeof machineStatuses)[number]

export type Machine = {
  id: number
  name: string
  location: string
  status: MachineStatus
  owner_id: number
  controller_url: string | null
  created_at: string
  updated_at: string
}

/** A machine as it is stored, and whether the one who asks may see all of it. */
export type MachineRow = Machine & { revision: number; is_manager: boolean }

/** The address of the controller is for those who manage the machine: owner and staff. */
export function toMachine(row: MachineRow): Machine {
  return {
    id: row.id,
    name: row.name,
    location: row.location,
    status: row.status,
    owner_id: row.owner_id,
    controller_url: row.is_manager ? row.controller_url : null,
    created_at: toRfc3339(row.created_at),
    updated_at: toRfc3339(row.updated_at),
  }
}

/** A strong validator (RFC 9110 §8.8.3). The two views of a machine are two representations, so they differ. */
export function toEtag(row: Pick<MachineRow, 'id' | 'revision' | 'is_manager'>): string {
  return `"${row.id}.${row.revision}${row.is_manager ? '' : '.public'}"`
}
