// Reads the statuses of a machine for the bar of the last 24 hours.
import type { StatusChange } from '../client/api.ts'
import { serverNow } from './clock.ts'
import { client, session } from './session.ts'
import type { Instant } from './time.ts'

const hourMs = 3_600_000
export const shownMs = 24 * hourMs
const pageSize = 100
/** A machine that changes its status every minute has more: the bar then begins with its oldest status that was read. */
const most = 10 * pageSize

export const beginOfBar = (now: Instant): Instant => now - shownMs

/** What was read last: the page of a machine reads again with each change, and then asks only for what is new. */
let known: { id: number; items: StatusChange[] } | undefined
session.subscribe(() => {
  known = undefined
})

/** @returns the newest first; the last one is the status at the begin of the bar, or before it */
export async function readStatusHistory(id: number): Promise<StatusChange[]> {
  const earlier = known?.id === id ? known.items : []
  const reader = session.get()
  // The answer begins with the status at this time, so it meets what is known.
  const from = earlier[0]?.at ?? new Date(beginOfBar(serverNow())).toISOString()
  const items: StatusChange[] = []
  for await (const page of client.machines.statuses(id, { from, limit: pageSize }).pages()) {
    items.push(...page.items)
    if (items.length >= most) break
  }
  const all = items.length < most ? [...items, ...earlier.filter(({ at }) => at < from)] : items
  if (session.get() === reader) known = { id, items: all.slice(0, most) }
  return all
}
