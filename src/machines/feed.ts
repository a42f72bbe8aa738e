// Entries of the change feed (`live/`): which machine or job has changed, and what decides who may see the change. Ids and
// numbers only.
import type { AppContext } from '../http/context.ts'
import type { Cache, CacheWrite, VersionedValue } from '../infra/redis.ts'
import type { Trace } from '../kernel/trace.ts'

/** A machine after a change. */
export type ChangedMachine = { id: number; revision: number; owner_id: number; site_id: number | null }

/** An entry of the feed. */
export type Change = {
  /** Null if all machines of the site have changed. */
  machine_id: number | null
  /** The new revision. Null if the machine has not changed, only its job. */
  revision: number | null
  owner_id: number | null
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

/** Where changes are told. `waitUntil` keeps the Worker running after the answer. */
export type FeedContext = { cache: Cache; waitUntil: (work: Promise<unknown>) => void }

/** When a change is told again that Redis did not take: those who follow would never hear of it. */
const againAfterMs = [500, 2_000]

/**
 * Tells changes to those who follow the feed. Never rejects.
 * @param others what else is written with the same round trip
 */
export async function publishChanges(
  { cache, waitUntil }: FeedContext,
  changes: Change[],
  { values = [], writes = [] }: { values?: VersionedValue[]; writes?: CacheWrite[] } = {},
): Promise<void> {
  const entries = changes.map((change) => JSON.stringify(change))
  const isDone = await cache.write([...toWrites(values, entries), ...writes])
  if (!isDone && entries.length > 0) waitUntil(publishAgain(cache, entries))
}

/** Without the values: by now, they may be older than what has expired since. */
async function publishAgain(cache: Cache, entries: string[]): Promise<void> {
  for (const ms of againAfterMs) {
    await new Promise((resolve) => setTimeout(resolve, ms))
    if (await cache.write(toWrites([], entries))) return
  }
}

function toWrites(values: VersionedValue[], entries: string[]): CacheWrite[] {
  return values.length + entries.length === 0 ? [] : [{ when: 'changed', values, entries }]
}

export function toFeedContext(c: AppContext): FeedContext & { trace: Trace } {
  const { upstreams, trace } = c.var
  return { cache: upstreams.cache, trace, waitUntil: (work) => c.executionCtx.waitUntil(work) }
}

/** Tells a change after the answer. */
export function publishChange(c: AppContext, change: Change): void {
  c.executionCtx.waitUntil(publishChanges(toFeedContext(c), [change]))
}
