// Statements on everything that is stored of one account: its export, and its deletion. In this slice, because only the last
// slice may read the tables of all others.
import { type SQL, sql } from 'drizzle-orm'
import { noPassword } from '../../accounts/account.ts'
import { sessions } from '../../accounts/session.table.ts'
import { eventOf, recordEvents, subjectOf } from '../../accounts/sql/audit.ts'
import { type Account, accountColumns, isKeyValid, requireCaller, selectCaller } from '../../accounts/sql/caller.ts'
import { type Key, keyColumns } from '../../accounts/sql/keys.ts'
import type { SessionCaller } from '../../http/context.ts'
import type { Database } from '../../infra/database.ts'
import { firstOf, pickColumns, type RowOf } from '../../infra/rows.ts'
import { TiebarError } from '../../kernel/error.ts'
import { toRfc3339 } from '../../kernel/time.ts'
import type { Hold } from '../../machines/hold.ts'
import { machines } from '../../machines/machine.table.ts'
import { type AuditRow, auditColumns, toAuditEvent } from '../../machines/sql/audit.ts'
import { machineColumns } from '../../machines/sql/fragments.ts'
import { holdColumns, holdFromJson, isInForce } from '../../machines/sql/hold.ts'
import { members } from '../../sites/member.table.ts'
import { sites } from '../../sites/site.table.ts'
import { memberEvent } from '../../sites/sql/member-event.ts'
import { type JobRow, jobColumns } from './fragments.ts'

const sessionColumns = pickColumns(sessions, [
  'id',
  'created_at',
  'refreshed_at',
  'expires_at',
  'ended_at',
  'user_agent',
  'address',
])
const membershipColumns = pickColumns(members, ['site_id', 'machine_id', 'role', 'expires_at'])
const siteColumns = pickColumns(sites, ['id', 'name', 'created_at', 'updated_at', 'deleted_at'])

const ownMachineColumns = pickColumns(machines, [...machineColumns.names, 'deleted_at'])
type OwnHold = Hold & { removed_at: string | null }

export type Export = {
  account: Account
  sessions: RowOf<typeof sessionColumns>[]
  keys: Key[]
  roles: RowOf<typeof membershipColumns>[]
  sites: RowOf<typeof siteColumns>[]
  machines: RowOf<typeof ownMachineColumns>[]
  holds: OwnHold[]
  /** The newest first. */
  jobs: JobRow[]
  changes: AuditRow[]
}

const newestFirst = sql.raw('e.at DESC, e.id DESC')
/** What others did to the account of the caller. */
const byOthers = sql`${subjectOf('account', sql`caller.id`)} = e.subject AND e.actor IS DISTINCT FROM caller.id`

/** The newest audit events that meet a condition, which is a range of an index. */
function eventsOf(condition: SQL, limit: number): SQL {
  return sql`(SELECT ${auditColumns.of('e')} FROM audit_events e WHERE ${condition} ORDER BY ${newestFirst} LIMIT ${limit})`
}

/**
 * What is stored of the caller. The lists of jobs and of changes have at most `limit` rows, the newest first.
 * @throws TiebarError `session_ended`
 */
