// How every statement begins: the caller is part of it.
import { type SQL, sql } from 'drizzle-orm'
import type { Caller } from '../../http/context.ts'
import { pickColumns, type RowOf } from '../../infra/rows.ts'
import { TiebarError } from '../../kernel/error.ts'
import { accounts } from '../account.table.ts'

/**
 * A CTE body of one row `(id, is_staff)`, or none: then the session has ended or the account is disabled, and the
 * answer is 401 (see `requireCaller`). A log-out or a lost staff right so works at once.
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

/** Whatever ends sessions of an account is decided under this lock, by the next statement of the batch. */
export function lockAccount(caller: Caller): SQL {
  return sql`
    WITH caller AS (${selectCaller(caller)})
    SELECT a.id FROM caller JOIN accounts a ON a.id = caller.id FOR NO KEY UPDATE OF a`
}

/** What the API shows of an account. */
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
