// Jobs: commands to machines, and the timeline of each. Rows are never deleted: they are the history.
import { sql } from 'drizzle-orm'
import {
  bigint,
  boolean,
  check,
  index,
  integer,
  pgTable,
  primaryKey,
  text,
  timestamp,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core'
import { accounts } from '../accounts/account.table.ts'
import { sqlList } from '../infra/rows.ts'
import { machines } from '../machines/machine.table.ts'
import { type Command, commands } from './commands.ts'
import {
  awaitedStates,
  deliverableStates,
  type EventReason,
  type JobReason,
  type JobResult,
  type JobState,
  jobResults,
  jobStates,
  openStates,
} from './job.ts'

const isOpen = sql`state IN (${sqlList(openStates)})`
const isDeliverable = sql`state IN (${sqlList(deliverableStates)})`

/** `jobs_pending` is an index on this state. A second awaited state needs another condition, and a migration. */
const [awaitedState]: readonly ['PENDING'] = awaitedStates

export const jobs = pgTable(
  'jobs',
  {
    id: uuid().primaryKey(),
    machineId: bigint('machine_id', { mode: 'number' })
      .notNull()
      .references(() => machines.id),
    machineOwnerId: bigint('machine_owner_id', { mode: 'number' })
      .notNull()
      .references(() => accounts.id),
    command: text().$type<Command>().notNull(),
    state: text().$type<JobState>().notNull(),
    result: text().$type<JobResult>(),
    reason: text().$type<JobReason>(),
    detail: text(),
    /** How many attempts have begun. Each may have reached the controller. */
    attempts: integer().notNull().default(0),
    requestedBy: bigint('requested_by', { mode: 'number' })
      .notNull()
      .references(() => accounts.id),
    requestedAt: timestamp('requested_at', { withTimezone: true }).notNull(),
    notAfter: timestamp('not_after', { withTimezone: true }).notNull(),
    /** When the first attempt began. */
    sentAt: timestamp('sent_at', { withTimezone: true }),
    pendingSince: timestamp('pending_since', { withTimezone: true }),
    finishedAt: timestamp('finished_at', { withTimezone: true }),
    version: integer().notNull().default(1),
    /** How often the job was published to the queue; part of the deduplication id. */
    publishNo: integer('publish_no').notNull().default(1),
    /** Null if the queue is not known to have accepted the job. */
    publishedAt: timestamp('published_at', { withTimezone: true }),
    /** An attempt may have been executed: there is no answer, or an answer that does not tell. */
    mayHaveExecuted: boolean('may_have_executed').notNull().default(false),
    /** This STOP superseded a START that may have been executed: if it does not succeed, the machine goes to ERROR. */
    mustSucceed: boolean('must_succeed').notNull().default(false),
  },
  (table) => [
    check('jobs_command', sql`${table.command} IN (${sqlList(commands)})`),
    check('jobs_state', sql`${table.state} IN (${sqlList(jobStates)})`),
    check('jobs_result', sql`${table.result} IN (${sqlList(jobResults)})`),
    uniqueIndex('jobs_one_open_per_command').on(table.machineId, table.command).where(isOpen),
    index('jobs_by_machine').on(table.machineId, table.requestedAt, table.id),
    index('jobs_by_owner').on(table.machineOwnerId, table.requestedAt, table.id),
    index('jobs_by_requester').on(table.requestedBy, table.requestedAt, table.id),
    // For jobs that a person requested on machines of others: finds these few without reading all other jobs.
    index('jobs_on_machines_of_others')
      .on(table.requestedBy, table.requestedAt, table.id)
      .where(sql`${table.machineOwnerId} <> ${table.requestedBy}`),
    // For the sweep, which must find the few due jobs among all open jobs.
    index('jobs_under_way').on(table.publishedAt, table.requestedAt).where(isDeliverable),
    index('jobs_pending')
      .on(table.pendingSince)
      .where(sql`${table.state} = ${sqlList([awaitedState])}`),
  ],
)

export const jobEvents = pgTable(
  'job_events',
  {
    jobId: uuid('job_id')
      .notNull()
      .references(() => jobs.id),
    version: integer().notNull(),
    state: text().$type<JobState>().notNull(),
    at: timestamp({ withTimezone: true }).notNull(),
    attempt: integer(),
    /** An account's id, or `queue`, `controller`, `sweep`. */
    by: text().notNull(),
    reason: text().$type<EventReason>(),
    detail: text(),
  },
  (table) => [
    primaryKey({
      name: 'job_events_key',
      columns: [table.jobId, table.version],
    }),
  ],
)
