// SQL fragments on holds, which several statements share.
import { type SQL, sql } from 'drizzle-orm'
import { toRfc3339 } from '../../kernel/time.ts'
import type { Hold } from '../hold.ts'

/** The columns of a hold `h`. */
export const holdColumns =
  sql.raw(`h.id, h.machine_id, h.reason, h.placed_by, h.placed_at, CASE WHEN h.overridden_at IS NOT NULL
      THEN jsonb_build_object('by', h.overridden_by, 'at', h.overridden_at, 'reason', h.override_reason) END AS override`)

/** A condition: the hold `h` is in force. */
export const isInForce = sql.raw('h.removed_at IS NULL AND h.overridden_at IS NULL')

/** A condition: the machine with this id is held. */
export function isHeld(machineId: SQL): SQL {
  return sql`EXISTS (SELECT FROM holds h WHERE h.machine_id = ${machineId} AND ${isInForce})`
}

/** An expression: the holds in force of the machine with this id, as JSON. */
export function holdsOf(machineId: SQL): SQL {
  return sql`(SELECT coalesce(jsonb_agg(item ORDER BY item.id), '[]') FROM (
      SELECT ${holdColumns} FROM holds h WHERE h.machine_id = ${machineId} AND ${isInForce}) item)`
}

/** An expression: the holds of the caller that were overridden and that the caller has not removed, as JSON. */
export const selectOverriddenHolds = sql`(SELECT coalesce(jsonb_agg(item ORDER BY item.id), '[]') FROM (
      SELECT ${holdColumns} FROM holds h
      WHERE h.placed_by = caller.id AND h.removed_at IS NULL AND h.overridden_at IS NOT NULL) item)`

/** A row that may have more columns. Its override is JSON, whose time is converted. */
export function toHold({ id, machine_id, reason, placed_by, placed_at, override }: Hold): Hold {
  return {
    id,
    machine_id,
    reason,
    placed_by,
    placed_at,
    override: override && { ...override, at: toRfc3339(override.at) },
  }
}

/** A hold of `selectOverriddenHolds` or `holdsOf`, which are JSON as a whole. */
export function holdFromJson(hold: Hold): Hold {
  return toHold({ ...hold, placed_at: toRfc3339(hold.placed_at) })
}
