// Sessions: one row per sign-up or log-in. A token is valid only while its session is active.
import { bigint, index, pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core'
import { accounts } from './account.table.ts'

export const sessions = pgTable(
  'sessions',
  {
    id: uuid().primaryKey(),
    accountId: bigint('account_id', { mode: 'number' })
      .notNull()
      .references(() => accounts.id),
    /** `jti` of the last refresh token. Each refresh replaces it. */
    refreshId: uuid('refresh_id').notNull(),
    /** `jti` of the refresh token before it, which was replaced at `refreshedAt`. */
    previousRefreshId: uuid('previous_refresh_id'),
    userAgent: text('user_agent'),
    address: text(),
    createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
    refreshedAt: timestamp('refreshed_at', { withTimezone: true }).notNull().defaultNow(),
    expiresAt: timestamp('expires_at', { withTimezone: true }).notNull(),
    endedAt: timestamp('ended_at', { withTimezone: true }),
  },
  (table) => [
    index('sessions_by_account').on(table.accountId, table.createdAt),
    index('sessions_by_expiry').on(table.expiresAt),
  ],
)
