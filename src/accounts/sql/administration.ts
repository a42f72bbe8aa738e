// Statements of staff on all accounts, and the operator's statement that grants or revokes staff rights.
import { sql } from 'drizzle-orm'
import type { Caller } from '../../http/context.ts'
import { defineSorts, type Sorted, type SortedPage } from '../../http/pagination/store.ts'
import type { Database } from '../../infra/database.ts'
import { TiebarError } from '../../kernel/error.ts'
import type { ErrorCode } from '../../kernel/error-codes.ts'
import { type Account, accountColumns, requireCaller, selectCaller } from './caller.ts'

export const accountSorts = defineSorts(accountColumns, ['id', 'date_joined'])

export type AccountFilter = { q?: string | undefined; isActive?: boolean | undefined; isStaff?: boolean | undefined }

/** The rows of one page of accounts. @throws TiebarError `staff_only`, `session_ended` */
export async function listAccounts(
  database: Database,
  caller: Caller,
  filter: AccountFilter,
  page: SortedPage,
): Promise<Sorted<Account>[]> {
  const conditions = [sql`caller.is_staff`, ...page.conditions('a')]
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
  if (!requireCaller(rows).caller_is_staff) throw new TiebarError('staff_only', refusals.staff_only)
  return rows.filter((row) => row.id !== null)
}

/** An absent field is not changed. */
export type RightsChange = { isActive?: boolean | undefined; isStaff?: boolean | undefined }

/**
 * Changes the rights of an account; disabling it ends all its sessions. All active staff accounts are locked, too: if
 * two staff members demote each other at the same time, one of them must remain staff.
 * @returns the account, and the ids of the ended sessions
 * @throws TiebarError `staff_only`, `not_found`, `last_staff`, `session_ended`
 */
export async function changeRights(
  database: Database,
  caller: Caller,
  id: number,
  { isActive = null, isStaff = null }: { [Name in keyof RightsChange]: RightsChange[Name] | null },
): Promise<{ account: Account; ended: string[] }> {
  const callerBody = selectCaller(caller)
  const lock = sql`
    WITH caller AS (${callerBody})
    SELECT a.id FROM caller JOIN accounts a ON caller.is_staff AND (a.id = ${id}::bigint OR (a.is_staff AND a.is_active))
    ORDER BY a.id FOR NO KEY UPDATE OF a`
  const decide = sql`
    WITH caller AS (${callerBody}),
    target AS (SELECT * FROM accounts WHERE id = ${id}::bigint),
    decision AS (
      SELECT CASE
        WHEN NOT caller.is_staff THEN 'staff_only'
        WHEN target.id IS NULL THEN 'not_found'
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
    )
    SELECT decision.decision, (SELECT coalesce(json_agg(id), '[]') FROM ended) AS ended, ${accountColumns.of('changed')}
    FROM decision LEFT JOIN changed ON true`
  const rows = await database.batch<Account & { decision: keyof typeof refusals | 'done'; ended: string[] }>(
    'change-rights',
    [lock, decide],
  )
  const { decision, ended, ...account } = requireCaller(rows)
  if (decision !== 'done') throw new TiebarError(decision, refusals[decision])
  return { account, ended }
}

const refusals = {
  staff_only: 'Only staff may see and change the accounts of others.',
  not_found: 'There is no account with this id.',
  last_staff: 'This is the only active staff account. Give another account staff rights first.',
} satisfies Partial<Record<ErrorCode, string>>

/**
 * Grants or revokes staff rights. For the operator, who has access to the database: there is no caller to check.
 * @returns the account, and how many active staff accounts there are now; undefined if no account has this username
 */
export async function setStaff(
  database: Database,
  usernameKey: string,
  isStaff: boolean,
): Promise<{ username: string; is_active: boolean; staff_count: number } | undefined> {
  const change = sql`
    UPDATE accounts SET is_staff = ${isStaff}::boolean WHERE username_key = ${usernameKey}`
  const read = sql`
    SELECT username, is_active, (SELECT count(*) FROM accounts WHERE is_staff AND is_active) AS staff_count
    FROM accounts WHERE username_key = ${usernameKey}`
  const rows = await database.batch<{ username: string; is_active: boolean; staff_count: number }>('set-staff', [
    change,
    read,
  ])
  return rows[0]
}
