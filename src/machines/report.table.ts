// What machines report: one row for each machine, its last report. There is no index but the key, and pages have free space
// (see the migration): a report that changes only counters is then a heap-only update, which writes no index.
import { sql } from 'drizzle-orm'
import { bigint, boolean, check, integer, pgTable, text, timestamp } from 'drizzle-orm/pg-core'
import { sqlList } from '../infra/rows.ts'
import { machines } from './machine.table.ts'
import { machineStatuses } from './machine.ts'
import { machineModes } from './report.ts'

export const machineReports = pgTable(
  'machine_reports',
  {
    machineId: bigint('machine_id', { mode: 'number' })
      .primaryKey()
      .references(() => machines.id),
    /** Identifies one run of the controller's program. `seq` counts the reports of this run. */
    bootId: text('boot_id').notNull(),
    /** The run before it. Its late reports are ignored. */
    previousBootId: text('previous_boot_id'),
    seq: bigint({ mode: 'number' }).notNull(),
    status: text({ enum: machineStatuses }).notNull(),
    mode: text({ enum: machineModes }),
    remoteEnabled: boolean('remote_enabled'),
    cycles: bigint({ mode: 'number' }),
    lastCycleMs: integer('last_cycle_ms'),
    /** Null: no alarm. */
    alarmCode: text('alarm_code'),
    alarmText: text('alarm_text'),
    intervalSeconds: integer('interval_seconds').notNull(),
    /** When the report arrived. */
    at: timestamp({ withTimezone: true }).notNull(),
  },
  (table) => [
    check('machine_reports_status', sql`${table.status} IN (${sqlList(machineStatuses)})`),
    check('machine_reports_mode', sql`${table.mode} IN (${sqlList(machineModes)})`),
  ],
)
