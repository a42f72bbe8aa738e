// Statements on API keys: create, list and revoke keys, and explain why one was refused.
import { type SQL, sql } from 'drizzle-orm'
import type { KeyCaller, SessionCaller } from '../../http/context.ts'
import { defineSorts, type Sorted, type SortedPage } from '../../http/pagination/store.ts'
import type { Database } from '../../infra/database.ts'
import { pickColumns, type RowOf } from '../../infra/rows.ts'
import { TiebarError } from '../../kernel/error.ts'
import type { Scope } from '../../kernel/scope.ts'
import { keys } from '../key.table.ts'
import { type KeyRefusal, keyRefusals, type NewSecret } from '../key.ts'
import { eventOf, recordEvents, subjectOf } from './audit.ts'
import { isKeyValid, lockAccount, requireCaller, selectCaller } from './caller.ts'

/** The columns of a key that the API shows. */
export const keyColumns = pickColumns(keys, [
  'id',
  'name',
  'scopes',
  'machine_id',
  'site_id',
  'created_at',
  'expires_at',
  'revoked_at',
])
export type Key = RowOf<typeof keyColumns>
/** Ids are UUIDs of version 7, so this is the order in which the keys were created. */
export const keySorts = defineSorts(keyColumns, ['id'], 'id')

/** What a key is limited to. */
export type KeyPlace = { kind: 'machine' | 'site'; id: number }
export type NewKey = { name: string; scopes: Scope[]; place: KeyPlace | null; expiresAt: string | null }

/**
 * A CTE body: a machine or a site that the caller may see, with `id`, `has_role` and `is_manager`.
 */
type SelectPlace = (place: KeyPlace) => SQL

/**
 * What the statements on keys need of machines and sites. `app.ts` passes it in, because this slice must not import theirs.
 */
export type KeyPlaces = {
  selectPlace: SelectPlace
  /** An expression: what changes elsewhere when the key `k` is made or revoked, or NULL. */
  changeOfKey: SQL
}

/**
 * Stores a key of the caller. The account is locked first: otherwise many requests at the same time would all count the
 * same keys. Only a manager may create a key for reports, because a report sets the status of the machine.
 * @param quota how many valid keys the account may have
 * @throws TiebarError `quota_exceeded`, `session_ended`; `not_found`, `not_owner`, `role_too_low` for the machine or site
 */
export async function insertKey<Change>(
  database: Database,
  caller: SessionCaller,
  { id, secretHash }: NewSecret,
  { name, scopes, place, expiresAt }: NewKey,
  { quota, selectPlace, changeOfKey }: KeyPlaces & { quota: number },
): Promise<{ key: Key; change: Change | null }> {
  const [machineId, siteId] = (['machine', 'site'] as const).map((kind) => (place?.kind === kind ? place.id : null))
  const limit = place ? selectPlace(place) : sql`SELECT NULL::bigint AS id, true AS has_role, true AS is_manager`
  const insert = sql`
    WITH caller AS (${selectCaller(caller)}),
    place AS (${limit}),
    quota AS (SELECT count(*) >= ${quota}::bigint AS is_exceeded
      FROM keys k, caller WHERE k.account_id = caller.id AND ${isKeyValid}),
    decision AS (
      SELECT CASE WHEN place.has_role IS NULL THEN 'not_found' WHEN NOT place.has_role THEN 'not_owner'
        WHEN ${scopes.includes('report')}::boolean AND NOT place.is_manager THEN 'role_too_low'
        WHEN quota.is_exceeded THEN 'quota_exceeded' ELSE 'made' END AS decision
      FROM caller CROSS JOIN quota LEFT JOIN place ON true
    ),
    made AS (
      INSERT INTO keys (id, account_id, name, scopes, machine_id, site_id, secret_hash, expires_at)
      SELECT ${id}::uuid, caller.id, ${name}, ${sql.param(scopes)}::text[], ${machineId}::bigint, ${siteId}::bigint,
        ${secretHash},
        ${expiresAt}::timestamptz
      FROM caller, decision WHERE decision.decision = 'made'
      RETURNING *
    ),
    events AS (${recordEvents(sql`SELECT ${eventOf('key.add', subjectOf('key', sql`id`), { after: keyValues })} FROM made`)})
    SELECT decision.decision, ${changeOfKey} AS change, ${keyColumns.of('k')}
    FROM caller CROSS JOIN decision LEFT JOIN made k ON true`
  type Row = Key & {
    change: Change | null
    decision: 'not_found' | 'not_owner' | 'role_too_low' | 'quota_exceeded' | 'made'
  }
  const { decision, change, ...key } = requireCaller(
    await database.batch<Row>('insert-key', [lockAccount(caller), insert]),
  )
  if (decision === 'quota_exceeded') throw new TiebarError(decision, `An account may have ${quota} keys.`)
  if (decision !== 'made') throw new TiebarError(decision, placeRefusals[decision])
  return { key, change }
}

