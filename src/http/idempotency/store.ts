// SQL statements on idempotency keys. Keys are kept for 24 hours.
import { type Query, type SQL, sql } from 'drizzle-orm'
import type { Database } from '../../infra/database.ts'
import { type Bindable, prepare } from '../../infra/prepare.ts'

/** A request's key as it is stored. */
export type RequestKey = {
  /** `account:7`, or `key:` and the id of the key. */
  callerName: string
  method: string
  path: string
  key: string
  fingerprint: string
}

const retention = sql.raw(`interval '24 hours'`)

/** Runs before `insertKey` in the same batch, so that an expired key does not cause a violation. */
export const deleteExpiredKey: (key: RequestKey) => Query = prepare<RequestKey>(
  ({ callerName, method, path, key }) => sql`
    DELETE FROM idempotency_keys
    WHERE caller = ${callerName} AND method = ${method} AND path = ${path} AND key = ${key}
      AND created_at <= now() - ${retention}`,
)

/**
 * A CTE body that stores the key with the row of `source` as its outcome. It has no ON CONFLICT: if another request has
 * used the key, the violation rolls the whole batch back.
 */
export function insertKey({ callerName, method, path, key, fingerprint }: Bindable<RequestKey>, source: SQL): SQL {
  return sql`
    INSERT INTO idempotency_keys (caller, method, path, key, fingerprint, outcome)
    SELECT ${callerName}, ${method}, ${path}, ${key}, ${fingerprint}, to_jsonb(kept) FROM (${source}) kept`
}

/**
 * A condition: an earlier request has used the key. A statement then skips its checks, because the first request may have
 * changed what they read: `insertKey` violates the constraint, and the first answer is repeated.
 */
export function isKeyUsed({ callerName, method, path, key }: Bindable<Omit<RequestKey, 'fingerprint'>>): SQL {
  return sql`EXISTS (SELECT FROM idempotency_keys
    WHERE caller = ${callerName} AND method = ${method} AND path = ${path} AND key = ${key})`
}

/** The CTE body that selects the caller. It selects no row if the session has ended. */
export type CallerBody = SQL

/** The outcome of the request that used the key first: no row if the session has ended, NULLs if the key was deleted. */
export function readKey(caller: CallerBody, { callerName, method, path, key }: RequestKey): SQL {
  return sql`
    WITH caller AS (${caller})
    SELECT k.fingerprint, k.outcome FROM caller LEFT JOIN idempotency_keys k
      ON k.caller = ${callerName} AND k.method = ${method} AND k.path = ${path} AND k.key = ${key}`
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
