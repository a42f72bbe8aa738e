// Machines. The lock on the row of a machine orders all changes of the machine and its jobs.
import { sql } from 'drizzle-orm'
import { type AnyPgColumn, bigint, check, index, pgTable, text, timestamp, uniqueIndex } from 'drizzle-orm/pg-core'
import { accounts } from '../accounts/account.table.ts'
import { sqlList } from '../infra/rows.ts'
import { sites } from '../sites/site.table.ts'
import { machineStatuses, statusSources } from './machine.ts'

/** 1 for a machine without a site, else 0. The first column of the indexes of lists: a list reads each kind separately. */
const hasNoSite = sql`num_nulls(site_id)`

const isPresent = ({ deletedAt }: { deletedAt: AnyPgColumn }) => sql`${deletedAt} IS NULL`

export const machines = pgTable(
  'machines',
  {
    id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    name: text().notNull(),
    location: text().notNull(),
    status: text({ enum: machineStatuses }).notNull().default('READY'),
    statusSource: text('status_source', { enum: statusSources }).notNull().default('person'),
    /** Since when the machine has this status. */
    statusAt: timestamp('status_at', { withTimezone: true }).notNull().defaultNow(),
    ownerId: bigint('owner_id', { mode: 'number' })
      .notNull()
      .references(() => accounts.id),
    /** Null: the machine is in no site, and every account may see it. */
    siteId: bigint('site_id', { mode: 'number' }).references(() => sites.id),
    controllerUrl: text('controller_url'),
    /** When the controller at this URL confirmed that it controls this machine. Null: nothing but CONFIRM is sent. */
    controllerConfirmedAt: timestamp('controller_confirmed_at', { withTimezone: true }),
    /** The normalised URL of a confirmed controller. Only one machine may have it. */
    confirmedAddress: text('confirmed_address'),
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
    /** The sequence of the newest accepted job. */
    lastSequence: bigint('last_sequence', { mode: 'number' }).notNull().default(0),
    /** The highest sequence of a job that has ended. A superseded job does not count: its STOP follows. */
    endedSequence: bigint('ended_sequence', { mode: 'number' }).notNull().default(0),
    /** `last_sequence` when a person last changed status or controller. Late answers to jobs up to it set no status. */
    manualSequence: bigint('manual_sequence', { mode: 'number' }).notNull().default(0),
    /** No report can tell anything new about the jobs up to this sequence. */
    confirmedSequence: bigint('confirmed_sequence', { mode: 'number' }).notNull().default(0),
  },
  (table) => [
    check('machines_name_length', sql`char_length(${table.name}) BETWEEN 1 AND 64`),
    check('machines_location_length', sql`char_length(${table.location}) BETWEEN 1 AND 256`),
    check('machines_status', sql`${table.status} IN (${sqlList(machineStatuses)})`),
    check('machines_status_source', sql`${table.statusSource} IN (${sqlList(statusSources)})`),
    check('machines_controller_url_length', sql`char_length(${table.controllerUrl}) <= 2048`),
    uniqueIndex('machines_one_per_controller').on(table.confirmedAddress).where(sql`${table.deletedAt} IS NULL`),
    // A list reads the machines without a site in its order, and those of each site of the caller.
    index('machines_page_by_id').on(hasNoSite, table.id).where(isPresent(table)).concurrently(),
    ...(['name', 'createdAt', 'updatedAt'] as const).flatMap((name) => {
      const column = table[name]
      return [
        index(`machines_page_by_${column.name}`).on(hasNoSite, column, table.id).where(isPresent(table)).concurrently(),
        index(`machines_site_page_by_${column.name}`)
          .on(table.siteId, column, table.id)
          .where(sql`${table.siteId} IS NOT NULL AND ${isPresent(table)}`)
          .concurrently(),
      ]
    }),
    // With deleted machines, whose audit events can be read.
    index('machines_of_site').on(table.siteId, table.id).where(sql`${table.siteId} IS NOT NULL`).concurrently(),
    index('machines_of_owner').on(table.ownerId, table.id).concurrently(),
    index('machines_by_status').on(table.status, table.id).where(sql`${table.deletedAt} IS NULL`),
    // Not partial: PostgreSQL has no statistics on the values of a partial index, and with them it does not use this one
    // for a text that most machines have.
    index('machines_by_text').using('gin', sql`bigrams(${table.name} || chr(10) || ${table.location})`).concurrently(),
  ],
)
