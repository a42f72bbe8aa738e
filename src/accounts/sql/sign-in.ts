// Statements for sign-up, log-in, log-out and the tokens of a session.
import { sql } from 'drizzle-orm'
import type { Caller } from '../../http/context.ts'
import type { Database } from '../../infra/database.ts'
import { refreshSeconds } from '../token.ts'
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

/** Whether the username or the e-mail address is taken. It runs before the password hash, which is expensive. */
export async function findTakenField(
  database: Database,
  account: NewAccount,
): Promise<'username' | 'email' | undefined> {
  const rows = await database.query<{ has_username: boolean }>(
    'find-taken',
    sql`
    SELECT username_key = ${account.usernameKey} AS has_username FROM accounts
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
      VALUES (${account.username}, ${account.usernameKey}, ${account.email}, ${account.emailKey},
        ${account.firstName}, ${account.lastName}, ${passwordHash}, now())
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
    sql`SELECT id, password_hash, is_active FROM accounts WHERE username_key = ${usernameKey}`,
  )
  return rows[0]
}

/**
 * Inserts a session if the account is active and its password has not changed since it was checked.
 * @param newHash replaces a hash with outdated parameters; null keeps the stored hash
 * @returns undefined if the account is disabled or the password has changed
 */
export async function insertSession(
  database: Database,
  credentials: Credentials,
  session: NewSession,
  newHash: string | null,
): Promise<Account | undefined> {
  const rows = await database.query<Account>(
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
    )
    SELECT ${accountColumns.of('account')} FROM account`,
  )
  return rows[0]
}

/**
 * Replaces the session's refresh token. If an old token is used again, the session ends (RFC 9700 §4.14.2): the old
 * token may be stolen, and only the owner can log in again.
 * @returns false if the token was an old one and the session has been ended
 * @throws TiebarError `session_ended`
 */
export async function rotateRefresh(
  database: Database,
  session: { accountId: number; sessionId: string },
  refreshId: string,
  nextRefreshId: string,
): Promise<boolean> {
  const rows = await database.query<{ rotated: boolean }>(
    'rotate-refresh',
    sql`
    UPDATE sessions s
    SET refresh_id = CASE WHEN s.refresh_id = ${refreshId}::uuid THEN ${nextRefreshId}::uuid ELSE s.refresh_id END,
      refreshed_at = now(),
      expires_at = now() + make_interval(secs => ${refreshSeconds}),
      ended_at = CASE WHEN s.refresh_id = ${refreshId}::uuid THEN NULL ELSE now() END
    FROM accounts a
    WHERE s.id = ${session.sessionId}::uuid AND s.account_id = ${session.accountId}::bigint
      AND s.ended_at IS NULL AND s.expires_at > now() AND a.id = s.account_id AND a.is_active
    RETURNING s.ended_at IS NULL AS rotated`,
  )
  return requireCaller(rows).rotated
}

/** Ends the caller's session. @throws TiebarError `session_ended` if it has ended already */
export async function endSession(database: Database, caller: Caller): Promise<void> {
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

/** @throws TiebarError `session_ended` */
export async function readAccount(database: Database, caller: Caller): Promise<Account> {
  const rows = await database.query<Account>(
    'read-account',
    sql`
    WITH caller AS (${selectCaller(caller)})
    SELECT ${accountColumns.of('a')} FROM caller JOIN accounts a ON a.id = caller.id`,
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
