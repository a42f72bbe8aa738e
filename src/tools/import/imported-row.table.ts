// Which row of the old system became which of ours, so that an import can run again.
import { bigint, pgTable, primaryKey, text, timestamp } from 'drizzle-orm/pg-core'

export const importedRows = pgTable(
  'imported_rows',
  {
    /** `account` or `machine`. Jobs have no row: the id of an imported job is derived from the old one. */
    kind: text().notNull(),
    oldId: bigint('old_id', { mode: 'number' }).notNull(),
    newId: bigint('new_id', { mode: 'number' }).notNull(),
    importedAt: timestamp('imported_at', { withTimezone: true }).notNull().defaultNow(),
  },
  (table) => [primaryKey({ name: 'imported_rows_key', columns: [table.kind, table.oldId] })],
)
