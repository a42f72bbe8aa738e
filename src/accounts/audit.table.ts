// Audit events: who changed which right, member, key or machine, with the values before and after. No secret, name or e-mail
// address is ever stored here, so that an account can be anonymised. A trigger refuses UPDATE, TRUNCATE, and every DELETE
// but that of the retention (drizzle/migrations/0013_audit.sql).
import { sql } from 'drizzle-orm'
import { bigint, index, jsonb, pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core'
import { accounts } from './account.table.ts'
import { type AuditValues, auditActions } from './audit.ts'
import { keys } from './key.table.ts'

export const auditEvents = pgTable(
  'audit_events',
  {
    id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    /** The clock of the statement, because `now()` is the time before the wait for the locks of the change. */
    at: timestamp({ withTimezone: true }).notNull().default(sql`statement_timestamp()`),
    /** Null: a program that was run with access to the database, such as `npm run staff`. */
    actor: bigint({ mode: 'number' }).references(() => accounts.id),
    /** The API key with which the actor made the change. */
    keyId: uuid('key_id').references(() => keys.id),
    action: text({ enum: auditActions }).notNull(),
    /** What was changed: `machine:42`. */
    subject: text().notNull(),
    before: jsonb().$type<AuditValues>(),
    after: jsonb().$type<AuditValues>(),
  },
  (table) => [
    index('audit_events_by_at').on(table.at, table.id),
    // A filter, and the events of each machine and site of a manager, in the order of the pages.
    index('audit_events_by_subject').on(table.subject, table.at, table.id),
    index('audit_events_by_actor').on(table.actor, table.at, table.id),
    index('audit_events_by_action').on(table.action, table.at, table.id),
  ],
)