const keyValues = sql.raw(`jsonb_build_object('scopes', to_jsonb(scopes), 'machine_id', machine_id, 'site_id', site_id,
      'expires_at', expires_at)`)

const placeRefusals = {
  not_found: 'There is no such machine or site.',
  not_owner: 'A key can only be limited to a machine or a site on which you have a role.',
  role_too_low: 'Only a manager may create a key with the scope report.',
}

/** The rows of one page of the caller's keys, revoked and expired ones included. @throws TiebarError `session_ended` */
export async function listKeys(database: Database, caller: SessionCaller, page: SortedPage): Promise<Sorted<Key>[]> {
  const conditions = [sql`k.account_id = caller.id`, ...page.conditions('k')]
  const rows = await database.query<Sorted<Key> | { id: null }>(
    'list-keys',
    sql`
    WITH caller AS (${selectCaller(caller)})
    SELECT page.* FROM caller LEFT JOIN LATERAL (
      SELECT ${keyColumns.of('k')}, ${page.sortValue('k')} FROM keys k
      WHERE ${sql.join(conditions, sql` AND `)}
      ORDER BY ${page.orderBy('k')} LIMIT ${page.rowLimit}
    ) page ON true
    ORDER BY ${page.orderBy('page')}`,
  )
  requireCaller(rows)
  return rows.filter((row) => row.id !== null)
}

/**
 * @returns undefined if the caller has no key with this id that is not revoked
 * @throws TiebarError `session_ended`
 */
export async function revokeKey<Change>(
  database: Database,
  caller: SessionCaller,
  id: string,
  { changeOfKey }: KeyPlaces,
): Promise<{ change: Change | null } | undefined> {
  const rows = await database.query<{ is_revoked: boolean; change: Change | null }>(
    'revoke-key',
    sql`
    WITH caller AS (${selectCaller(caller)}), revoked AS (
      UPDATE keys SET revoked_at = now() FROM caller
      WHERE keys.id = ${id}::uuid AND keys.account_id = caller.id AND keys.revoked_at IS NULL
      RETURNING keys.*
    ),
    events AS (${recordEvents(sql`SELECT ${eventOf('key.revoke', subjectOf('key', sql`id`))} FROM revoked`)})
    SELECT k.id IS NOT NULL AS is_revoked, ${changeOfKey} AS change FROM caller LEFT JOIN revoked k ON true`,
  )
  const { is_revoked, change } = requireCaller(rows)
  return is_revoked ? { change } : undefined
}

/**
 * Why a statement found no caller for a key: it is not valid, or it has no scope that the request needs. An unknown id takes
 * the same time as a wrong secret.
 */
export async function explainKey(database: Database, { keyId, secretHash, scopes }: KeyCaller): Promise<TiebarError> {
  const [row] = await database.query<{ refusal: KeyRefusal | null }>(
    'explain-key',
    sql`
    SELECT CASE WHEN k.revoked_at IS NOT NULL THEN 'revoked' WHEN k.expires_at <= statement_timestamp() THEN 'expired'
      WHEN NOT a.is_active THEN 'disabled' END AS refusal
    FROM keys k JOIN accounts a ON a.id = k.account_id
    WHERE k.id = ${keyId}::uuid AND k.secret_hash = ${secretHash}`,
  )
  const { refusal } = row ?? { refusal: 'unknown' }
  if (refusal !== null) return new TiebarError('key_invalid', keyRefusals[refusal])
  if (scopes.length === 0) return new TiebarError('key_not_allowed', 'A key cannot do this. Log in instead.')
  return new TiebarError('scope_missing', `The key needs the scope ${scopes.join(' or ')}.`)
}
