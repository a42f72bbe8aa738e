// Reads the statuses of a machine for the bar of the last 24 hours.
import type { StatusChange } from '../client/api.ts'
import { serverNow } from './clock.ts'
import { client } from './session.ts'
import type { Instant } from './time.ts'

const hourMs = 3_600_000
export const shownMs = 24 * hourMs
const pageSize = 100
/** A machine that changes its status every minute has more: the bar then begins with its oldest status that was read. */
const most = 10 * pageSize

export const beginOfBar = (now: Instant): Instant => now - shownMs

/** @returns the newest first; the last one is the status at the begin of the bar */
export async function readStatusHistory(id: number): Promise<StatusChange[]> {
  const items: StatusChange[] = []
  const query = { from: new Date(beginOfBar(serverNow())).toISOString(), limit: pageSize }
  for await (const page of client.machines.statuses(id, query).pages()) {
    items.push(...page.items)
    if (items.length >= most) break
  }
  return items
}
