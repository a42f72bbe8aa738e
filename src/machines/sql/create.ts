// Inserts a machine, within the quota of its owner.
import { type SQL, sql } from 'drizzle-orm'
import type { z } from 'zod'
import { eventOf, recordEvents, subjectOf } from '../../accounts/sql/audit.ts'
import { lockAccount, requireCaller, selectCaller } from '../../accounts/sql/caller.ts'
import type { Caller } from '../../http/context.ts'
import { deleteExpiredKey, insertKey, isKeyUsed, type RequestKey } from '../../http/idempotency/store.ts'
import type { Database } from '../../infra/database.ts'
import { type Bindable, prepare } from '../../infra/prepare.ts'
import { firstOf, type RequiredOf, type ValuesOf } from '../../infra/rows.ts'
import { TiebarError } from '../../kernel/error.ts'
import { keepSite } from '../../sites/sql/sites.ts'
import type { machines } from '../machine.table.ts'
import { explainRefusal } from '../refusals.ts'
import type { newMachineBody } from '../schema.ts'
import {
  addressOf,
  isControllerTaken,
  type Machine,
  type MachineRow,
  machineColumns,
  machineRow,
  refusalsOfSite,
  type SiteRefusal,
  selectDestination,
  settingsOf,
} from './fragments.ts'

/** The columns that a client may set. A member of the body without a column is a compile error. */
export type MachineValues = ValuesOf<z.infer<typeof newMachineBody>, Machine>
/** What the body must have, because PostgreSQL has no default for it. */
type RequiredValues = Record<Exclude<RequiredOf<typeof machines>, 'owner_id'>, unknown>
type NewMachine = Caller & MachineValues & { address: string | null; quota: number } & Partial<RequestKey>
type NewMachineShape = { columns: (keyof Machine)[]; hasSite: boolean; hasKey: boolean }
type Decision = 'created' | 'outside_key' | SiteRefusal | 'quota_exceeded' | 'controller_taken'

/**
 * A query: one row for each machine of the caller, up to the quota. It asks for a range and an order that only the index of
 * owners has. With `=`, PostgreSQL would expect as many machines as an average account has, and where one account owns nearly
 * all machines, it would read all of them for any account.
 */
function selectOwned({ quota }: Bindable<{ quota: number }>): SQL {
  return sql`
      SELECT FROM machines WHERE owner_id BETWEEN caller.id AND caller.id AND deleted_at IS NULL
      ORDER BY owner_id, id LIMIT ${quota}::bigint`
}

const isOutsideSiteOfKey: [SQL, Decision] = [sql`caller.key_site_id IS NOT NULL`, 'outside_key']

const insertion = prepare<NewMachine, NewMachineShape>((value, { columns, hasSite, hasKey }) => {
  const bindings = machineColumns.bind(columns, value)
  const names = bindings.map(({ name }) => name)
  const values = bindings.map((binding) => binding.value)
  const decision = firstOf<Decision>([
    [hasKey ? isKeyUsed(value) : sql`false`, 'created'],
    [sql`caller.key_machine_id IS NOT NULL`, 'outside_key'],
    ...(hasSite ? refusalsOfSite : [isOutsideSiteOfKey]),
    [sql`quota.is_exceeded`, 'quota_exceeded'],
    [isControllerTaken({ address: value.address, id: null }), 'controller_taken'],
    [sql`true`, 'created'],
  ])
  return sql`
    WITH caller AS (${selectCaller(value)}),
    quota AS (SELECT count(*) >= ${value.quota}::bigint AS is_exceeded FROM caller, LATERAL (${selectOwned(value)}) owned),
    destination AS (${hasSite ? selectDestination(value) : sql`SELECT NULL::bigint AS id`}),
    decision AS (SELECT ${decision} AS decision FROM caller, quota, destination),
    m AS (
      INSERT INTO machines (owner_id, ${sql.join(names, sql`, `)})
      SELECT caller.id, ${sql.join(values, sql`, `)} FROM caller, decision WHERE decision.decision = 'created'
      RETURNING *
    ),
    events AS (${recordEvents(sql`SELECT ${eventOf('machine.add', subjectOf('machine', sql`m.id`), { after: settingsOf('m') })} FROM m`)})${hasKey ? sql`, stored_key AS (${insertKey(value, sql`SELECT ${machineRow} FROM caller, m`)})` : sql``}
    SELECT decision.decision, ${machineRow} FROM caller CROSS JOIN decision LEFT JOIN m ON true`
})

/**
 * Inserts a machine that the caller owns. The account is locked first: otherwise many requests at the same time would all
 * count the same machines. The site is locked, too, so that it is not deleted meanwhile.
 * @param quota how many machines the account may have
 * @throws UniqueViolation of the idempotency key, if a concurrent request has stored it first
 * @throws TiebarError `quota_exceeded`, `controller_taken`, `no_such_site`, `role_too_low`, `key_not_allowed`, `session_ended`
 */
export async function insertMachine(
  database: Database,
  caller: Caller,
  values: MachineValues & RequiredValues,
  key: RequestKey | undefined,
  quota: number,
): Promise<MachineRow> {
  const site = values.site_id ?? null
  const insert = insertion(
    { ...values, ...key, ...caller, address: addressOf(values.controller_url), quota },
    {
      columns: machineColumns.namesIn(values),
      hasSite: site !== null,
      hasKey: key !== undefined,
    },
  )
  const locks = [lockAccount(caller), ...(site === null ? [] : [keepSite(caller, site)])]
  const first = key ? [deleteExpiredKey(key)] : []
  type Row = MachineRow & { decision: Decision }
  const row = requireCaller(await database.batch<Row>('insert-machine', [...first, ...locks, insert]))
  if (row.decision === 'quota_exceeded') {
    throw new TiebarError('quota_exceeded', `An account may have ${quota} machines.`)
  }
  if (row.decision === 'outside_key') {
    throw new TiebarError(
      'key_not_allowed',
      'The key is limited to a machine or a site. It cannot register a machine outside of it.',
    )
  }
  if (row.decision !== 'created') throw explainRefusal(row.decision)
  return row
}
