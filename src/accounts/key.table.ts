// API keys: for programs and machines, which act for the account that created the key. A row is never deleted, because
// jobs name the key with which they were requested.
import { sql } from 'drizzle-orm'
import { bigint, check, index, pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core'
import { sqlList } from '../infra/rows.ts'
import { type Scope, scopes } from '../kernel/scope.ts'
import { accounts } from './account.table.ts'

export const keys = pgTable(
  'keys',
  {
    id: uuid().primaryKey(),
    /** The account that created the key, for which the key acts. */
    accountId: bigint('account_id', { mode: 'number' })
      .notNull()
      .references(() => accounts.id),
    name: text().notNull(),
    scopes: text().array().$type<Scope[]>().notNull(),
    /** The only machine that the key can see and operate. No foreign key: the slice of machines is a later one. */
    machineId: bigint('machine_id', { mode: 'number' }),
    /** The only site whose machines the key can see and operate. No foreign key, as above. */
    siteId: bigint('site_id', { mode: 'number' }),
    /** The SHA-256 of the whole key, in hexadecimal. The key itself is not stored. */
    secretHash: text('secret_hash').notNull(),
    createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
    expiresAt: timestamp('expires_at', { withTimezone: true }),
    revokedAt: timestamp('revoked_at', { withTimezone: true }),
  },
  (table) => [
    check('keys_name_length', sql`char_length(${table.name}) BETWEEN 1 AND 64`),
    check('keys_scopes', sql`${table.scopes} <@ ARRAY[${sqlList(scopes)}] AND cardinality(${table.scopes}) > 0`),
    index('keys_by_account').on(table.accountId, table.id),
    // The keys whose audit events a manager may read.
    index('keys_by_machine').on(table.machineId).where(sql`${table.machineId} IS NOT NULL`).concurrently(),
    index('keys_by_site').on(table.siteId).where(sql`${table.siteId} IS NOT NULL`).concurrently(),
  ],
)
