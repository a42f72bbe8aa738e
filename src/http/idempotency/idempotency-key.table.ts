// Idempotency keys: which request was made with a key, and its outcome.
import { index, jsonb, pgTable, primaryKey, text, timestamp } from 'drizzle-orm/pg-core'

export const idempotencyKeys = pgTable(
  'idempotency_keys',
  {
    /** `account:7`, or `key:` and the id of the key. */
    caller: text().notNull(),
    method: text().notNull(),
    path: text().notNull(),
    key: text().notNull(),
    /** base64url of the SHA-256 of the body. */
    fingerprint: text().notNull(),
    /** The row that the statement returned. A replay builds its answer from it. */
    outcome: jsonb().notNull(),
    createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
  },
  (table) => [
    primaryKey({
      name: 'idempotency_keys_key',
      columns: [table.caller, table.method, table.path, table.key],
    }),
    index('idempotency_keys_by_age').on(table.createdAt),
  ],
)
