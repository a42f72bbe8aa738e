// The first part of every statement: it checks the caller's session or key, and the account.
import { type Query, type SQL, sql } from 'drizzle-orm'
import type { Caller, KeyCaller, SessionCaller } from '../../http/context.ts'
import { type Bindable, prepare } from '../../infra/prepare.ts'
import { pickColumns, type RowOf } from '../../infra/rows.ts'
import { outputSettings } from '../../infra/settings.ts'
import { TiebarError } from '../../kernel/error.ts'
import { accounts } from '../account.table.ts'

/**
 * A CTE body with one row `(id, is_staff, key_id, key_machine_id, key_site_id)`: the account, and the key with which it
 * acts and the limits of that key, all NULL for a session. It has no row if the session has ended, the key is not valid or
 * has none of the scopes that the request needs, or the account is disabled; then nothing is done and the answer is 401 or
 * 403 (see `requireCaller`). Every statement checks this, so a log-out, a revoked key and the loss of staff rights work at
 * once. As every row of a statement depends on this one, it also sets what the output depends on.
 */
export function selectCaller(caller: Bindable<Caller>): SQL {
  return caller.kind === 'key' ? selectKey(caller) : selectSession(caller)
}

function selectSession({ accountId, sessionId }: Bindable<SessionCaller>): SQL {
  return sql`
    SELECT a.id, a.is_staff, NULL::uuid AS key_id, NULL::bigint AS key_machine_id, NULL::bigint AS key_site_id,
      ${sql.raw(outputSettings)} AS settings
    FROM sessions s JOIN accounts a ON a.id = s.account_id
    WHERE s.id = ${sessionId}::uuid AND s.account_id = ${accountId}::bigint
      AND s.ended_at IS NULL AND s.expires_at > now() AND a.is_active`
}

function selectKey({ keyId, secretHash, scopes }: Bindable<KeyCaller>): SQL {
  return sql`
    SELECT a.id, a.is_staff, k.id AS key_id, k.machine_id AS key_machine_id, k.site_id AS key_site_id,
      ${sql.raw(outputSettings)} AS settings
    FROM keys k JOIN accounts a ON a.id = k.account_id
    WHERE k.id = ${keyId}::uuid AND k.secret_hash = ${secretHash} AND k.scopes && ${sql.param(scopes)}::text[]
      AND ${isKeyValid} AND a.is_active`
}

/** A condition: the key `k` is neither revoked nor expired. */
export const isKeyValid = sql.raw(
  '(k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_timestamp()))',
)

/**
 * The first row of a statement that begins with the caller.
 * @throws TiebarError `session_ended` when there is none. For a key, the error handler finds out the reason
 */
export function requireCaller<Row>(rows: Row[]): Row {
  const [first] = rows
  if (first === undefined) throw new TiebarError('session_ended', 'The session has ended. Log in again.')
  return first
}

/** Locks the caller's account. The next statement of the batch decides under this lock which sessions end. */
export const lockAccount: (caller: Caller) => Query = prepare<Caller>(
  (caller) => sql`
    WITH caller AS (${selectCaller(caller)})
    SELECT a.id FROM caller JOIN accounts a ON a.id = caller.id FOR NO KEY UPDATE OF a`,
)

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
