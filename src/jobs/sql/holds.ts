// Statements on holds. In this slice, because a hold supersedes a START that has not been sent.
import { sql } from 'drizzle-orm'
import { eventOf, recordEvents, subjectOf } from '../../accounts/sql/audit.ts'
import { requireCaller, selectCaller } from '../../accounts/sql/caller.ts'
import type { Caller, SessionCaller } from '../../http/context.ts'
import { defineSorts, type Sorted, type SortedPage } from '../../http/pagination/store.ts'
import type { Database } from '../../infra/database.ts'
import { prepare } from '../../infra/prepare.ts'
import { firstOf, pickColumns } from '../../infra/rows.ts'
import { TiebarError } from '../../kernel/error.ts'
import type { ChangedMachine } from '../../machines/feed.ts'
import { holds } from '../../machines/hold.table.ts'
import type { Hold } from '../../machines/hold.ts'
import { explainRefusal } from '../../machines/refusals.ts'
import { changedMachine, lockMachine, selectMachine } from '../../machines/sql/fragments.ts'
import { holdColumns, toHold } from '../../machines/sql/hold.ts'
import { isAtLeast, type RoleRefusal, refusalsBelow } from '../../sites/sql/role.ts'
import { now } from './fragments.ts'

export const holdSorts = defineSorts(pickColumns(holds, ['id']), ['id'], 'id')

export const holdEvent = (action: 'hold.place' | 'hold.remove' | 'hold.override', from: string) =>
  sql`SELECT ${eventOf(action, subjectOf('machine', sql`machine_id`), { after: sql`jsonb_build_object('hold_id', id)` })} FROM ${sql.raw(from)}`

/** The rows of one page of the holds that were not removed. @throws TiebarError `not_found`, `not_owner`, `session_ended` */
export async function listHolds(
  database: Database,
  caller: Caller,
  machineId: number,
  page: SortedPage,
): Promise<Sorted<Hold>[]> {
  const conditions = [sql`h.machine_id = machine.id AND h.removed_at IS NULL`, isAtLeast(sql`machine.level`, 'viewer')]
  type Row = (Sorted<Hold> | { id: null }) & { refusal: RoleRefusal | null }
  const rows = await database.query<Row>(
    'list-holds',
    sql`
    WITH caller AS (${selectCaller(caller)}), machine AS MATERIALIZED (${selectMachine(machineId)})
    SELECT ${firstOf(refusalsBelow('viewer', 'machine'))} AS refusal, page.* FROM caller LEFT JOIN machine ON true
      LEFT JOIN LATERAL (
        SELECT ${holdColumns}, ${page.sortValue('h')} FROM holds h
        WHERE ${sql.join([...conditions, ...page.conditions('h')], sql` AND `)}
        ORDER BY ${page.orderBy('h')} LIMIT ${page.rowLimit}
      ) page ON true
    ORDER BY ${page.orderBy('page')}`,
  )
  const { refusal } = requireCaller(rows)
  if (refusal !== null) throw explainRefusal(refusal)
  return rows.filter((row) => row.id !== null)
}

const notFound = () => new TiebarError('not_found', 'The machine has no hold with this id.')

type RemoveDecision = 'not_found' | 'hold_of_other' | 'removed'
const removeDecision = firstOf<RemoveDecision>([
  [sql`target.id IS NULL OR (target.placed_by <> caller.id AND coalesce(machine.level, 0) < 1)`, 'not_found'],
  [sql`target.placed_by <> caller.id`, 'hold_of_other'],
  [sql`true`, 'removed'],
])

