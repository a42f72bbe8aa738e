// Members: accounts with a role on a site or on one machine. Owners of machines and staff need no row.
import { sql } from 'drizzle-orm'
import { bigint, check, index, pgTable, text, timestamp, uniqueIndex } from 'drizzle-orm/pg-core'
import { accounts } from '../accounts/account.table.ts'
import { sqlList } from '../infra/rows.ts'
import { roles } from './role.ts'
import { sites } from './site.table.ts'

export const members = pgTable(
  'members',
  {
    id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    siteId: bigint('site_id', { mode: 'number' }).references(() => sites.id),
    /** No foreign key, because the table of machines is above this one. A machine's row is never deleted. */
    machineId: bigint('machine_id', { mode: 'number' }),
    accountId: bigint('account_id', { mode: 'number' })
      .notNull()
      .references(() => accounts.id),
    role: text({ enum: roles }).notNull(),
    /** When the role ends. Null: it does not end. */
    expiresAt: timestamp('expires_at', { withTimezone: true }),
  },
  (table) => [
    check('members_role', sql`${table.role} IN (${sqlList(roles)})`),
    check('members_of_one', sql`num_nonnulls(${table.siteId}, ${table.machineId}) = 1`),
    uniqueIndex('members_once_per_site').on(table.siteId, table.accountId),
    uniqueIndex('members_once_per_machine').on(table.machineId, table.accountId),
    // The role of an account on a machine: its rows for the machine and for the site of the machine.
    index('members_by_account').on(table.accountId, table.siteId, table.machineId),
  ],
)
