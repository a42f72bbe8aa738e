// Statements for sign-up, log-in, log-out and the tokens of a session.
import { type SQL, sql } from 'drizzle-orm'
import type { SessionCaller } from '../../http/context.ts'
import type { Database } from '../../infra/database.ts'
import { type Bindable, prepare } from '../../infra/prepare.ts'
import { outputSettingsRow } from '../../infra/settings.ts'
import { refreshSeconds, sessionDays } from '../token.ts'
import { type Account, accountColumns, requireCaller, selectCaller } from './caller.ts'

export type NewSession = {
  sessionId: string
  refreshId: string
  userAgent: string | null
  address: string
}

export type NewAccount = {
  username: string
  usernameKey: string
  email: string
  emailKey: string
  firstName: string
  lastName: string
}

const settingsRow = sql.raw(outputSettingsRow)

/** Whether the username or the e-mail address is taken. It runs before the password hash, which is expensive. */
export async function findTakenField(
  database: Database,
  account: NewAccount,
): Promise<'username' | 'email' | undefined> {
  const rows = await database.query<{ has_username: boolean }>(
    'find-taken',
    sql`
    SELECT username_key = ${account.usernameKey} AS has_username FROM ${settingsRow}, accounts
    WHERE username_key = ${account.usernameKey} OR email_key = ${account.emailKey}
    ORDER BY has_username DESC LIMIT 1`,
  )
  return rows[0] && (rows[0].has_username ? 'username' : 'email')
}

/**
 * Inserts the account and its first session.
 * @throws UniqueViolation if another account has the username or the e-mail address
 */
export async function insertAccount(
  database: Database,
  account: NewAccount,
  passwordHash: string,
  session: NewSession,
): Promise<Account> {
  const rows = await database.query<Account>(
    'insert-account',
    sql`
    WITH new_account AS (
      INSERT INTO accounts (username, username_key, email, email_key, first_name, last_name, password_hash, last_login)
      SELECT ${account.username}, ${account.usernameKey}, ${account.email}, ${account.emailKey},
        ${account.firstName}, ${account.lastName}, ${passwordHash}, now()
      FROM ${settingsRow}
      RETURNING *
    ), new_session AS (
      INSERT INTO sessions (id, account_id, refresh_id, user_agent, address, expires_at)
      SELECT ${session.sessionId}::uuid, new_account.id, ${session.refreshId}::uuid, ${session.userAgent},
        ${session.address}, now() + make_interval(secs => ${refreshSeconds})
      FROM new_account
    )
    SELECT ${accountColumns.of('new_account')} FROM new_account`,
  )
  return requireCaller(rows)
}

export type Credentials = {
  id: number
  password_hash: string
  is_active: boolean
}

export async function findCredentials(database: Database, usernameKey: string): Promise<Credentials | undefined> {
  const rows = await database.query<Credentials>(
    'find-credentials',
    sql`SELECT id, password_hash, is_active FROM ${settingsRow}, accounts WHERE username_key = ${usernameKey}`,
  )
  return rows[0]
}

/**
 * Inserts a session if the account is active and its password has not changed since it was checked. If the account then
 * has too many sessions, the oldest ones end. Log-ins at the same time do not see each other: the next one corrects that.
 * @param newHash replaces a hash with outdated parameters; null keeps the stored hash
 * @param quota how many sessions the account may have
 * @returns the account and the ids of the ended sessions; undefined if the account is disabled or the password has changed
 */
export async function insertSession(
  database: Database,
  credentials: Credentials,
  session: NewSession,
  newHash: string | null,
  quota: number,
): Promise<{ account: Account; ended: string[] } | undefined> {
  const rows = await database.query<Account & { ended: string[] }>(
    'insert-session',
    sql`
    WITH account AS (
      UPDATE accounts SET last_login = now(), password_hash = coalesce(${newHash}, password_hash)
      WHERE id = ${credentials.id}::bigint AND is_active AND password_hash = ${credentials.password_hash}
      RETURNING *
    ), new_session AS (
      INSERT INTO sessions (id, account_id, refresh_id, user_agent, address, expires_at)
      SELECT ${session.sessionId}::uuid, account.id, ${session.refreshId}::uuid, ${session.userAgent},
        ${session.address}, now() + make_interval(secs => ${refreshSeconds})
      FROM account
    ), ended AS (
      UPDATE sessions SET ended_at = now() WHERE id IN (
        SELECT s.id FROM account JOIN sessions s ON s.account_id = account.id
        WHERE s.ended_at IS NULL AND s.expires_at > now()
        ORDER BY s.created_at DESC, s.id DESC OFFSET ${quota - 1})
      RETURNING id
    )
    SELECT (SELECT coalesce(json_agg(id), '[]') FROM ended) AS ended, ${accountColumns.of('account')} FROM account`,
  )
  if (!rows[0]) return undefined
  const { ended, ...account } = rows[0]
  return { account, ended }
}

