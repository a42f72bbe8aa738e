// SQL fragments on machines, which the statements of this slice and of the jobs slice share.
import { type Placeholder, type Query, type SQL, sql } from 'drizzle-orm'
import { selectCaller } from '../../accounts/sql/caller.ts'
import type { KeyPlace } from '../../accounts/sql/keys.ts'
import type { Caller } from '../../http/context.ts'
import { type Bindable, prepare } from '../../infra/prepare.ts'
import { constantSql, pickColumns, type RowOf } from '../../infra/rows.ts'
import type { Role } from '../../sites/role.ts'
import { isAtLeast, machineLevel, rightsAt, roleAt, siteLevel } from '../../sites/sql/role.ts'
import { selectSite } from '../../sites/sql/sites.ts'
import { normalizeControllerUrl } from '../controller-url.ts'
import { machines } from '../machine.table.ts'
import type { Delivery } from '../machine.ts'
import type { Reported } from '../report.ts'
import { delivery, reported } from './report.ts'

const machineLock = prepare<Caller & { id: number }, Role>(
  (value, role) => sql`
    WITH caller AS (${selectCaller(value)})
    SELECT m.id FROM caller, machines m WHERE m.id = ${value.id}::bigint AND ${isAtLeast(machineLevel('caller', 'm'), role)}
    FOR NO KEY UPDATE OF m`,
)

/**
 * Locks a machine on which the caller has at least this role. The next statement of the batch decides under this lock
 * about the machine or its jobs. A caller without the role does not take the lock, so that no stranger can delay others.
 */
export function lockMachine(caller: Caller, id: number, role: Role): Query {
  return machineLock({ ...caller, id }, role)
}

const machineLocks = prepare<Caller & { ids: number[] }, Role>(
  (value, role) => sql`
    WITH caller AS (${selectCaller(value)})
    SELECT m.id FROM caller, machines m WHERE m.id = ANY (${value.ids}::bigint[])
      AND ${isAtLeast(machineLevel('caller', 'm'), role)}
    ORDER BY m.id FOR NO KEY UPDATE OF m`,
)

/** The same for several machines. Returns the ids of those that are locked. */
export function lockMachines(caller: Caller, ids: number[], role: Role): Query {
  return machineLocks({ ...caller, ids }, role)
}

/** The columns of a machine that the API shows. */
export const machineColumns = pickColumns(machines, [
  'id',
  'name',
  'location',
  'status',
  'status_source',
  'status_at',
  'owner_id',
  'site_id',
  'controller_url',
  'controller_confirmed_at',
  'created_at',
  'updated_at',
])
export type Machine = RowOf<typeof machineColumns>

/** A machine, its revision, the role of the caller, and what the machine reports. */
export type MachineRow = Machine & {
  revision: number
  my_role: Role | null
  delivery: Delivery
  reported: Reported | null
}

function rowWith(level: SQL): SQL {
  return constantSql(sql`${machineColumns.of('m')}, m.revision, ${roleAt(level)} AS my_role,
    ${delivery} AS delivery, ${reported} AS reported`)
}

/** Columns of a `MachineRow`; needs `m` (the machine) and `caller` in scope. */
export const machineRow = rowWith(machineLevel('caller', 'm'))

/** The same for many rows; needs `memberships` in scope, too. */
export const listedMachineRow = rowWith(machineLevel('caller', 'm', 'memberships'))

/**
 * Assignments of an UPDATE of `machines m` that sets the status. Nothing changes if `status` is NULL.
 * @param source SQL: who says so
 */
export function setStatus(status: SQL, source: SQL): SQL {
  return sql`status = coalesce(${status}, m.status),
        status_source = CASE WHEN ${status} IS NULL THEN m.status_source ELSE ${source} END,
        status_at = CASE WHEN ${status} <> m.status THEN statement_timestamp() ELSE m.status_at END,
        updated_at = CASE WHEN ${status} IS NULL THEN m.updated_at ELSE statement_timestamp() END,
        revision = m.revision + CASE WHEN ${status} IS NULL THEN 0 ELSE 1 END`
}

/** The source of a status that a command caused: the machine, if its fresh report says the same. @param fresh SQL: that status */
export function sourceOf(status: SQL, fresh: SQL): SQL {
  return sql`CASE WHEN ${status} = ${fresh} THEN 'report' ELSE 'command' END`
}

