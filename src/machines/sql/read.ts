// Reads machines: one, or a page of a list. Each is one statement that begins with the caller.
import { type SQL, sql } from 'drizzle-orm'
import { requireCaller, selectCaller } from '../../accounts/sql/caller.ts'
import type { Caller } from '../../http/context.ts'
import { defineSorts, type Sorted, type SortedPage } from '../../http/pagination/store.ts'
import type { Database } from '../../infra/database.ts'
import { prepare } from '../../infra/prepare.ts'
import { constantSql } from '../../infra/rows.ts'
import { machineLevel, selectMemberships } from '../../sites/sql/role.ts'
import type { MachineStatus } from '../machine.ts'
import { explainRefusal } from '../refusals.ts'
import { isOwnOfCaller, listedMachineRow, type MachineRow, machineColumns, machineRow } from './fragments.ts'

export const machineSorts = defineSorts(machineColumns, ['id', 'name', 'created_at', 'updated_at'], 'id')

export type MachineFilter = {
  status?: MachineStatus | undefined
  ownerId?: number | 'me' | undefined
  siteId?: number | undefined
  q?: string | undefined
}

function conditionsOf({ status, ownerId, siteId, q }: MachineFilter, page: SortedPage): SQL[] {
  const conditions = [sql`m.deleted_at IS NULL`, ...page.conditions('m')]
  if (status) conditions.push(sql`m.status = ${status}`)
  if (ownerId === 'me') conditions.push(sql`m.owner_id = caller.id`)
  else if (ownerId !== undefined) conditions.push(sql`m.owner_id = ${ownerId}::bigint`)
  if (siteId !== undefined) conditions.push(sql`m.site_id = ${siteId}::bigint`)
  if (q !== undefined) {
    const pattern = `%${q.replace(/[\\%_]/g, '\\$&')}%`
    conditions.push(sql`(m.name ILIKE ${pattern} OR m.location ILIKE ${pattern})`)
    // The same texts and some more, by the index `machines_by_text`. One character has no pairs.
    if ([...q].length > 1) conditions.push(sql`bigrams(m.name || chr(10) || m.location) @> bigrams(${q}::text)`)
  }
  return conditions
}

const ownInSites = sql`
      SELECT own.id FROM machines own WHERE ${isOwnOfCaller('own')} AND own.site_id IS NOT NULL AND own.deleted_at IS NULL`

/**
 * CTEs: `places` has the ids of the sites, and of the single machines, that the caller may see because of a role. Machines
 * without a site are visible to all, and all machines to staff. A session has no limits, which makes its statement short:
 * PostgreSQL plans it anew for each request.
 */
const places = {
  session: constantSql(sql`
    memberships AS MATERIALIZED (${selectMemberships}),
    places AS MATERIALIZED (SELECT
      ARRAY(SELECT site_id FROM memberships, caller WHERE site_id IS NOT NULL AND NOT caller.is_staff) AS sites,
      ARRAY(SELECT machine_id FROM memberships WHERE machine_id IS NOT NULL UNION ${ownInSites}) AS machines)`),
  key: constantSql(sql`
    memberships AS MATERIALIZED (${selectMemberships}),
    places AS MATERIALIZED (SELECT
      ARRAY(SELECT key_site_id FROM caller WHERE is_staff AND key_site_id IS NOT NULL
        UNION ALL SELECT site_id FROM memberships, caller WHERE site_id IS NOT NULL AND NOT caller.is_staff
          AND caller.key_machine_id IS NULL AND site_id = coalesce(caller.key_site_id, site_id)) AS sites,
      ARRAY(SELECT key_machine_id FROM caller WHERE key_machine_id IS NOT NULL
        UNION SELECT machine_id FROM memberships WHERE machine_id IS NOT NULL UNION ${ownInSites}) AS machines)`),
}

