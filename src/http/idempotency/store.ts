// SQL statements on idempotency keys. Keys are kept for 24 hours.
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

/** Runs before `insertKey` in the same batch, so that an expired key does not cause a violation. */
export function deleteExpiredKey({ accountId, method, path, key }: RequestKey): SQL {
  return sql`
    DELETE FROM idempotency_keys
    WHERE account_id = ${accountId}::bigint AND method = ${method} AND path = ${path} AND key = ${key}
      AND created_at <= now() - ${retention}`
}

/**
 * A CTE body that stores the key with the row of `source` as its outcome. It has no ON CONFLICT: if another request has
 * used the key, the violation rolls the whole batch back.
 */
export function insertKey({ accountId, method, path, key, fingerprint }: RequestKey, source: SQL): SQL {
  return sql`
    INSERT INTO idempotency_keys (account_id, method, path, key, fingerprint, outcome)
    SELECT ${accountId}::bigint, ${method}, ${path}, ${key}, ${fingerprint}, to_jsonb(kept) FROM (${source}) kept`
}

/** The CTE body that selects the caller. It selects no row if the session has ended. */
export type CallerBody = SQL

/** The outcome of the request that used the key first: no row if the session has ended, nulls if the key is gone. */
export function readKey(caller: CallerBody, { accountId, method, path, key }: RequestKey): SQL {
  return sql`
    WITH caller AS (${caller})
    SELECT k.fingerprint, k.outcome FROM caller LEFT JOIN idempotency_keys k
      ON k.account_id = ${accountId}::bigint AND k.method = ${method} AND k.path = ${path} AND k.key = ${key}`
}

export const keyConstraint = 'idempotency_keys_key'

const maxRowsPerSweep = 10_000

/** For the sweep. Deletes a limited number of rows, so that no lock is held for long. */
export async function deleteExpiredKeys(database: Database): Promise<void> {
  await database.query(
    'delete-expired-keys',
    sql`
    DELETE FROM idempotency_keys WHERE ctid IN (
      SELECT ctid FROM idempotency_keys WHERE created_at <= now() - ${retention} LIMIT ${maxRowsPerSweep})`,
  )
}
