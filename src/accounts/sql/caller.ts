// The first part of every statement: it checks the caller's session and account.
import { type SQL, sql } from 'drizzle-orm'
import type { Caller } from '../../http/context.ts'
import { pickColumns, type RowOf } from '../../infra/rows.ts'
import { TiebarError } from '../../kernel/error.ts'
import { accounts } from '../account.table.ts'

/**
 * A CTE body with one row `(id, is_staff)`. It has no row if the session has ended or the account is disabled; then the
 * answer is 401 (see `requireCaller`). Every statement checks this, so log-out and loss of staff rights work at once.
 */
export function selectCaller({ accountId, sessionId }: Caller): SQL {
  return sql`
    SELECT a.id, a.is_staff
    FROM sessions s JOIN accounts a ON a.id = s.account_id
    WHERE s.id = ${sessionId}::uuid AND s.account_id = ${accountId}::bigint
      AND s.ended_at IS NULL AND s.expires_at > now() AND a.is_active`
}

/** The first row of a statement that begins with the caller. @throws TiebarError `session_ended` when there is none */
export function requireCaller<Row>(rows: Row[]): Row {
  const [first] = rows
  if (first === undefined) throw new TiebarError('session_ended', 'The session has ended. Log in again.')
  return first
}

/** Locks the caller's account. The next statement of the batch decides under this lock which sessions end. */
export function lockAccount(caller: Caller): SQL {
  return sql`
    WITH caller AS (${selectCaller(caller)})
    SELECT a.id FROM caller JOIN accounts a ON a.id = caller.id FOR NO KEY UPDATE OF a`
}

/** The columns of an account that the API shows. */
export const accountColumns = pickColumns(accounts, [
  'id',
  'username',
  'email',
  'first_name',
  'last_name',
  'is_staff',
  'is_active',
  'date_joined',
  'last_login',
])
export type Account = RowOf<typeof accountColumns>