export async function readExport(database: Database, caller: SessionCaller, limit: number): Promise<Export> {
  const list = (columns: { of(alias: string): SQL }, from: string, order = 'id', rows?: number) => {
    const end = rows === undefined ? sql`` : sql`LIMIT ${rows}`
    return sql`(SELECT coalesce(jsonb_agg(item), '[]') FROM (
      SELECT ${columns.of('e')} FROM ${sql.raw(`${from} = caller.id ORDER BY e.${order}`)} ${end}) item)`
  }
  const rows = await database.query<Export>(
    'export-account',
    sql`
    WITH caller AS (${selectCaller(caller)})
    SELECT (SELECT to_jsonb(own) FROM (SELECT ${accountColumns.of('a')}) own) AS account,
      ${list(sessionColumns, 'sessions e WHERE e.account_id', 'created_at')} AS sessions,
      ${list(keyColumns, 'keys e WHERE e.account_id')} AS keys,
      ${list(membershipColumns, 'members e WHERE e.account_id')} AS roles,
      ${list(siteColumns, 'sites e WHERE e.created_by')} AS sites,
      ${list(ownMachineColumns, 'machines e WHERE e.owner_id')} AS machines,
      (SELECT coalesce(jsonb_agg(item ORDER BY item.id), '[]') FROM (
        SELECT ${holdColumns}, h.removed_at FROM holds h WHERE caller.id IN (h.placed_by, h.overridden_by)) item) AS holds,
      ${list(jobColumns, 'jobs e WHERE e.requested_by', 'requested_at DESC, e.id DESC', limit)} AS jobs,
      (SELECT coalesce(jsonb_agg(item), '[]') FROM (
        SELECT * FROM (${eventsOf(sql`e.actor = caller.id`, limit)} UNION ALL ${eventsOf(byOthers, limit)}) e
        ORDER BY ${newestFirst} LIMIT ${limit}) item) AS changes
    FROM caller JOIN accounts a ON a.id = caller.id`,
  )
  const row = requireCaller(rows)
  return {
    account: accountColumns.fromJson(row.account),
    sessions: row.sessions.map(sessionColumns.fromJson),
    keys: row.keys.map(keyColumns.fromJson),
    roles: row.roles.map(membershipColumns.fromJson),
    sites: row.sites.map(siteColumns.fromJson),
    machines: row.machines.map(ownMachineColumns.fromJson),
    holds: row.holds.map((hold) => ({
      ...holdFromJson(hold),
      removed_at: hold.removed_at === null ? null : toRfc3339(hold.removed_at),
    })),
    jobs: row.jobs.map(jobColumns.fromJson),
    changes: row.changes.map((event) => toAuditEvent(auditColumns.fromJson(event))),
  }
}

const refusals = {
  has_holds: 'You have placed a hold that is in force. Remove it first.',
  owns_machines: 'You own machines. Delete them first: every machine has an owner.',
  last_manager: 'You are the last manager of a site. Make somebody else its manager, or delete it, first.',
  last_staff: 'This is the only active staff account. Give another account staff rights first.',
} as const

/** Sites of which the account of the caller is the only active manager whose role does not expire. */
const sitesOnlyOfCaller: SQL = sql`
      SELECT FROM caller JOIN members own ON own.account_id = caller.id AND own.role = 'manager' AND own.expires_at IS NULL
        JOIN sites s ON s.id = own.site_id AND s.deleted_at IS NULL
      WHERE NOT EXISTS (SELECT FROM members other JOIN accounts manager ON manager.id = other.account_id AND manager.is_active
        WHERE other.site_id = s.id AND other.role = 'manager'
        AND other.expires_at IS NULL AND other.account_id <> caller.id)`

/**
 * Deletes what is stored of the caller, except its id: jobs, events and deleted machines name it. No username has a `#`,
 * so the name of a deleted account is nobody else's. Its open jobs are treated like those of a disabled account.
 * The account, all staff if it is staff, and its sites are locked first, so that the rules hold for what others do now.
 * @param passwordHash that was checked
 * @returns the ids of its sessions and keys that were valid; undefined if the password changed after it was checked
 * @throws TiebarError `has_holds`, `owns_machines`, `last_manager`, `last_staff`, `session_ended`
 */
