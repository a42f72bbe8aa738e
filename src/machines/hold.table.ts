// Holds: "somebody is at the machine". While a hold is in force, no START is accepted or sent.
import { sql } from 'drizzle-orm'
import { bigint, check, index, pgTable, text, timestamp, uniqueIndex } from 'drizzle-orm/pg-core'
import { accounts } from '../accounts/account.table.ts'
import { machines } from './machine.table.ts'

const isInForce = sql`removed_at IS NULL AND overridden_at IS NULL`

export const holds = pgTable(
  'holds',
  {
    id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    machineId: bigint('machine_id', { mode: 'number' })
      .notNull()
      .references(() => machines.id),
    reason: text().notNull(),
    placedBy: bigint('placed_by', { mode: 'number' })
      .notNull()
      .references(() => accounts.id),
    placedAt: timestamp('placed_at', { withTimezone: true }).notNull(),
    /** When the account that placed it removed it. */
    removedAt: timestamp('removed_at', { withTimezone: true }),
    /** The manager who made sure that nobody is at the machine. The hold is then no longer in force. */
    overriddenBy: bigint('overridden_by', { mode: 'number' }).references(() => accounts.id),
    overriddenAt: timestamp('overridden_at', { withTimezone: true }),
    overrideReason: text('override_reason'),
  },
  (table) => [
    check('holds_reason_length', sql`char_length(${table.reason}) BETWEEN 1 AND 1000`),
    check('holds_override', sql`num_nulls(overridden_by, overridden_at, override_reason) IN (0, 3)`),
    index('holds_of_machine').on(table.machineId, table.id).where(sql`removed_at IS NULL`),
    index('holds_of_account').on(table.placedBy).where(sql`removed_at IS NULL`),
    uniqueIndex('holds_in_force').on(table.machineId, table.placedBy).where(isInForce),
  ],
)
