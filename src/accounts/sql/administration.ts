// Statements of staff on all accounts, and the operator's statement that grants or revokes staff rights.
import { sql } from 'drizzle-orm'
import type { SessionCaller } from '../../http/context.ts'
import { defineSorts, type Sorted, type SortedPage } from '../../http/pagination/store.ts'
import type { Database } from '../../infra/database.ts'
import { TiebarError } from '../../kernel/error.ts'
import type { ErrorCode } from '../../kernel/error-codes.ts'
import { eventOf, noCaller, recordEvents, subjectOf } from './audit.ts'
import { type Account, accountColumns, isKeyValid, requireCaller, selectCaller } from './caller.ts'

export const accountSorts = defineSorts(accountColumns, ['id', 'date_joined'], 'id')

export type AccountFilter = { q?: string | undefined; isActive?: boolean | undefined; isStaff?: boolean | undefined }

/** The rows of one page of accounts. @throws TiebarError `staff_only`, `session_ended` */
export async function listAccounts(
  database: Database,
  caller: SessionCaller,
  filter: AccountFilter,
  page: SortedPage,
): Promise<Sorted<Account>[]> {
  const conditions = [sql`caller.is_staff`, sql`a.deleted_at IS NULL`, ...page.conditions('a')]
  if (filter.isActive !== undefined) conditions.push(sql`a.is_active = ${filter.isActive}::boolean`)
  if (filter.isStaff !== undefined) conditions.push(sql`a.is_staff = ${filter.isStaff}::boolean`)
  if (filter.q !== undefined) {
    const pattern = `%${filter.q.replace(/[\\%_]/g, '\\$&')}%`
    conditions.push(sql`(a.username ILIKE ${pattern} OR a.email ILIKE ${pattern}
      OR a.first_name ILIKE ${pattern} OR a.last_name ILIKE ${pattern})`)
  }
  type Row = { caller_is_staff: boolean } & (Sorted<Account> | { id: null })
  const rows = await database.query<Row>(
    'list-accounts',
    sql`
    WITH caller AS (${selectCaller(caller)})
    SELECT caller.is_staff AS caller_is_staff, page.* FROM caller LEFT JOIN LATERAL (
      SELECT ${accountColumns.of('a')}, ${page.sortValue('a')} FROM accounts a
      WHERE ${sql.join(conditions, sql` AND `)}
      ORDER BY ${page.orderBy('a')} LIMIT ${page.rowLimit}
    ) page ON true
    ORDER BY ${page.orderBy('page')}`,
  )
  if (!requireCaller(rows).caller_is_staff) throw staffOnly()
  return rows.filter((row) => row.id !== null)
}

export function staffOnly(): TiebarError {
  return new TiebarError('staff_only', refusals.staff_only)
}

/** An absent right is not changed. */
export type RightsChange = {
  isActive?: boolean | undefined
  isStaff?: boolean | undefined
}

/**
 * Changes the rights of an account; disabling it ends all its sessions. All active staff accounts are locked, too: if
 * two staff members demote each other at the same time, one of them must remain staff.
 * @param confirm checks the password of the caller. It is called only for a change after which the account can use staff
 *   rights that it could not use before; the change is then decided again
 * @returns the account, the ids of the ended sessions, and those of the keys that stopped working
 * @throws TiebarError `staff_only`, `not_found`, `last_staff`, `session_ended`, and what `confirm` throws
 */
export async function changeRights(
  database: Database,
  caller: SessionCaller,
  id: number,
  change: RightsChange,
  confirm: () => Promise<void>,
): Promise<{ account: Account; ended: string[]; stoppedKeys: string[] }> {
  const { isActive = null, isStaff = null } = change
  const callerBody = selectCaller(caller)
  const lock = sql`
    WITH caller AS (${callerBody})
    SELECT a.id FROM caller JOIN accounts a ON caller.is_staff AND (a.id = ${id}::bigint OR (a.is_staff AND a.is_active))
    ORDER BY a.id FOR NO KEY UPDATE OF a`
  const decide = (isConfirmed: boolean) => sql`
    WITH caller AS (${callerBody}),
    target AS (SELECT * FROM accounts WHERE id = ${id}::bigint AND deleted_at IS NULL),
    decision AS (
      SELECT CASE
        WHEN NOT caller.is_staff THEN 'staff_only'
        WHEN target.id IS NULL THEN 'not_found'
        WHEN NOT ${isConfirmed}::boolean AND coalesce(${isStaff}::boolean, target.is_staff)
          AND coalesce(${isActive}::boolean, target.is_active) AND NOT (target.is_staff AND target.is_active)
          THEN 'not_confirmed'
        WHEN target.is_staff AND target.is_active
          AND NOT (coalesce(${isStaff}::boolean, true) AND coalesce(${isActive}::boolean, true))
          AND NOT EXISTS (SELECT FROM accounts other WHERE other.id <> target.id AND other.is_staff AND other.is_active)
          THEN 'last_staff'
        ELSE 'done' END AS decision
      FROM caller LEFT JOIN target ON true
    ),
    changed AS (
      UPDATE accounts SET
        is_active = coalesce(${isActive}::boolean, is_active),
        is_staff = coalesce(${isStaff}::boolean, is_staff)
      FROM decision WHERE accounts.id = ${id}::bigint AND decision.decision = 'done'
      RETURNING accounts.*
    ),
    ended AS (
      UPDATE sessions SET ended_at = now() FROM changed
      WHERE sessions.account_id = changed.id AND NOT changed.is_active
        AND sessions.ended_at IS NULL AND sessions.expires_at > now()
      RETURNING sessions.id
    ),
    stopped_keys AS (
      SELECT k.id FROM changed JOIN keys k ON k.account_id = changed.id WHERE NOT changed.is_active AND ${isKeyValid}
    ),
    events AS (${recordEvents(rightsEvent)})
    SELECT decision.decision, (SELECT coalesce(json_agg(id), '[]') FROM ended) AS ended,
      (SELECT coalesce(json_agg(id), '[]') FROM stopped_keys) AS stopped_keys, ${accountColumns.of('changed')}
    FROM decision LEFT JOIN changed ON true`
  type Decision = keyof typeof refusals | 'not_confirmed' | 'done'
  type Row = Account & { decision: Decision; ended: string[]; stopped_keys: string[] }
  const run = async (isConfirmed: boolean) =>
    requireCaller(await database.batch<Row>('change-rights', [lock, decide(isConfirmed)]))
  let row = await run(false)
  if (row.decision === 'not_confirmed') {
    await confirm()
    row = await run(true)
  }
  const { decision, ended, stopped_keys: stoppedKeys, ...account } = row
  if (decision === 'not_confirmed') throw new TypeError('a confirmed change is not refused as not confirmed')
  if (decision !== 'done') throw new TiebarError(decision, refusals[decision])
  return { account, ended, stoppedKeys }
}

