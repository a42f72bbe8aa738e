// Statements on idempotency keys. They are kept for 24 hours.
import { type SQL, sql } from 'drizzle-orm'
import type { Database } from '../../infra/database.ts'

/** A request's key as it is stored. */
export type RequestKey = {
  accountId: number
  method: string
  path: string
  key: string
  fingerprint: string
}

const retention = sql.raw(`interval '24 hours'`)

/** Comes before the effect in its batch: a key that is too old to be replayed must not be in the way. */
export function deleteExpiredKey({ accountId, method, path, key }: RequestKey): SQL {
  return sql`
    DELETE FROM idempotency_keys
    WHERE account_id = ${accountId}::bigint AND method = ${method} AND path = ${path} AND key = ${key}
      AND created_at <= now() - ${retention}`
}

/**
 * A CTE body that keeps the key with the row `source` as its outcome. Without ON CONFLICT: the violation rolls the
 * whole effect back, which is how a twin learns that it came second.
 */
export function insertKey({ accountId, method, path, key, fingerprint }: RequestKey, source: SQL): SQL {
  return sql`
    INSERT INTO idempotency_keys (account_id, method, path, key, fingerprint, outcome)
    SELECT ${accountId}::bigint, ${method}, ${path}, ${key}, ${fingerprint}, to_jsonb(kept) FROM (${source}) kept`
}

/** The CTE body of who asks. */
export type CallerBody = SQL

/** What came of the request that used the key first. */
export function readKey(caller: CallerBody, { accountId, method, path, key }: RequestKey): SQL {
  return sql`
    WITH caller AS (${caller})
    SELECT k.fingerprint, k.outcome FROM caller LEFT JOIN idempotency_keys k
      ON k.account_id = ${accountId}::bigint AND k.method = ${method} AND k.path = ${path} AND k.key = ${key}`
}

export const keyConstraint = 'idempotency_keys_key'

const portion = 10_000

/** For the sweep. In portions, so that no lock is held for long. */
export async function deleteExpiredKeys(database: Database): Promise<void> {
  await database.query(
    'delete-expired-keys',
    sql`
    DELETE FROM idempotency_keys WHERE ctid IN (
      SELECT ctid FROM idempotency_keys WHERE created_at <= now() - ${retention} LIMIT ${portion})`,
  )
}
