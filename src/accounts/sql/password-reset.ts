// Statements on accounts that staff create, and on the one-time tokens for setting a password.
import { sql } from 'drizzle-orm'
import type { SessionCaller } from '../../http/context.ts'
import type { Database } from '../../infra/database.ts'
import { TiebarError } from '../../kernel/error.ts'
import { noPassword } from '../account.ts'
import { staffOnly } from './administration.ts'
import { eventOf, recordEvents, subjectOf } from './audit.ts'
import { type Account, accountColumns, requireCaller, selectCaller } from './caller.ts'
import type { NewAccount } from './sign-in.ts'

const lifetime = sql.raw(`interval '24 hours'`)

/**
 * Inserts an account without a password, and a reset for setting one.
 * @throws UniqueViolation if another account has the username or the e-mail address
 * @throws TiebarError `staff_only`, `session_ended`
 */
export async function insertAccountWithReset(
  database: Database,
  caller: SessionCaller,
  account: NewAccount,
  tokenHash: string,
): Promise<Account> {
  const rows = await database.query<Account | { id: null }>(
    'insert-account-with-reset',
    sql`
    WITH caller AS (${selectCaller(caller)}), new_account AS (
      INSERT INTO accounts (username, username_key, email, email_key, first_name, last_name, password_hash)
      SELECT ${account.username}, ${account.usernameKey}, ${account.email}, ${account.emailKey}, ${account.firstName},
        ${account.lastName}, ${noPassword}
      FROM caller WHERE caller.is_staff
      RETURNING *
    ), reset AS (
      INSERT INTO password_resets (account_id, token_hash, expires_at)
      SELECT new_account.id, ${tokenHash}, now() + ${lifetime} FROM new_account
    ),
    events AS (${recordEvents(sql`SELECT ${eventOf('account.add', subjectOf('account', sql`id`))} FROM new_account`)})
    SELECT ${accountColumns.of('new_account')} FROM caller LEFT JOIN new_account ON true`,
  )
  const row = requireCaller(rows)
  if (row.id === null) throw staffOnly()
  return row
}

/**
 * Stores a reset for an account; it replaces an earlier one. The account is locked, so that it gets no reset while it is
 * being deleted.
 * @param confirm checks the password of the caller. It is called only for an account with staff rights: otherwise, whoever
 *   has stolen an access token could choose the password of a staff account, and grant staff rights with it
 * @throws TiebarError `staff_only`, `not_found`, `session_ended`, and what `confirm` throws
 */
export async function issueReset(
  database: Database,
  caller: SessionCaller,
  accountId: number,
  tokenHash: string,
  confirm: () => Promise<void>,
): Promise<void> {
  const issue = (isConfirmed: boolean) => sql`
    WITH caller AS (${selectCaller(caller)}),
    target AS (
      SELECT a.id, a.is_staff FROM caller, accounts a
      WHERE caller.is_staff AND a.id = ${accountId}::bigint AND a.deleted_at IS NULL FOR SHARE OF a
    ),
    reset AS (
      INSERT INTO password_resets (account_id, token_hash, expires_at)
      SELECT target.id, ${tokenHash}, now() + ${lifetime} FROM caller, target
      WHERE caller.is_staff AND (${isConfirmed}::boolean OR NOT target.is_staff)
      ON CONFLICT (account_id) DO UPDATE SET token_hash = excluded.token_hash, expires_at = excluded.expires_at
      RETURNING account_id
    ),
    events AS (${recordEvents(sql`SELECT ${eventOf('account.reset_issue', subjectOf('account', sql`account_id`))} FROM reset`)})
    SELECT caller.is_staff, target.id AS account_id, EXISTS (SELECT FROM reset) AS is_issued
    FROM caller LEFT JOIN target ON true`
  type Row = { is_staff: boolean; account_id: number | null; is_issued: boolean }
  const run = async (isConfirmed: boolean) =>
    requireCaller(await database.query<Row>('issue-reset', issue(isConfirmed)))
  let row = await run(false)
  if (row.is_staff && row.account_id !== null && !row.is_issued) {
    await confirm()
    row = await run(true)
  }
  if (!row.is_staff) throw staffOnly()
  if (row.account_id === null) throw new TiebarError('not_found', 'There is no account with this id.')
}

export type ResetAccount = { username: string; email: string }

/** The active account of a reset that is still valid. */
export async function findReset(database: Database, tokenHash: string): Promise<ResetAccount | undefined> {
  const rows = await database.query<ResetAccount>(
    'find-reset',
    sql`
    SELECT a.username, a.email FROM password_resets r JOIN accounts a ON a.id = r.account_id
    WHERE r.token_hash = ${tokenHash} AND r.expires_at > now() AND a.is_active`,
  )
  return rows[0]
}

/**
 * Uses a reset: sets the password and ends all sessions. The account is locked first: a concurrent log-in with the old
 * password has either inserted its session by then, or it finds that the password changed. The deletion of the reset
 * decides which of two requests with one token takes effect.
 * @returns the ids of the ended sessions; undefined if the reset is not valid any more
 */
export async function applyReset(
  database: Database,
  tokenHash: string,
  passwordHash: string,
): Promise<string[] | undefined> {
  const lock = sql`
    SELECT a.id FROM password_resets r JOIN accounts a ON a.id = r.account_id
    WHERE r.token_hash = ${tokenHash} FOR NO KEY UPDATE OF a`
  const change = sql`
    WITH used AS (
      DELETE FROM password_resets WHERE token_hash = ${tokenHash} AND expires_at > statement_timestamp()
      RETURNING account_id
    ), changed AS (
      UPDATE accounts SET password_hash = ${passwordHash} FROM used
      WHERE accounts.id = used.account_id AND accounts.is_active RETURNING accounts.id
    ), ended AS (
      UPDATE sessions SET ended_at = now() FROM changed
      WHERE sessions.account_id = changed.id AND sessions.ended_at IS NULL AND sessions.expires_at > now()
      RETURNING sessions.id
    ), caller AS (SELECT id, NULL::uuid AS key_id FROM changed),
    events AS (${recordEvents(sql`SELECT ${eventOf('account.reset_use', subjectOf('account', sql`id`))} FROM changed`)})
    SELECT changed.id, (SELECT coalesce(json_agg(id), '[]') FROM ended) AS ended FROM changed`
  const [row] = await database.batch<{ ended: string[] }>('use-reset', [lock, change])
  return row?.ended
}

const batchSize = 10_000

/** For the sweep: deletes resets that have expired. */
export async function deleteExpiredResets(database: Database): Promise<void> {
  await database.query(
    'delete-expired-resets',
    sql`
    DELETE FROM password_resets WHERE account_id IN (
      SELECT account_id FROM password_resets WHERE expires_at <= now() LIMIT ${batchSize})`,
  )
}
