// Statements on sites. Each begins with the caller.
import { type Query, type SQL, sql } from 'drizzle-orm'
import { eventOf, recordEvents, subjectOf } from '../../accounts/sql/audit.ts'
import { lockAccount, requireCaller, selectCaller } from '../../accounts/sql/caller.ts'
import type { Caller } from '../../http/context.ts'
import { defineSorts, type Sorted, type SortedPage } from '../../http/pagination/store.ts'
import type { Database } from '../../infra/database.ts'
import { prepare } from '../../infra/prepare.ts'
import { constantSql, firstOf, pickColumns, type RowOf } from '../../infra/rows.ts'
import { TiebarError } from '../../kernel/error.ts'
import { explainSiteRefusal, type SiteDecision } from '../refusals.ts'
import type { Role } from '../role.ts'
import { sites } from '../site.table.ts'
import { memberEvent } from './member-event.ts'
import { isAtLeast, isValid, refusalsBelow, roleAt, siteLevel } from './role.ts'

const siteColumns = pickColumns(sites, ['id', 'name', 'created_at', 'updated_at'])
/** A site and the role of the caller on it. */
export type SiteRow = RowOf<typeof siteColumns> & { my_role: Role }

export const siteSorts = defineSorts(siteColumns, ['id', 'name'], 'id')

/** Columns of a `SiteRow`; needs `s` (the site) and `caller` in scope. */
const siteRow = constantSql(sql`${siteColumns.of('s')}, ${roleAt(siteLevel('caller'))} AS my_role`)

export function toSite({ id, name, my_role, created_at, updated_at }: SiteRow): SiteRow {
  return { id, name, my_role, created_at, updated_at }
}

/** A condition: the key of the caller, if there is one, may see the site `s`. */
const isSiteInScopeOfKey = sql.raw('(caller.key_machine_id IS NULL AND coalesce(caller.key_site_id, s.id) = s.id)')
const usesLimitedKey = sql.raw('(caller.key_machine_id IS NOT NULL OR caller.key_site_id IS NOT NULL)')

/** Makes sure that the site is not deleted until the transaction ends, if the caller has a role on it. */
export const keepSite: (caller: Caller, id: number) => Query = siteLock('viewer', sql`FOR KEY SHARE OF s`)
/** Locks a site for its managers. The next statement of the batch decides under this lock. */
export const lockSite: (caller: Caller, id: number) => Query = siteLock('manager', sql`FOR UPDATE OF s`)

function siteLock(role: Role, strength: SQL) {
  const statement = prepare<Caller & { id: number }>(
    (value) => sql`
    WITH caller AS (${selectCaller(value)})
    SELECT s.id FROM caller, sites s
    WHERE s.id = ${value.id}::bigint AND s.deleted_at IS NULL AND ${isAtLeast(siteLevel('caller'), role)} ${strength}`,
  )
  return (caller: Caller, id: number) => statement({ ...caller, id })
}

/** A CTE body: the site with the level of the caller on it, as `id`, `level` and `owner_id`. No row if there is none. */
export function selectSite(id: number): SQL {
  return sql`
    SELECT s.id, ${siteLevel('caller')} AS level, NULL::bigint AS owner_id FROM caller, sites s
    WHERE s.id = ${id}::bigint AND s.deleted_at IS NULL`
}

/** The rows of one page of the sites on which the caller has a role. @throws TiebarError `session_ended` */
export async function listSites(database: Database, caller: Caller, page: SortedPage): Promise<Sorted<SiteRow>[]> {
  const conditions = sql.join([sql`s.deleted_at IS NULL`, isSiteInScopeOfKey, ...page.conditions('s')], sql` AND `)
  const order = sql`ORDER BY ${page.orderBy('s')} LIMIT ${page.rowLimit}`
  const isMember = sql`s.id IN (
    SELECT member.site_id FROM members member WHERE member.account_id = caller.id AND ${isValid})`
  const rows = await database.query<Sorted<SiteRow> | { id: null }>(
    'list-sites',
    sql`
    WITH caller AS (${selectCaller(caller)})
    SELECT page.* FROM caller LEFT JOIN LATERAL (
      SELECT * FROM (
        (SELECT ${siteRow}, ${page.sortValue('s')} FROM sites s WHERE caller.is_staff AND ${conditions} ${order})
        UNION ALL
        (SELECT ${siteRow}, ${page.sortValue('s')} FROM sites s WHERE NOT caller.is_staff AND ${isMember} AND ${conditions} ${order})
      ) s ${order}
    ) page ON true
    ORDER BY ${page.orderBy('page')}`,
  )
  requireCaller(rows)
  return rows.filter((row) => row.id !== null)
}

/** @throws TiebarError `not_found`, `session_ended` */
export async function readSite(database: Database, caller: Caller, id: number): Promise<SiteRow> {
  const rows = await database.query<SiteRow | { id: null }>(
    'read-site',
    sql`
    WITH caller AS (${selectCaller(caller)})
    SELECT ${siteRow} FROM caller LEFT JOIN sites s
      ON s.id = ${id}::bigint AND s.deleted_at IS NULL AND ${isAtLeast(siteLevel('caller'), 'viewer')}`,
  )
  const row = requireCaller(rows)
  if (row.id === null) throw explainSiteRefusal('not_found')
  return row
}

