// Statements on the caller's own account: its details, password and sessions.
import { sql } from 'drizzle-orm'
import type { SessionCaller } from '../../http/context.ts'
import type { Database } from '../../infra/database.ts'
import { type Account, accountColumns, lockAccount, requireCaller, selectCaller } from './caller.ts'

/** An absent field is not changed. */
export type AccountChange = {
  email?: string | undefined
  /** The folded `email`. */
  emailKey?: string | undefined
  firstName?: string | undefined
  lastName?: string | undefined
}

/**
 * If the account is being deleted, the UPDATE waits for that, and then finds the account no longer active.
 * @throws UniqueViolation if another account has the e-mail address
 * @throws TiebarError `session_ended`
 */
export async function changeAccount(
  database: Database,
  caller: SessionCaller,
  change: AccountChange,
): Promise<Account> {
  const rows = await database.query<Account>(
    'change-account',
    sql`
    WITH caller AS (${selectCaller(caller)}), changed AS (
      UPDATE accounts SET
        email = coalesce(${change.email ?? null}, email),
        email_key = coalesce(${change.emailKey ?? null}, email_key),
        first_name = coalesce(${change.firstName ?? null}, first_name),
        last_name = coalesce(${change.lastName ?? null}, last_name)
      FROM caller WHERE accounts.id = caller.id AND accounts.is_active
      RETURNING accounts.*
    )
    SELECT ${accountColumns.of('changed')} FROM changed`,
  )
  return requireCaller(rows)
}

export type OwnCredentials = {
  username: string
  username_key: string
  email: string
  email_key: string
  password_hash: string
  is_staff: boolean
}

/** @throws TiebarError `session_ended` */
export async function readOwnCredentials(database: Database, caller: SessionCaller): Promise<OwnCredentials> {
  const rows = await database.query<OwnCredentials>(
    'read-own-credentials',
    sql`
    WITH caller AS (${selectCaller(caller)})
    SELECT a.username, a.username_key, a.email, a.email_key, a.password_hash, a.is_staff FROM caller JOIN accounts a ON a.id = caller.id`,
  )
  return requireCaller(rows)
}

/**
 * Replaces the password, ends all other sessions, and deletes a reset that was not used. The account is locked first: a
 * concurrent log-in with the old password has either inserted its session by then, and that session is ended, or it finds
 * that the password has changed.
 * @returns the ids of the ended sessions; undefined if the password changed after it was checked
 * @throws TiebarError `session_ended`
 */
export async function changePassword(
  database: Database,
  caller: SessionCaller,
  oldHash: string,
  newHash: string,
): Promise<string[] | undefined> {
  const change = sql`
    WITH caller AS (${selectCaller(caller)}), changed AS (
      UPDATE accounts SET password_hash = ${newHash} FROM caller
      WHERE accounts.id = caller.id AND accounts.password_hash = ${oldHash}
      RETURNING accounts.id
    ), ended AS (
      UPDATE sessions SET ended_at = now() FROM changed
      WHERE sessions.account_id = changed.id AND sessions.id <> ${caller.sessionId}::uuid
        AND sessions.ended_at IS NULL AND sessions.expires_at > now()
      RETURNING sessions.id
    ),
    resets AS (DELETE FROM password_resets USING changed WHERE password_resets.account_id = changed.id)
    SELECT changed.id IS NOT NULL AS is_changed, (SELECT coalesce(json_agg(id), '[]') FROM ended) AS ended
    FROM caller LEFT JOIN changed ON true`
  const rows = await database.batch<{ is_changed: boolean; ended: string[] }>('change-password', [
    lockAccount(caller),
    change,
  ])
  const { is_changed, ended } = requireCaller(rows)
  return is_changed ? ended : undefined
}

export type SessionRow = {
  id: string
  created_at: string
  refreshed_at: string
  expires_at: string
  user_agent: string | null
  address: string | null
  current: boolean
}

/**
 * The caller's active sessions: the current one first, then the most recently refreshed.
 * @throws TiebarError `session_ended`
 */
export async function listSessions(database: Database, caller: SessionCaller, limit: number): Promise<SessionRow[]> {
  const rows = await database.query<SessionRow>(
    'list-sessions',
    sql`
    WITH caller AS (${selectCaller(caller)})
    SELECT s.id, s.created_at, s.refreshed_at, s.expires_at, s.user_agent, s.address,
      s.id = ${caller.sessionId}::uuid AS current
    FROM caller JOIN sessions s ON s.account_id = caller.id
    WHERE s.ended_at IS NULL AND s.expires_at > now()
    ORDER BY current DESC, s.refreshed_at DESC, s.id DESC LIMIT ${limit}`,
  )
  requireCaller(rows)
  return rows
}

/**
 * @returns false if the caller has no active session with this id
 * @throws TiebarError `session_ended`
 */
export async function endOwnSession(database: Database, caller: SessionCaller, sessionId: string): Promise<boolean> {
  const rows = await database.query<{ is_ended: boolean }>(
    'end-own-session',
    sql`
    WITH caller AS (${selectCaller(caller)}), ended AS (
      UPDATE sessions SET ended_at = now() FROM caller
      WHERE sessions.id = ${sessionId}::uuid AND sessions.account_id = caller.id
        AND sessions.ended_at IS NULL AND sessions.expires_at > now()
      RETURNING sessions.id
    )
    SELECT ended.id IS NOT NULL AS is_ended FROM caller LEFT JOIN ended ON true`,
  )
  return requireCaller(rows).is_ended
}
