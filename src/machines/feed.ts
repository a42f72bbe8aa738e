// What is told to those who follow the change feed (`live/`): which machine or job has changed, and what decides who may
// know. Ids and numbers only.
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

/** @param siteBefore where the machine was before this change: those who saw it there hear of the change, too */
export function toMachineChange(machine: ChangedMachine, siteBefore: number | null = machine.site_id): Change {
  const { id, revision, owner_id, site_id } = machine
  const site_ids = siteBefore === site_id ? [site_id] : [siteBefore, site_id]
  return { machine_id: id, revision, owner_id, site_ids, job: null }
}

/** The write that tells changes to those who follow the feed. */
export function tell(changes: Change[]): CacheWrite[] {
  if (changes.length === 0) return []
  return [{ when: 'changed', values: [], entries: changes.map((change) => JSON.stringify(change)) }]
}

/** Tells them after the answer. */
export function tellChanges(c: AppContext, changes: Change[]): void {
  c.executionCtx.waitUntil(c.var.upstreams.cache.write(tell(changes)))
}