const isInNoPlace = sql.raw('NOT coalesce(m.site_id = ANY (places.sites), false)')
const hasNoKeyLimit = sql.raw('caller.key_machine_id IS NULL AND caller.key_site_id IS NULL')
/** Conditions: the caller may see the machines without a site, all machines, and a single machine that is in no other part. */
const scopes = {
  session: {
    noSite: sql`true`,
    all: sql.raw('caller.is_staff'),
    single: sql`NOT caller.is_staff AND m.site_id IS NOT NULL AND ${isInNoPlace}`,
  },
  key: {
    noSite: hasNoKeyLimit,
    all: sql`caller.is_staff AND ${hasNoKeyLimit}`,
    single: constantSql(sql`(NOT caller.is_staff OR NOT ${hasNoKeyLimit}) AND ${isInNoPlace}
      AND (m.site_id IS NOT NULL OR NOT ${hasNoKeyLimit}) AND ${machineLevel('caller', 'm', 'memberships')} >= 0`),
  },
}

/**
 * The statement of one page of machines. It has one row with the `id` NULL if the page is empty, and no row if the session
 * has ended. The machines without a site, those of each site and the single ones are each read in
 * the order of the list up to the length of the page, by an index, and then merged: one condition for all of them would
 * read every machine that the caller may not see. Each machine is in one of the parts.
 * @param columns of each machine `m`; `caller` and `memberships` are in scope
 */
export function selectMachines(caller: Caller, filter: MachineFilter, page: SortedPage, columns: SQL): SQL {
  const conditions = conditionsOf(filter, page)
  const select = (...scope: SQL[]) => sql`
        (SELECT ${machineColumns.of('m')}, m.revision FROM machines m WHERE ${sql.join([...scope, ...conditions], sql` AND `)}
        ORDER BY ${page.orderBy('m')} LIMIT ${page.rowLimit})`
  const { noSite, all, single } = scopes[caller.kind]
  return sql`
    WITH caller AS (${selectCaller(caller)}), ${places[caller.kind]}
    SELECT page.* FROM caller CROSS JOIN places LEFT JOIN LATERAL (
      SELECT ${columns}, ${page.sortValue('m')} FROM (
        ${select(noSite, sql`num_nulls(m.site_id) = 1`)}
        UNION ALL
        ${select(all, sql`num_nulls(m.site_id) = 0`)}
        UNION ALL
        SELECT m.* FROM unnest(places.sites) AS site (id) CROSS JOIN LATERAL ${select(sql`m.site_id = site.id`)} m
        UNION ALL
        ${select(sql`m.id = ANY (places.machines)`, single)}
      ) m
      ORDER BY ${page.orderBy('m')} LIMIT ${page.rowLimit}
    ) page ON true
    ORDER BY ${page.orderBy('page')}`
}

/** The rows of one page of machines. @throws TiebarError `session_ended` */
export async function listMachines(
  database: Database,
  caller: Caller,
  filter: MachineFilter,
  page: SortedPage,
): Promise<Sorted<MachineRow>[]> {
  const statement = selectMachines(caller, filter, page, listedMachineRow)
  const rows = await database.query<Sorted<MachineRow> | { id: null }>('list-machines', statement)
  requireCaller(rows)
  return rows.filter((row) => row.id !== null)
}

const oneMachine = prepare<Caller & { id: number }>(
  (value) => sql`
    WITH caller AS (${selectCaller(value)})
    SELECT ${machineRow} FROM caller LEFT JOIN machines m
      ON m.id = ${value.id}::bigint AND m.deleted_at IS NULL AND ${machineLevel('caller', 'm')} >= 0`,
)

/** @throws TiebarError `not_found`, `session_ended` */
export async function readMachine(database: Database, caller: Caller, id: number): Promise<MachineRow> {
  const rows = await database.query<MachineRow | { id: null }>('read-machine', oneMachine({ ...caller, id }))
  const row = requireCaller(rows)
  if (row.id === null) throw explainRefusal('not_found')
  return row
}
