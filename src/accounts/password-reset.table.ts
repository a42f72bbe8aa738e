// Password resets: staff give a person a token for setting a new password. One per account, used once.
import { bigint, index, pgTable, text, timestamp } from 'drizzle-orm/pg-core'
import { accounts } from './account.table.ts'

export const passwordResets = pgTable(
  'password_resets',
  {
    accountId: bigint('account_id', { mode: 'number' })
      .primaryKey()
      .references(() => accounts.id),
    /** The SHA-256 of the token, in hexadecimal. The token itself is not stored. */
    tokenHash: text('token_hash').notNull().unique(),
    expiresAt: timestamp('expires_at', { withTimezone: true }).notNull(),
  },
  (table) => [index('password_resets_by_expiry').on(table.expiresAt)],
)
