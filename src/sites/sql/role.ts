// Who may do what: the role of an account on a machine or a site, as one SQL expression each. It is decided only here.
import { type SQL, sql } from 'drizzle-orm'
import { constantSql, sqlList } from '../../infra/rows.ts'
import { type Role, roles } from '../role.ts'

/**
 * The alias of a row of an account: `id`, `is_staff`, and `key_machine_id` and `key_site_id`, the limits of the key with
 * which it acts (both NULL without a key or without a limit).
 */
type AccountAlias = 'caller' | 'requester'
/** The alias of a row of a machine: `id`, `owner_id`, `site_id`. */
type MachineAlias = 'm' | 'machine' | 'target'

/** The level of what an account must not even see. */
const hidden = sql.raw('-1')
/** The level of what every account may see. */
const visible = sql.raw('0')
const roleArray = sql`ARRAY[${sqlList(roles)}]`

/** The level of a role: its position in `roles`, from 1. */
function levelOf(role: Role): SQL {
  return sql.raw(String(roles.indexOf(role) + 1))
}

/** A condition: the row `member` has not expired. */
export const isValid = sql.raw('(member.expires_at IS NULL OR member.expires_at > statement_timestamp())')

/** A CTE body: the rows of `members` that give the caller a role. */
export const selectMemberships = constantSql(sql`
      SELECT member.* FROM caller JOIN members member ON member.account_id = caller.id WHERE ${isValid}`)

/** Where the roles of an account are: in the table, or in a CTE `memberships`, which a list reads for all its rows. */
type Source = 'members' | 'memberships'

/** The highest level of an account by the rows of `source` that meet a condition; NULL without such a row. */
function memberLevel(account: AccountAlias, condition: string, source: Source): SQL {
  const isOfAccount =
    source === 'memberships' ? sql`` : sql` AND member.account_id = ${sql.raw(account)}.id AND ${isValid}`
  return sql`(SELECT max(array_position(${roleArray}, member.role)) FROM ${sql.raw(source)} member
    WHERE (${sql.raw(condition)})${isOfAccount})`
}

/** True if the account uses a key that is limited to something else; otherwise false or NULL. */
function isOutsideKey(account: AccountAlias, machine: MachineAlias): SQL {
  return sql.raw(`(${account}.key_machine_id <> ${machine}.id
    OR ${account}.key_site_id IS NOT NULL AND ${account}.key_site_id IS DISTINCT FROM ${machine}.site_id)`)
}

/** A condition: the account uses no key, or one that is not limited to something else. */
export function isInScopeOfKey(account: AccountAlias, machine: MachineAlias): SQL {
  return sql`${isOutsideKey(account, machine)} IS NOT TRUE`
}

/**
 * The level of an account on a machine: -1 if it may not see it, 0 if it only sees it as everybody does, or the level of
 * its role. A machine without a site is visible to every account.
 */
export function machineLevel(account: AccountAlias, machine: MachineAlias, source: Source = 'members'): SQL {
  const isOfMachine = `member.machine_id = ${machine}.id OR member.site_id = ${machine}.site_id`
  const byMembership = memberLevel(account, isOfMachine, source)
  return constantSql(sql`CASE WHEN ${isOutsideKey(account, machine)} THEN ${hidden}
    WHEN ${sql.raw(`${account}.is_staff OR ${machine}.owner_id = ${account}.id`)} THEN ${levelOf('manager')}
    ELSE coalesce(${byMembership}, CASE WHEN ${sql.raw(machine)}.site_id IS NULL THEN ${visible} ELSE ${hidden} END) END`)
}

/** The level of an account on a site `s`: -1 if it may not see it, or the level of its role. */
export function siteLevel(account: AccountAlias): SQL {
  const isOutsideKey = `${account}.key_machine_id IS NOT NULL OR ${account}.key_site_id <> s.id`
  return constantSql(sql`CASE WHEN ${sql.raw(isOutsideKey)} THEN ${hidden}
    WHEN ${sql.raw(account)}.is_staff THEN ${levelOf('manager')}
    ELSE coalesce(${memberLevel(account, 'member.site_id = s.id', 'members')}, ${hidden}) END`)
}

/** A condition: a level is at least that of a role. */
export function isAtLeast(level: SQL, role: Role): SQL {
  return sql`${level} >= ${levelOf(role)}`
}

/** The name of the role at a level; NULL without a role. */
export function roleAt(level: SQL): SQL {
  return sql`(${roleArray})[${level}]`
}

export type RoleRefusal = 'not_found' | 'not_owner' | 'role_too_low'

/**
 * Rules for `firstOf`: why an account may not do what needs a role.
 * @param place the alias of a row with `id` and `level`, which is NULL if the row does not exist
 */
export function refusalsBelow(role: Role, place: string): [condition: SQL, name: RoleRefusal][] {
  return [
    [sql.raw(`${place}.id IS NULL OR ${place}.level < 0`), 'not_found'],
    [sql.raw(`${place}.level = 0`), 'not_owner'],
    [sql`${sql.raw(place)}.level < ${levelOf(role)}`, 'role_too_low'],
  ]
}

/** Columns for the statement that creates a key: whether the caller has a role on its machine or site, and is a manager. */
export function rightsAt(level: SQL): SQL {
  return sql`${level} > 0 AS has_role, ${isAtLeast(level, 'manager')} AS is_manager`
}
