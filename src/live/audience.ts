// Which changes a caller hears of. The same rules as the role's SQL (`sites/sql/role.ts`), for a stream that asks PostgreSQL
// once a minute instead of for each change; a test compares the two.
import { createHash } from 'node:crypto'
import type { FeedEntry } from '../infra/redis.ts'
import type { Change } from '../machines/feed.ts'

/** What decides what a caller may see. */
export type Audience = {
  account_id: number
  is_staff: boolean
  /** The limits of the key. */
  key_machine_id: number | null
  key_site_id: number | null
  /** The sites and the machines on which the account has a role of its own. */
  site_ids: number[]
  machine_ids: number[]
  /** The roles there: what is shown of a machine depends on them. */
  roles: string[]
}

/** Differs for callers who may not see the same. A client sends it back with the id of its last event. */
export function markOf(audience: Audience): string {
  return createHash('sha256').update(JSON.stringify(audience)).digest('base64url').slice(0, 8)
}

export const feedEvents = ['machine', 'job', 'reset'] as const

/** An event of the stream, with its data. */
export type FeedEvent =
  | { event: 'machine'; data: { id: number; revision: number } }
  | { event: 'job'; data: { id: string; machine_id: number; version: number } }
  | { event: 'reset'; data: Record<string, never> }

type Place = { machineId: number | null; siteId: number | null; ownerId: number | null }

/** Whether the key is limited to something else. */
function isOutsideKey({ key_machine_id, key_site_id }: Audience, { machineId, siteId }: Place): boolean {
  return (key_machine_id !== null && key_machine_id !== machineId) || (key_site_id !== null && key_site_id !== siteId)
}

function hasRole({ account_id, is_staff, site_ids, machine_ids }: Audience, place: Place): boolean {
  const { machineId, siteId, ownerId } = place
  return (
    is_staff ||
    ownerId === account_id ||
    (machineId !== null && machine_ids.includes(machineId)) ||
    (siteId !== null && site_ids.includes(siteId))
  )
}

/** The events about a change for a caller: none for a caller who may not know of it. */
export function toEvents({ machine_id, revision, owner_id, site_ids, job }: Change, audience: Audience): FeedEvent[] {
  const places = site_ids
    .map((siteId) => ({ machineId: machine_id, siteId, ownerId: owner_id }))
    .filter((place) => !isOutsideKey(audience, place))
  const mayAct = places.some((place) => hasRole(audience, place))
  if (machine_id === null) return mayAct ? [{ event: 'reset', data: {} }] : []
  // A machine without a site is visible to every account.
  const maySee = mayAct || places.some(({ siteId }) => siteId === null)
  const maySeeJob = mayAct || (places.length > 0 && job?.requested_by === audience.account_id)
  const events: FeedEvent[] = []
  if (revision !== null && maySee) events.push({ event: 'machine', data: { id: machine_id, revision } })
  if (job && maySeeJob) events.push({ event: 'job', data: { id: job.id, machine_id, version: job.version } })
  return events
}

/** @returns undefined for an entry that another version of this code has written */
export function readChange({ entry }: FeedEntry): Change | undefined {
  try {
    const change = JSON.parse(entry) as Partial<Change> // checked next
    return Array.isArray(change.site_ids) && change.machine_id !== undefined ? (change as Change) : undefined
  } catch {
    return undefined
  }
}