export async function anonymizeAccount(
  database: Database,
  caller: SessionCaller,
  passwordHash: string,
): Promise<{ sessionIds: string[]; keyIds: string[] } | undefined> {
  type Decision = keyof typeof refusals | 'password_changed' | 'done'
  const decision = firstOf<Decision>([
    [sql`a.password_hash <> ${passwordHash}`, 'password_changed'],
    [sql`EXISTS (SELECT FROM holds h WHERE h.placed_by = a.id AND ${isInForce})`, 'has_holds'],
    [sql`EXISTS (SELECT FROM machines m WHERE m.owner_id = a.id AND m.deleted_at IS NULL)`, 'owns_machines'],
    [sql`EXISTS (${sitesOnlyOfCaller})`, 'last_manager'],
    [
      sql`a.is_staff AND NOT EXISTS (SELECT FROM accounts o WHERE o.id <> a.id AND o.is_staff AND o.is_active)`,
      'last_staff',
    ],
    [sql`true`, 'done'],
  ])
  const lockAccounts = sql`
    WITH caller AS (${selectCaller(caller)})
    SELECT a.id FROM caller JOIN accounts a ON a.id = caller.id OR (caller.is_staff AND a.is_staff AND a.is_active)
    ORDER BY a.id FOR NO KEY UPDATE OF a`
  const lockSites = sql`
    WITH caller AS (${selectCaller(caller)})
    SELECT s.id FROM caller JOIN members member ON member.account_id = caller.id JOIN sites s ON s.id = member.site_id
    ORDER BY s.id FOR UPDATE OF s`
  const change = sql`
    WITH caller AS (${selectCaller(caller)}),
    decision AS (SELECT a.id, ${decision} AS decision FROM caller JOIN accounts a ON a.id = caller.id),
    target AS (SELECT id FROM decision WHERE decision = 'done'),
    ended AS (DELETE FROM sessions USING target WHERE sessions.account_id = target.id RETURNING sessions.*),
    stopped_keys AS (
      SELECT k.id, ${isKeyValid} AS is_valid FROM keys k JOIN target ON k.account_id = target.id WHERE k.revoked_at IS NULL
    ),
    revoked AS (
      UPDATE keys SET name = '#', revoked_at = coalesce(keys.revoked_at, now()) FROM target
      WHERE keys.account_id = target.id RETURNING keys.id
    ),
    resets AS (DELETE FROM password_resets USING target WHERE password_resets.account_id = target.id),
    left_roles AS (DELETE FROM members USING target WHERE members.account_id = target.id RETURNING members.*),
    replays AS (
      DELETE FROM idempotency_keys WHERE caller IN (
        SELECT 'account:' || id FROM target UNION ALL SELECT 'key:' || k.id FROM keys k JOIN target ON k.account_id = target.id)
    ),
    anonymized AS (
      UPDATE accounts SET username = 'deleted#' || accounts.id, username_key = 'deleted#' || accounts.id, email = '',
        email_key = NULL, first_name = '', last_name = '', password_hash = ${noPassword}, is_staff = false, is_active = false,
        last_login = NULL, deleted_at = now()
      FROM target WHERE accounts.id = target.id
    ),
    events AS (${recordEvents(
      sql`SELECT ${eventOf('account.delete', subjectOf('account', sql`id`))} FROM target`,
      sql`SELECT ${memberEvent('member.remove', subjectOf('site', sql`site_id`), { before: 'left_roles' })}
        FROM left_roles WHERE site_id IS NOT NULL`,
      sql`SELECT ${memberEvent('member.remove', subjectOf('machine', sql`machine_id`), { before: 'left_roles' })}
        FROM left_roles WHERE machine_id IS NOT NULL`,
      sql`SELECT ${eventOf('key.revoke', subjectOf('key', sql`id`))} FROM stopped_keys`,
    )})
    SELECT decision.decision,
      (SELECT coalesce(json_agg(id), '[]') FROM ended WHERE ended_at IS NULL AND expires_at > now()) AS session_ids,
      (SELECT coalesce(json_agg(id), '[]') FROM stopped_keys WHERE is_valid) AS key_ids
    FROM decision`
  type Row = { decision: Decision; session_ids: string[]; key_ids: string[] }
  const rows = await database.batch<Row>('anonymize-account', [lockAccounts, lockSites, change])
  const { decision: decided, session_ids: sessionIds, key_ids: keyIds } = requireCaller(rows)
  if (decided === 'password_changed') return undefined
  if (decided !== 'done') throw new TiebarError(decided, refusals[decided])
  return { sessionIds, keyIds }
}
