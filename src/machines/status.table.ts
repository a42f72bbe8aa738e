// The history of the statuses of machines. Triggers write it (see its migration), so that no statement that sets a status
// can forget it. `jobs/sql/retention.ts` says what is deleted.
import { sql } from 'drizzle-orm'
import { bigint, check, index, pgTable, primaryKey, text, timestamp } from 'drizzle-orm/pg-core'
import { sqlList } from '../infra/rows.ts'
import { machines } from './machine.table.ts'
import { machineStatuses, statusSources } from './machine.ts'

export const statusChanges = pgTable(
  'machine_statuses',
  {
    machineId: bigint('machine_id', { mode: 'number' })
      .notNull()
      .references(() => machines.id),
    /** Since when the machine had this status. */
    at: timestamp({ withTimezone: true }).notNull(),
    /** Null: unknown, because the machine had stopped reporting. */
    status: text({ enum: machineStatuses }),
    source: text({ enum: statusSources }).notNull(),
  },
  (table) => [
    // The order of pages. At one time a machine has one status.
    primaryKey({ name: 'machine_statuses_key', columns: [table.machineId, table.at] }),
    index('machine_statuses_by_at').on(table.at),
    check('machine_statuses_status', sql`${table.status} IN (${sqlList(machineStatuses)})`),
    check('machine_statuses_source', sql`${table.source} IN (${sqlList(statusSources)})`),
  ],
)
