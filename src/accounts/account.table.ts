// Accounts. The `*_key` columns hold case-folded names, for uniqueness and log-in.
import { bigint, boolean, index, pgTable, text, timestamp, uniqueIndex } from 'drizzle-orm/pg-core'

export const accounts = pgTable(
  'accounts',
  {
    id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    username: text().notNull(),
    usernameKey: text('username_key').notNull(),
    /** Empty for an account of the old system that had none. */
    email: text().notNull(),
    /** NULL if there is no e-mail address: a unique index permits any number of NULLs. */
    emailKey: text('email_key'),
    firstName: text('first_name').notNull().default(''),
    lastName: text('last_name').notNull().default(''),
    /** PHC string: `$scrypt$ln=15,r=8,p=3$salt$hash` */
    passwordHash: text('password_hash').notNull(),
    isStaff: boolean('is_staff').notNull().default(false),
    isActive: boolean('is_active').notNull().default(true),
    dateJoined: timestamp('date_joined', { withTimezone: true }).notNull().defaultNow(),
    lastLogin: timestamp('last_login', { withTimezone: true }),
    /** When the account was anonymised. Only its id is left. */
    deletedAt: timestamp('deleted_at', { withTimezone: true }),
  },
  (table) => [
    uniqueIndex('accounts_username_key_unique').on(table.usernameKey),
    uniqueIndex('accounts_email_key_unique').on(table.emailKey),
    index('accounts_by_date_joined').on(table.dateJoined, table.id),
  ],
)
