// Statements of signing up, in and out, and on the tokens of a session.
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

/** Which of the two names somebody has already: before the costly hash is made. */
export async function findTaken(database: Database, account: NewAccount): Promise<'username' | 'email' | undefined> {
  const rows = await database.query<{ has_name: boolean }>(
    'find-taken',
    sql`
    SELECT username_key = ${account.usernameKey} AS has_name FROM accounts
    WHERE username_key = ${account.usernameKey} OR email_key = ${account.emailKey}
    ORDER BY has_name DESC LIMIT 1`,
  )
  return rows[0] && (rows[0].has_name ? 'username' : 'email')
}

/** Inserts the account and its first session. @throws UniqueViolation when a twin was first */
export async function insertAccount(
  database: Database,
  account: NewAccount,
  passwordHash: string,
  session: NewSession,
): Promise<Account> {
  const rows = await database.query<Account>(
    'insert-account',
    sql`
    WITH joined AS (
      INSERT INTO accounts (username, username_key, email, email_key, first_name, last_name, password_hash, last_login)
      VALUES (${account.username}, ${account.usernameKey}, ${account.email}, ${account.emailKey},
        ${account.firstName}, ${account.lastName}, ${passwordHash}, now())
      RETURNING *
    ), signed_in AS (
      INSERT INTO sessions (id, account_id, refresh_id, user_agent, address, expires_at)
      SELECT ${session.sessionId}::uuid, joined.id, ${session.refreshId}::uuid, ${session.userAgent},
        ${session.address}, now() + make_interval(secs => ${refreshSeconds})
      FROM joined
    )
    SELECT ${accountColumns.of('joined')} FROM joined`,
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
 * Begins a session, if the password is still the one that was checked and the account is active.
 * @param newHash replaces the stored hash, made with today's parameters
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
    ), signed_in AS (
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
 * Replaces the session's refresh token. An old one that is used again ends the session (RFC 9700 §4.14.2): whoever
 * stole it and whoever owns it are out, and the owner can log in again.
 * @returns false when the token was an old one, so that the session has been ended
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

/** Ends a session. One that has ended already is a caller that is no more. @throws TiebarError `session_ended` */
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

export async function readAccount(database: Database, caller: Caller): Promise<Account> {
  const rows = await database.query<Account>(
    'read-account',
    sql`
    WITH caller AS (${selectCaller(caller)})
    SELECT ${accountColumns.of('a')} FROM caller JOIN accounts a ON a.id = caller.id`,
  )
  return requireCaller(rows)
}

const portion = 10_000

/** For the sweep: sessions that expired a week ago. In portions, so that no lock is held for long. */
export async function deleteExpiredSessions(database: Database): Promise<void> {
  await database.query(
    'delete-expired-sessions',
    sql`
    DELETE FROM sessions WHERE id IN (
      SELECT id FROM sessions WHERE expires_at <= now() - interval '7 days' LIMIT ${portion})`,
  )
}
