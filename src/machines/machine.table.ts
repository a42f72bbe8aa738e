// Machines. The lock on the row of a machine orders all changes of the machine and its jobs.
import { sql } from 'drizzle-orm'
import { bigint, check, index, pgTable, text, timestamp } from 'drizzle-orm/pg-core'
import { accounts } from '../accounts/account.table.ts'
import { sqlList } from '../infra/rows.ts'
import { machineStatuses } from './machine.ts'

export const machines = pgTable(
  'machines',
  {
    id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    name: text().notNull(),
    location: text().notNull(),
    status: text({ enum: machineStatuses }).notNull().default('READY'),
    ownerId: bigint('owner_id', { mode: 'number' })
      .notNull()
      .references(() => accounts.id),
    controllerUrl: text('controller_url'),
    createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
    updatedAt: timestamp('updated_at', { withTimezone: true }).notNull().defaultNow(),
    /** Soft delete, because the history of the machine is kept. */
    deletedAt: timestamp('deleted_at', { withTimezone: true }),
    /** Incremented by every change that the API shows. Part of the ETag. */
    revision: bigint({ mode: 'number' }).notNull().default(1),
    /** Until this time only the attempt in `leased_by` may use the controller. */
    leasedUntil: timestamp('leased_until', { withTimezone: true }),
    /** `{job id}:{attempt}` */
    leasedBy: text('leased_by'),
  },
  (table) => [
    check('machines_name_length', sql`char_length(${table.name}) BETWEEN 1 AND 64`),
    check('machines_location_length', sql`char_length(${table.location}) BETWEEN 1 AND 256`),
    check('machines_status', sql`${table.status} IN (${sqlList(machineStatuses)})`),
    check('machines_controller_url_length', sql`char_length(${table.controllerUrl}) <= 2048`),
    index('machines_by_name').on(table.name, table.id).where(sql`${table.deletedAt} IS NULL`),
    index('machines_by_created_at').on(table.createdAt, table.id).where(sql`${table.deletedAt} IS NULL`),
    index('machines_by_updated_at').on(table.updatedAt, table.id).where(sql`${table.deletedAt} IS NULL`),
    index('machines_by_owner').on(table.ownerId, table.id).where(sql`${table.deletedAt} IS NULL`),
    index('machines_by_status').on(table.status, table.id).where(sql`${table.deletedAt} IS NULL`),
  ],
)
