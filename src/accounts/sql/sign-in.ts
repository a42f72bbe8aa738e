// Statements on accounts and sessions. `callerOf` is how every other statement begins: who asks is part of it.
import { type SQL, sql } from 'drizzle-orm'
import type { Claimant } from '../../http/context.ts'
import type { Database } from '../../infra/database.ts'
import { TiebarError } from '../../kernel/error.ts'
import type { Account } from '../account.ts'
import { refreshSeconds } from '../token.ts'

/**
 * A CTE body of one row `(id, is_staff)`, or none: then the session has ended or the account is disabled, and the
 * answer is 401 (see `requireCaller`). A log-out or a lost staff right so works at once.
 */
export function callerOf({ accountId, sessionId }: Claimant): SQL {
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
export function lockAccount(claimant: Claimant): SQL {
  return sql`
    WITH caller AS (${callerOf(claimant)})
    SELECT a.id FROM caller JOIN accounts a ON a.id = caller.id FOR NO KEY UPDATE OF a`
}

/** The columns of an account as the API shows it; `alias` is the table's name in the statement. */
export function accountColumns(alias: string): SQL {
  const a = sql.identifier(alias)
  return sql`${a}.id, ${a}.username, ${a}.email, ${a}.first_name, ${a}.last_name, ${a}.is_staff, ${a}.is_active,
    ${a}.date_joined, ${a}.last_login`
}

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
  const rows = await database.query<{ has_name: boolean }>(sql`
    SELECT username_key = ${account.usernameKey} AS has_name FROM accounts
    WHERE username_key = ${account.usernameKey} OR email_key = ${account.emailKey}
    ORDER BY has_name DESC LIMIT 1`)
  return rows[0] && (rows[0].has_name ? 'username' : 'email')
}

/** Inserts the account and its first session. @throws UniqueViolation when a twin was first */
export async function insertAccount(
  database: Database,
  account: NewAccount,
  passwordHash: string,
  session: NewSession,
): Promise<Account> {
  const rows = await database.query<Account>(sql`
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
    SELECT ${accountColumns('joined')} FROM joined`)
  return requireCaller(rows)
}

export type Credentials = {
  id: number
  password_hash: string
  is_active: boolean
}

export async function findCredentials(database: Database, usernameKey: string): Promise<Credentials | undefined> {
  const rows = await database.query<Credentials>(
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
  const rows = await database.query<Account>(sql`
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
    SELECT ${accountColumns('account')} FROM account`)
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
  const rows = await database.query<{ rotated: boolean }>(sql`
    UPDATE sessions s
    SET refresh_id = CASE WHEN s.refresh_id = ${refreshId}::uuid THEN ${nextRefreshId}::uuid ELSE s.refresh_id END,
      refreshed_at = now(),
      expires_at = now() + make_interval(secs => ${refreshSeconds}),
      ended_at = CASE WHEN s.refresh_id = ${refreshId}::uuid THEN NULL ELSE now() END
    FROM accounts a
    WHERE s.id = ${session.sessionId}::uuid AND s.account_id = ${session.accountId}::bigint
      AND s.ended_at IS NULL AND s.expires_at > now() AND a.id = s.account_id AND a.is_active
    RETURNING s.ended_at IS NULL AS rotated`)
  return requireCaller(rows).rotated
}

/** Ends a session. One that has ended already is a caller that is no more. @throws TiebarError `session_ended` */
export async function endSession(database: Database, claimant: Claimant): Promise<void> {
  const rows = await database.query(sql`
    WITH caller AS (${callerOf(claimant)})
    UPDATE sessions SET ended_at = now() FROM caller
    WHERE sessions.id = ${claimant.sessionId}::uuid AND sessions.account_id = caller.id
    RETURNING sessions.id`)
  requireCaller(rows)
}

export async function readAccount(database: Database, claimant: Claimant): Promise<Account> {
  const rows = await database.query<Account>(sql`
    WITH caller AS (${callerOf(claimant)})
    SELECT ${accountColumns('a')} FROM caller JOIN accounts a ON a.id = caller.id`)
  return requireCaller(rows)
}