const refusals = {
  staff_only: 'Only staff may see and change the accounts of others.',
  not_found: 'There is no account with this id.',
  last_staff: 'This is the only active staff account. Give another account staff rights first.',
} satisfies Partial<Record<ErrorCode, string>>

const rightsOf = (row: 'target' | 'changed') =>
  sql.raw(`jsonb_build_object('is_active', ${row}.is_active, 'is_staff', ${row}.is_staff)`)
/** From `target`, an account as it was, and `changed`, the same as it is now. */
const rightsEvent = sql`
      SELECT ${eventOf('account.rights', subjectOf('account', sql`changed.id`), { before: rightsOf('target'), after: rightsOf('changed') })}
      FROM target JOIN changed ON changed.id = target.id
      WHERE (target.is_active, target.is_staff) <> (changed.is_active, changed.is_staff)`

/**
 * Grants or revokes staff rights. For the operator, who has access to the database: there is no caller to check. The account
 * is locked first, so that the event has the rights before the change.
 * @returns the account, and how many active staff accounts there are now; undefined if no account has this username
 */
export async function setStaff(
  database: Database,
  usernameKey: string,
  isStaff: boolean,
): Promise<{ username: string; is_active: boolean; staff_count: number } | undefined> {
  const hasName = sql`username_key = ${usernameKey} AND deleted_at IS NULL`
  const change = sql`
    WITH caller AS (${noCaller}), target AS (SELECT * FROM accounts WHERE ${hasName}),
    changed AS (
      UPDATE accounts SET is_staff = ${isStaff}::boolean FROM target WHERE accounts.id = target.id RETURNING accounts.*
    )
    ${recordEvents(rightsEvent)}`
  const read = sql`
    SELECT username, is_active, (SELECT count(*) FROM accounts WHERE is_staff AND is_active) AS staff_count
    FROM accounts WHERE ${hasName}`
  const rows = await database.batch<{ username: string; is_active: boolean; staff_count: number }>('set-staff', [
    sql`SELECT id FROM accounts WHERE ${hasName} FOR NO KEY UPDATE`,
    change,
    read,
  ])
  return rows[0]
}

/**
 * Replaces the password, ends all sessions, and deletes a reset that was not used. For the operator, as `setStaff`. The
 * account is locked first: a concurrent log-in with the old password has either inserted its session by then, or it finds
 * that the password has changed.
 * @returns the account; undefined if no account has this username
 */
export async function resetPassword(
  database: Database,
  usernameKey: string,
  passwordHash: string,
): Promise<{ username: string; is_active: boolean; ended: number } | undefined> {
  const hasName = sql`username_key = ${usernameKey} AND deleted_at IS NULL`
  const lock = sql`SELECT id FROM accounts WHERE ${hasName} FOR NO KEY UPDATE`
  const change = sql`
    WITH changed AS (
      UPDATE accounts SET password_hash = ${passwordHash} WHERE ${hasName} RETURNING *
    ), ended AS (
      UPDATE sessions SET ended_at = now() FROM changed
      WHERE sessions.account_id = changed.id AND sessions.ended_at IS NULL AND sessions.expires_at > now()
      RETURNING sessions.id
    ), resets AS (DELETE FROM password_resets USING changed WHERE password_resets.account_id = changed.id),
    caller AS (${noCaller}),
    events AS (${recordEvents(sql`SELECT ${eventOf('account.password', subjectOf('account', sql`changed.id`))} FROM changed`)})
    SELECT username, is_active, (SELECT count(*) FROM ended) AS ended FROM changed`
  const rows = await database.batch<{ username: string; is_active: boolean; ended: number }>('reset-password', [
    lock,
    change,
  ])
  return rows[0]
}
