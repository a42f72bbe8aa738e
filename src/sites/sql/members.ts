// Statements on the members of a site or of a machine. Both kinds use the same statements: `Place` has the differences.
import { type Query, type SQL, sql } from 'drizzle-orm'
import { accounts } from '../../accounts/account.table.ts'
import { recordEvents, subjectOf } from '../../accounts/sql/audit.ts'
import { lockAccount, requireCaller, selectCaller } from '../../accounts/sql/caller.ts'
import type { Caller } from '../../http/context.ts'
import { defineSorts, type Sorted, type SortedPage } from '../../http/pagination/store.ts'
import type { Database } from '../../infra/database.ts'
import { firstOf, pickColumns, type RowOf } from '../../infra/rows.ts'
import { TiebarError } from '../../kernel/error.ts'
import { members } from '../member.table.ts'
import type { Role } from '../role.ts'
import { memberEvent } from './member-event.ts'
import { isAtLeast, type RoleRefusal, refusalsBelow } from './role.ts'

/** A site or a machine, as something that has members. */
export type Place = {
  /** The column of `members` with its id. */
  column: 'site_id' | 'machine_id'
  /** Locks the site or machine, if the caller is a manager of it. */
  lock(caller: Caller, id: number): Query
  /** A CTE body with at most one row: `id`, `level` of the caller, and `owner_id`, which is NULL for a site. */
  select(id: number): SQL
  /** Whether one member must be a manager. A machine has its owner, who is one. */
  needsManager: boolean
  refuse(reason: RoleRefusal): TiebarError
}

const memberColumns = pickColumns(members, ['account_id', 'role', 'expires_at'])
export type MemberRow = RowOf<typeof memberColumns> & { username: string }
export const memberSorts = defineSorts(memberColumns, ['account_id'], 'account_id')
const username = sql.raw(`a.${accounts.username.name}`)

/** The rows of one page of members. @throws TiebarError of `place.refuse`, `session_ended` */
export async function listMembers(
  database: Database,
  caller: Caller,
  place: Place,
  id: number,
  page: SortedPage,
): Promise<Sorted<MemberRow>[]> {
  const conditions = [sql`member.${sql.raw(place.column)} = place.id`, isAtLeast(sql`place.level`, 'manager')]
  type Row = (Sorted<MemberRow> | { account_id: null }) & { refusal: RoleRefusal | null }
  const rows = await database.query<Row>(
    'list-members',
    sql`
    WITH caller AS (${selectCaller(caller)}), place AS MATERIALIZED (${place.select(id)})
    SELECT ${firstOf(refusalsBelow('manager', 'place'))} AS refusal, page.* FROM caller LEFT JOIN place ON true
      LEFT JOIN LATERAL (
        SELECT ${memberColumns.of('member')}, ${username}, ${page.sortValue('member')}
        FROM members member JOIN accounts a ON a.id = member.account_id
        WHERE ${sql.join([...conditions, ...page.conditions('member')], sql` AND `)}
        ORDER BY ${page.orderBy('member')} LIMIT ${page.rowLimit}
      ) page ON true
    ORDER BY ${page.orderBy('page')}`,
  )
  const { refusal } = requireCaller(rows)
  if (refusal !== null) throw place.refuse(refusal)
  return rows.filter((row) => row.account_id !== null)
}

export type Grant = { usernameKey: string; role: Role; expiresAt: string | null }

const refusals = {
  no_such_account: 'There is no active account with this username.',
  role_is_fixed: 'Staff, and the owner of a machine, are managers. A grant cannot lower that.',
  last_manager: 'A site needs a manager whose role does not expire. Make somebody else one first.',
  not_a_member: 'This account is not a member.',
} as const
type Refusal = RoleRefusal | keyof typeof refusals

/** A condition: the account is the only active manager of the site whose role does not expire. */
function isLastManager(place: Place, account: SQL): SQL {
  if (!place.needsManager) return sql`false`
  const permanent = sql`member.site_id = place.id AND member.role = 'manager' AND member.expires_at IS NULL`
  const other = sql`SELECT FROM members member JOIN accounts manager ON manager.id = member.account_id AND manager.is_active`
  return sql`(EXISTS (SELECT FROM members member WHERE ${permanent} AND member.account_id = ${account})
    AND NOT EXISTS (${other} WHERE ${permanent} AND member.account_id <> ${account}))`
}

/**
 * Gives an account a role, or changes the one that it has. The account is locked, so that it gets no role while it is being
 * deleted. It is locked before the site or machine, because the deletion locks in this order.
 * @returns the member, and whether it is new
 * @throws TiebarError of `place.refuse`, `no_such_account`, `role_is_fixed`, `last_manager`, `session_ended`
 */