type Rotation = { accountId: number; sessionId: string; refreshId: string; nextRefreshId: string }

/** How long the refresh token before the last one is accepted: the answer may have been lost, or another tab uses it. */
const reuseSeconds = 10

type RefreshId = Bindable<Pick<Rotation, 'refreshId'>>

const isLast = (value: RefreshId) => sql`s.refresh_id = ${value.refreshId}::uuid`

/** `now()` may be before `refreshed_at`, if the statement waited for another refresh. */
const isJustReplaced = (value: RefreshId) => sql`s.previous_refresh_id = ${value.refreshId}::uuid
  AND s.refreshed_at > now() - make_interval(secs => ${reuseSeconds})`

const rotation = prepare<Rotation>(
  (value) => sql`
    UPDATE sessions s
    SET refresh_id = CASE WHEN ${isLast(value)} THEN ${value.nextRefreshId}::uuid ELSE s.refresh_id END,
      previous_refresh_id = CASE WHEN ${isLast(value)} THEN s.refresh_id ELSE s.previous_refresh_id END,
      refreshed_at = CASE WHEN ${isLast(value)} THEN now() ELSE s.refreshed_at END,
      expires_at = least(now() + make_interval(secs => ${refreshSeconds}), s.created_at + make_interval(days => ${sessionDays})),
      ended_at = CASE WHEN ${isLast(value)} OR (${isJustReplaced(value)}) THEN NULL ELSE now() END
    FROM accounts a
    WHERE s.id = ${value.sessionId}::uuid AND s.account_id = ${value.accountId}::bigint
      AND s.ended_at IS NULL AND s.expires_at > now() AND a.id = s.account_id AND a.is_active
    RETURNING CASE WHEN s.ended_at IS NULL THEN s.refresh_id END AS refresh_id`,
)

/**
 * Replaces the session's refresh token. If an old token is used again, the session ends (RFC 9700 §4.14.2): the old
 * token may be stolen, and only the owner can log in again. For `reuseSeconds`, the token before the last one is accepted
 * and gets the last one again, so that all its holders continue with the same token.
 * @returns the id of the last refresh token; null if the token was an old one and the session has been ended
 * @throws TiebarError `session_ended`
 */
export async function rotateRefresh(
  database: Database,
  { accountId, sessionId }: { accountId: number; sessionId: string },
  refreshId: string,
  nextRefreshId: string,
): Promise<string | null> {
  const statement = rotation({ accountId, sessionId, refreshId, nextRefreshId })
  const rows = await database.query<{ refresh_id: string | null }>('rotate-refresh', statement)
  return requireCaller(rows).refresh_id
}

/** Ends the caller's session. @throws TiebarError `session_ended` if it has ended already */
export async function endSession(database: Database, caller: SessionCaller): Promise<void> {
  const rows = await database.query(
    'end-session',
    sql`
    WITH caller AS (${selectCaller(caller)})
    UPDATE sessions SET ended_at = now() FROM caller
    WHERE sessions.id = ${caller.sessionId}::uuid AND sessions.account_id = caller.id
    RETURNING sessions.id`,
  )
  requireCaller(rows)
}

/** An expression for the holds of the account `caller` that a manager has overridden, as JSON. */
export type SelectHolds = SQL

/**
 * The caller's account.
 * @throws TiebarError `session_ended`
 */
export async function readAccount<Hold>(
  database: Database,
  caller: SessionCaller,
  overriddenHolds: SelectHolds,
): Promise<Account & { overridden_holds: Hold[] }> {
  const rows = await database.query<Account & { overridden_holds: Hold[] }>(
    'read-account',
    sql`
    WITH caller AS (${selectCaller(caller)})
    SELECT ${accountColumns.of('a')}, ${overriddenHolds} AS overridden_holds FROM caller JOIN accounts a ON a.id = caller.id`,
  )
  return requireCaller(rows)
}

const batchSize = 10_000

/** For the sweep: deletes sessions that expired 7 days ago, one batch per call, so that no lock is held for long. */
export async function deleteExpiredSessions(database: Database): Promise<void> {
  await database.query(
    'delete-expired-sessions',
    sql`
    DELETE FROM sessions WHERE id IN (
      SELECT id FROM sessions WHERE expires_at <= now() - interval '7 days' LIMIT ${batchSize})`,
  )
}
