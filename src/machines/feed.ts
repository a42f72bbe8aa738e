// Entries of the change feed (`live/`): which machine or job has changed, and what decides who may see the change. Ids and
// numbers only.
import type { AppContext } from '../http/context.ts'
import type { CacheWrite } from '../infra/redis.ts'

/** A machine after a change. */
export type ChangedMachine = { id: number; revision: number; owner_id: number; site_id: number | null }

/** An entry of the feed. */
export type Change = {
  machine_id: number
  /** The new revision. Null if the machine has not changed, only its job. */
  revision: number | null
  owner_id: number
  /** The site of the machine; before and after, if it has moved. */
  site_ids: (number | null)[]
  job: { id: string; version: number; requested_by: number } | null
}

/** @param siteBefore the site of the machine before this change: its members see the change, too */
export function toMachineChange(machine: ChangedMachine, siteBefore: number | null = machine.site_id): Change {
  const { id, revision, owner_id, site_id } = machine
  const site_ids = siteBefore === site_id ? [site_id] : [siteBefore, site_id]
  return { machine_id: id, revision, owner_id, site_ids, job: null }
}

/** The write that adds changes to the feed; none without changes. */
export function toFeedWrites(changes: Change[]): CacheWrite[] {
  if (changes.length === 0) return []
  return [{ when: 'changed', values: [], entries: changes.map((change) => JSON.stringify(change)) }]
}

/** Adds changes to the feed after the answer is sent. */
export function publishChanges(c: AppContext, changes: Change[]): void {
  c.executionCtx.waitUntil(c.var.upstreams.cache.write(toFeedWrites(changes)))
}