/** RETURNING columns of an UPDATE of `machines m`: a `ChangedMachine`. */
export const changedMachine = sql.raw('m.id, m.revision, m.owner_id, m.site_id')

/** The settings of a machine that an audit event tells, as a JSON object. @param alias of the machine's row */
export function settingsOf(alias: 'm' | 'target'): SQL {
  const columns = ['owner_id', 'site_id', 'status', 'controller_url']
  return sql.raw(`jsonb_build_object(${columns.map((column) => `'${column}', ${alias}.${column}`).join(', ')})`)
}

/** The form of a controller's URL by which machines are compared; null if there is none. */
export function addressOf(url: string | null | undefined): string | null {
  return typeof url === 'string' ? normalizeControllerUrl(url) : null
}

/** A condition: another machine has confirmed the controller at this address. @param id of the machine that may have it */
export function isControllerTaken({ address, id }: Bindable<{ address: string | null; id: number | null }>): SQL {
  return sql`EXISTS (SELECT FROM machines WHERE confirmed_address = ${address}
    AND deleted_at IS NULL AND id IS DISTINCT FROM ${id}::bigint)`
}

/**
 * A condition: the caller owns the machine. It is a range instead of `=`, because PostgreSQL expects few rows of a range.
 * Of `=` it expects the average, and where a few accounts own most machines it would read all of them for everybody.
 */
export function isOwnOfCaller(machine: string): SQL {
  return sql.raw(`${machine}.owner_id BETWEEN (SELECT id FROM caller) AND (SELECT id FROM caller)`)
}

export type SiteRefusal = 'no_such_site' | 'site_role_too_low'

/** A CTE body: the site `site_id` and the level of the caller on it. `id` is NULL if there is no such site. */
export function selectDestination({ site_id }: Bindable<{ site_id?: number | null }>): SQL {
  return sql`
    SELECT s.id, ${siteLevel('caller')} AS level FROM caller LEFT JOIN sites s
      ON s.id = ${site_id}::bigint AND s.deleted_at IS NULL`
}

/** Rules for `firstOf`: why the caller may not put a machine into the site `destination`. */
export const refusalsOfSite: [condition: SQL, name: SiteRefusal][] = [
  [sql`(destination.id IS NULL OR destination.level < 0)`, 'no_such_site'],
  [sql`NOT ${isAtLeast(sql`destination.level`, 'manager')}`, 'site_role_too_low'],
]

/** A CTE body: the machine with the level of the caller on it, as `id`, `level` and `owner_id`. No row if there is none. */
export function selectMachine(id: number | Placeholder): SQL {
  return sql`
    SELECT m.id, ${machineLevel('caller', 'm')} AS level, m.owner_id FROM caller, machines m
    WHERE m.id = ${id}::bigint AND m.deleted_at IS NULL`
}

/** A CTE body: the machines of a site that are not deleted. */
export function selectMachinesOfSite(siteId: number): SQL {
  return sql`SELECT id FROM machines WHERE site_id = ${siteId}::bigint AND deleted_at IS NULL`
}

/**
 * An expression: what a new or revoked key `k` changes, as a `Change`. NULL for a key without the scope `report`. A key of a
 * site is one change, however many machines the site has.
 */
export const changeOfKey: SQL = sql`CASE WHEN 'report' = ANY (k.scopes) THEN
      (
      SELECT jsonb_build_object('machine_id', m.id, 'revision', m.revision, 'owner_id', m.owner_id,
        'site_ids', jsonb_build_array(CASE WHEN m.id IS NULL THEN k.site_id ELSE m.site_id END), 'job', NULL)
      FROM (SELECT) one_row LEFT JOIN machines m ON m.id = k.machine_id) END`

/** A CTE body: the machine or the site to which a key is limited, if the caller may see it, and the rights of the caller on it. */
export function selectKeyPlace({ kind, id }: KeyPlace): SQL {
  const select = kind === 'machine' ? selectMachine(id) : selectSite(id)
  return sql`SELECT place.id, ${rightsAt(sql`place.level`)} FROM (${select}) place WHERE place.level >= 0`
}