/**
 * Creates a site, whose first manager is the caller. The account is locked first: otherwise many requests at the same
 * time would all count the same sites.
 * @param quota how many sites one account may create
 * @throws TiebarError `quota_exceeded`, `key_not_allowed`, `session_ended`
 */
export async function createSite(database: Database, caller: Caller, name: string, quota: number): Promise<SiteRow> {
  const rows = await database.batch<(SiteRow | { id: null }) & { is_limited: boolean }>('create-site', [
    lockAccount(caller),
    sql`
    WITH caller AS (${selectCaller(caller)}),
    created AS (SELECT count(*) AS count FROM sites s, caller WHERE s.created_by = caller.id AND s.deleted_at IS NULL),
    s AS (
      INSERT INTO sites (name, created_by) SELECT ${name}, caller.id FROM caller, created
      WHERE created.count < ${quota}::bigint AND NOT ${usesLimitedKey} RETURNING *
    ),
    manager AS (INSERT INTO members (site_id, account_id, role) SELECT s.id, s.created_by, 'manager' FROM s),
    events AS (${recordEvents(sql`SELECT ${eventOf('site.add', subjectOf('site', sql`id`))} FROM s`)})
    SELECT ${usesLimitedKey} AS is_limited, ${siteColumns.of('s')}, 'manager' AS my_role FROM caller LEFT JOIN s ON true`,
  ])
  const { is_limited, ...row } = requireCaller(rows)
  if (is_limited)
    throw new TiebarError('key_not_allowed', 'A key that is limited to a machine or a site cannot create sites.')
  if (row.id === null) throw new TiebarError('quota_exceeded', `An account may create ${quota} sites.`)
  return row
}

/**
 * Renames a site. If the name is the same or undefined, `updated_at` is kept.
 * @throws TiebarError `not_found`, `role_too_low`, `session_ended`
 */
export async function renameSite(
  database: Database,
  caller: Caller,
  id: number,
  name: string | undefined,
): Promise<SiteRow> {
  const given = sql`${name ?? null}::text`
  const rows = await database.batch<SiteRow & { decision: SiteDecision }>('rename-site', [
    lockSite(caller, id),
    sql`
    WITH caller AS (${selectCaller(caller)}), site AS (${selectSite(id)}),
    decision AS (
      SELECT ${firstOf<SiteDecision>([...refusalsBelow('manager', 'site'), [sql`true`, 'done']])} AS decision
      FROM caller LEFT JOIN site ON true
    ),
    changed AS (
      UPDATE sites SET name = ${given}, updated_at = statement_timestamp() FROM decision
      WHERE sites.id = ${id}::bigint AND decision.decision = 'done' AND sites.name <> ${given} RETURNING sites.*
    ),
    events AS (${recordEvents(sql`SELECT ${eventOf('site.rename', subjectOf('site', sql`id`))} FROM changed`)}),
    s AS (
      SELECT * FROM changed
      UNION ALL SELECT * FROM sites WHERE id = ${id}::bigint AND NOT EXISTS (SELECT FROM changed)
    )
    SELECT decision.decision, ${siteRow} FROM caller CROSS JOIN decision LEFT JOIN s ON true`,
  ])
  const { decision, ...row } = requireCaller(rows)
  if (decision !== 'done') throw explainSiteRefusal(decision)
  return toSite(row)
}

/** A CTE body: the machines of a site. `app.ts` passes it in, because the slice of machines is above this one. */
export type SelectMachinesOfSite = (siteId: number) => SQL

/**
 * Deletes a site without machines. Its members lose their roles.
 * @throws TiebarError `not_found`, `role_too_low`, `site_not_empty`, `session_ended`
 */
export async function deleteSite(
  database: Database,
  caller: Caller,
  id: number,
  selectMachines: SelectMachinesOfSite,
): Promise<void> {
  const decision = firstOf<SiteDecision>([
    ...refusalsBelow('manager', 'site'),
    [sql`EXISTS (SELECT FROM machines_of_site)`, 'site_not_empty'],
    [sql`true`, 'done'],
  ])
  const rows = await database.batch<{ decision: SiteDecision }>('delete-site', [
    lockSite(caller, id),
    sql`
    WITH caller AS (${selectCaller(caller)}), site AS (${selectSite(id)}), machines_of_site AS (${selectMachines(id)}),
    decision AS (SELECT ${decision} AS decision FROM caller LEFT JOIN site ON true),
    deleted AS (
      UPDATE sites SET deleted_at = statement_timestamp(), updated_at = statement_timestamp() FROM decision
      WHERE sites.id = ${id}::bigint AND decision.decision = 'done' RETURNING sites.id
    ),
    former_members AS (
      DELETE FROM members USING deleted WHERE members.site_id = deleted.id RETURNING members.*
    ),
    events AS (${recordEvents(
      sql`SELECT ${eventOf('site.delete', subjectOf('site', sql`id`))} FROM deleted`,
      sql`SELECT ${memberEvent('member.remove', subjectOf('site', sql`site_id`), { before: 'former_members' })} FROM former_members`,
    )})
    SELECT decision FROM decision`,
  ])
  const row = requireCaller(rows)
  if (row.decision !== 'done') throw explainSiteRefusal(row.decision)
}