export async function putMember(
  database: Database,
  caller: Caller,
  place: Place,
  id: number,
  { usernameKey, role, expiresAt }: Grant,
): Promise<{ member: MemberRow; isNew: boolean }> {
  const isLower = sql`(${role}::text <> 'manager' OR ${expiresAt}::timestamptz IS NOT NULL)`
  const decision = firstOf<Refusal | 'done'>([
    ...refusalsBelow('manager', 'place'),
    [sql`account.id IS NULL`, 'no_such_account'],
    [sql`(account.is_staff OR account.id = place.owner_id) AND ${isLower}`, 'role_is_fixed'],
    [sql`${isLower} AND ${isLastManager(place, sql`account.id`)}`, 'last_manager'],
    [sql`true`, 'done'],
  ])
  const subject = subjectOfPlace(place, id)
  type Row = MemberRow & { decision: Refusal | 'done'; is_new: boolean }
  const lockAccountOfMember = sql`
    WITH caller AS (${selectCaller(caller)}), place AS MATERIALIZED (${place.select(id)})
    SELECT a.id FROM place, accounts a
    WHERE a.username_key = ${usernameKey} AND a.is_active AND ${isAtLeast(sql`place.level`, 'manager')} FOR SHARE OF a`
  const rows = await database.batch<Row>('put-member', [
    lockAccountOfMember,
    place.lock(caller, id),
    sql`
    WITH caller AS (${selectCaller(caller)}), place AS MATERIALIZED (${place.select(id)}),
    account AS (SELECT a.id, a.is_staff, ${username} FROM accounts a WHERE a.username_key = ${usernameKey} AND a.is_active),
    decision AS (
      SELECT ${decision} AS decision FROM caller LEFT JOIN place ON true LEFT JOIN account ON true
    ),
    changed AS (
      UPDATE members SET role = ${role}, expires_at = ${expiresAt}::timestamptz FROM decision, account
      WHERE members.${sql.raw(place.column)} = ${id}::bigint AND members.account_id = account.id
        AND decision.decision = 'done'
      RETURNING ${memberColumns.of('members')}, false AS is_new
    ),
    added AS (
      INSERT INTO members (${sql.raw(place.column)}, account_id, role, expires_at)
      SELECT ${id}::bigint, account.id, ${role}, ${expiresAt}::timestamptz FROM decision, account
      WHERE decision.decision = 'done' AND NOT EXISTS (
        SELECT FROM members WHERE ${sql.raw(place.column)} = ${id}::bigint AND account_id = account.id)
      RETURNING ${memberColumns.of('members')}, true AS is_new
    ),
    previous AS (
      SELECT ${memberColumns.of('members')} FROM members, account
      WHERE members.${sql.raw(place.column)} = ${id}::bigint AND members.account_id = account.id
    ),
    events AS (${recordEvents(
      sql`SELECT ${memberEvent('member.add', subject, { after: 'added' })} FROM added`,
      sql`SELECT ${memberEvent('member.change', subject, { before: 'previous', after: 'changed' })} FROM previous, changed
        WHERE (previous.role, previous.expires_at) IS DISTINCT FROM (changed.role, changed.expires_at)`,
    )})
    SELECT decision.decision, member.*, account.username
    FROM decision LEFT JOIN (SELECT * FROM changed UNION ALL SELECT * FROM added) member ON true LEFT JOIN account ON true`,
  ])
  const { decision: decided, is_new, ...member } = requireCaller(rows)
  if (decided !== 'done') throw explain(place, decided)
  return { member, isNew: is_new }
}

/**
 * Removes the role of an account. Every member may leave. Only managers lock the site or machine, so the account of the
 * caller is locked, too: otherwise a concurrent grant to a member who leaves would find the row, and then nothing to change.
 * @throws TiebarError of `place.refuse`, `not_found`, `last_manager`, `session_ended`
 */
export async function removeMember(
  database: Database,
  caller: Caller,
  place: Place,
  id: number,
  accountId: number,
): Promise<void> {
  const isOwn = sql`caller.id = ${accountId}::bigint`
  const decision = firstOf<Refusal | 'done'>([
    ...refusalsBelow('manager', 'place').map(([condition, name]): [SQL, RoleRefusal] => {
      return name === 'not_found' ? [condition, name] : [sql`NOT ${isOwn} AND ${condition}`, name]
    }),
    [sql`NOT EXISTS (SELECT FROM member)`, 'not_a_member'],
    [isLastManager(place, sql`${accountId}::bigint`), 'last_manager'],
    [sql`true`, 'done'],
  ])
  const rows = await database.batch<{ decision: Refusal | 'done' }>('remove-member', [
    lockAccount(caller),
    place.lock(caller, id),
    sql`
    WITH caller AS (${selectCaller(caller)}), place AS MATERIALIZED (${place.select(id)}),
    member AS (
      SELECT * FROM members WHERE ${sql.raw(place.column)} = ${id}::bigint AND account_id = ${accountId}::bigint
    ),
    decision AS (SELECT ${decision} AS decision FROM caller LEFT JOIN place ON true),
    removed AS (
      DELETE FROM members USING member, decision WHERE members.id = member.id AND decision.decision = 'done'
      RETURNING members.*
    ),
    events AS (${recordEvents(
      sql`SELECT ${memberEvent('member.remove', subjectOfPlace(place, id), { before: 'removed' })} FROM removed`,
    )})
    SELECT decision FROM decision`,
  ])
  const { decision: decided } = requireCaller(rows)
  if (decided !== 'done') throw explain(place, decided)
}

function subjectOfPlace({ column }: Place, id: number): SQL {
  return subjectOf(column === 'site_id' ? 'site' : 'machine', sql`${id}::bigint`)
}

function explain(place: Place, reason: Refusal): TiebarError {
  if (reason === 'not_a_member') return new TiebarError('not_found', refusals.not_a_member)
  if (reason === 'no_such_account' || reason === 'role_is_fixed' || reason === 'last_manager') {
    return new TiebarError(reason, refusals[reason])
  }
  return place.refuse(reason)
}
