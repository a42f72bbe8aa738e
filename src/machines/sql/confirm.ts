// Stores that the controller of a machine has confirmed it, and reads what the question needs.
import { sql } from 'drizzle-orm'
import { requireCaller, selectCaller } from '../../accounts/sql/caller.ts'
import type { Caller } from '../../http/context.ts'
import type { Database } from '../../infra/database.ts'
import { UniqueViolation } from '../../infra/database-error.ts'
import { firstOf } from '../../infra/rows.ts'
import { TiebarError } from '../../kernel/error.ts'
import { machineLevel, type RoleRefusal, refusalsBelow } from '../../sites/sql/role.ts'
import type { ChangedMachine } from '../feed.ts'
import { explainRefusal } from '../refusals.ts'
import { changedMachine } from './fragments.ts'

/** @returns the time of the confirmation (RFC 3339) and the machine, or why it could not be stored */
export async function storeConfirmation(
  database: Database,
  machineId: number,
  url: string,
  address: string,
): Promise<{ confirmedAt: string; machine: ChangedMachine } | string> {
  const now = sql`statement_timestamp()`
  try {
    const [row] = await database.query<ChangedMachine & { controller_confirmed_at: string }>(
      'store-confirmation',
      sql`
      UPDATE machines m SET controller_confirmed_at = ${now}, confirmed_address = ${address}, updated_at = ${now},
        revision = revision + 1
      WHERE id = ${machineId}::bigint AND controller_url = ${url} AND deleted_at IS NULL
      RETURNING controller_confirmed_at, ${changedMachine}`,
    )
    if (row) return { confirmedAt: row.controller_confirmed_at, machine: row }
    return 'the controller of the machine was changed meanwhile'
  } catch (error) {
    if (error instanceof UniqueViolation) return 'the controller is the controller of another machine'
    throw error
  }
}

/** @throws TiebarError `not_found`, `not_owner`, `role_too_low`, `no_controller`, `session_ended` */
export async function readController(
  database: Database,
  caller: Caller,
  machineId: number,
): Promise<{ machineId: number; owner: string; url: string }> {
  type Row = { refusal: RoleRefusal | null; controller_url: string | null; owner: string }
  const rows = await database.query<Row>(
    'read-controller',
    sql`
    WITH caller AS (${selectCaller(caller)}),
    target AS MATERIALIZED (
      SELECT m.*, ${machineLevel('caller', 'm')} AS level
      FROM caller, machines m WHERE m.id = ${machineId}::bigint AND m.deleted_at IS NULL
    )
    SELECT ${firstOf(refusalsBelow('manager', 'target'))} AS refusal, target.controller_url, owner.username AS owner
    FROM caller LEFT JOIN target ON true LEFT JOIN accounts owner ON owner.id = target.owner_id`,
  )
  const { refusal, owner, controller_url: url } = requireCaller(rows)
  if (refusal !== null) throw explainRefusal(refusal)
  if (url === null) throw new TiebarError('no_controller', 'The machine has no controller_url.')
  return { machineId, owner, url }
}
