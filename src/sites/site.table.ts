// Sites: groups of machines, such as a plant or a line.
import { sql } from 'drizzle-orm'
import { bigint, check, index, pgTable, text, timestamp } from 'drizzle-orm/pg-core'
import { accounts } from '../accounts/account.table.ts'

export const sites = pgTable(
  'sites',
  {
    id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    name: text().notNull(),
    createdBy: bigint('created_by', { mode: 'number' })
      .notNull()
      .references(() => accounts.id),
    createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
    updatedAt: timestamp('updated_at', { withTimezone: true }).notNull().defaultNow(),
    /** Soft delete, because deleted machines and audit events name the site. */
    deletedAt: timestamp('deleted_at', { withTimezone: true }),
  },
  (table) => [
    check('sites_name_length', sql`char_length(${table.name}) BETWEEN 1 AND 64`),
    index('sites_by_name').on(table.name, table.id).where(sql`${table.deletedAt} IS NULL`),
    index('sites_by_creator').on(table.createdBy).where(sql`${table.deletedAt} IS NULL`),
  ],
)
