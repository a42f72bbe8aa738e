// Idempotency keys: which request was made with a key, and what came of it.
import { type SQL, sql } from 'drizzle-orm'
import { bigint, index, jsonb, pgTable, primaryKey, text, timestamp } from 'drizzle-orm/pg-core'

export const idempotencyKeys = pgTable(
  'idempotency_keys',
  {
    accountId: bigint('account_id', { mode: 'number' }).notNull(),
    method: text().notNull(),
    path: text().notNull(),
    key: text().notNull(),
    /** base64url of the SHA-256 of the body. */
    fingerprint: text().notNull(),
    /** The row that the statement answered; the answer is made from it again. */
    outcome: jsonb().notNull(),
    createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
  },
  (table) => [
    primaryKey({
      name: 'idempotency_keys_key',
      columns: [table.accountId, table.method, table.path, table.key],
    }),
    index('idempotency_keys_by_age').on(table.createdAt),
  ],
)

/** A request's key as it is stored. */
export type RequestKey = {
  accountId: number
  method: string
  path: string
  key: string
  fingerprint: string
}

const kept = sql.raw(`interval '24 hours'`)

/** Comes before the effect in its batch: a key that is too old to be replayed must not be in the way. */
export function dropOldKey({ accountId, method, path, key }: RequestKey): SQL {
  return sql`
    DELETE FROM idempotency_keys
    WHERE account_id = ${accountId}::bigint AND method = ${method} AND path = ${path} AND key = ${key}
      AND created_at <= now() - ${kept}`
}

/**
 * A CTE body that keeps the key with the row `source` as its outcome. Without ON CONFLICT: the violation rolls the
 * whole effect back, which is how a twin learns that it came second.
 */
export function keepKey({ accountId, method, path, key, fingerprint }: RequestKey, source: SQL): SQL {
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