const removal = prepare<SessionCaller & { machineId: number; holdId: number }>(
  (value) => sql`
    WITH caller AS (${selectCaller(value)}), machine AS MATERIALIZED (${selectMachine(value.machineId)}),
    target AS (
      SELECT * FROM holds WHERE id = ${value.holdId}::bigint AND machine_id = ${value.machineId}::bigint AND removed_at IS NULL
    ),
    decision AS (
      SELECT ${removeDecision} AS decision FROM caller LEFT JOIN target ON true LEFT JOIN machine ON true
    ),
    removed AS (
      UPDATE holds SET removed_at = ${now} FROM decision
      WHERE holds.id = ${value.holdId}::bigint AND holds.removed_at IS NULL AND decision.decision = 'removed' RETURNING holds.*
    ),
    changed AS (
      UPDATE machines m SET revision = m.revision + 1 FROM removed WHERE m.id = removed.machine_id RETURNING ${changedMachine}
    ),
    events AS (${recordEvents(holdEvent('hold.remove', 'removed'))})
    SELECT decision, (SELECT to_jsonb(changed) FROM changed) AS changed FROM decision`,
)

/**
 * Removes a hold of the caller, who may have lost the role. A manager may have overridden the hold.
 * @returns the machine, if it has changed
 * @throws TiebarError `not_found`, `hold_of_other`, `session_ended`
 */
export async function removeHold(
  database: Database,
  caller: SessionCaller,
  machineId: number,
  holdId: number,
): Promise<ChangedMachine | null> {
  const rows = await database.query<{ decision: RemoveDecision; changed: ChangedMachine | null }>(
    'remove-hold',
    removal({ ...caller, machineId, holdId }),
  )
  const { decision: decided, changed } = requireCaller(rows)
  if (decided === 'not_found') throw notFound()
  if (decided === 'hold_of_other') {
    throw new TiebarError(decided, 'Only the account that placed the hold removes it. A manager may override it.')
  }
  return changed
}

type OverrideDecision = RoleRefusal | 'no_hold' | 'done'
const overrideDecision = firstOf<OverrideDecision>([
  ...refusalsBelow('manager', 'machine'),
  [sql`target.id IS NULL`, 'no_hold'],
  [sql`true`, 'done'],
])

const overriding = prepare<SessionCaller & { machineId: number; holdId: number; reason: string }>(
  (value) => sql`
    WITH caller AS (${selectCaller(value)}), machine AS MATERIALIZED (${selectMachine(value.machineId)}),
    target AS (
      SELECT * FROM holds WHERE id = ${value.holdId}::bigint AND machine_id = ${value.machineId}::bigint AND removed_at IS NULL
    ),
    decision AS (SELECT ${overrideDecision} AS decision FROM caller LEFT JOIN machine ON true LEFT JOIN target ON true),
    overridden AS (
      UPDATE holds SET overridden_by = caller.id, overridden_at = ${now}, override_reason = ${value.reason}
      FROM caller, decision
      WHERE holds.id = ${value.holdId}::bigint AND holds.removed_at IS NULL AND holds.overridden_at IS NULL
        AND decision.decision = 'done'
      RETURNING holds.*
    ),
    changed AS (
      UPDATE machines m SET revision = m.revision + 1 FROM overridden WHERE m.id = overridden.machine_id
      RETURNING ${changedMachine}
    ),
    events AS (${recordEvents(holdEvent('hold.override', 'overridden'))}),
    h AS (SELECT * FROM overridden UNION ALL SELECT * FROM target WHERE NOT EXISTS (SELECT FROM overridden))
    SELECT decision.decision, (SELECT to_jsonb(changed) FROM changed) AS changed, ${holdColumns}
    FROM caller CROSS JOIN decision LEFT JOIN h ON true`,
)

/**
 * Takes a hold out of force. The account that placed it still finds it, until it removes it.
 * @returns `machine`: if it has changed
 * @throws TiebarError `not_found`, `not_owner`, `role_too_low`, `session_ended`
 */
export async function overrideHold(
  database: Database,
  caller: SessionCaller,
  machineId: number,
  holdId: number,
  reason: string,
): Promise<{ hold: Hold; machine: ChangedMachine | null }> {
  const rows = await database.batch<Hold & { decision: OverrideDecision; changed: ChangedMachine | null }>(
    'override-hold',
    [lockMachine(caller, machineId, 'manager'), overriding({ ...caller, machineId, holdId, reason })],
  )
  const { decision: decided, changed, ...hold } = requireCaller(rows)
  if (decided === 'no_hold') throw notFound()
  if (decided !== 'done') throw explainRefusal(decided)
  return { hold: toHold(hold), machine: changed }
}
