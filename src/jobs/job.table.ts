// Jobs: commands to machines, and the timeline of each. They are the history: `sql/retention.ts` says which are deleted.
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
import { keys } from '../accounts/key.table.ts'
import { sqlList } from '../infra/rows.ts'
import { machines } from '../machines/machine.table.ts'
import { type Command, commands } from './commands.ts'
import {
  type EventReason,
  type JobReason,
  type JobResult,
  type JobState,
  jobResults,
  jobStates,
  openStates,
} from './job.ts'

const isOpen = sql`state IN (${sqlList(openStates)})`

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
    /** The order of the jobs of a machine, from 1. 0: refused at once, or older than this column. */
    sequence: bigint({ mode: 'number' }).notNull().default(0),
    state: text().$type<JobState>().notNull(),
    result: text().$type<JobResult>(),
    reason: text().$type<JobReason>(),
    detail: text(),
    /** How many attempts have begun. Each may have reached the controller. */
    attempts: integer().notNull().default(0),
    requestedBy: bigint('requested_by', { mode: 'number' })
      .notNull()
      .references(() => accounts.id),
    /** The API key with which the account requested the job. */
    keyId: uuid('key_id').references(() => keys.id),
    requestedAt: timestamp('requested_at', { withTimezone: true }).notNull(),
    notAfter: timestamp('not_after', { withTimezone: true }).notNull(),
    /** When the first attempt began. */
    sentAt: timestamp('sent_at', { withTimezone: true }),
    pendingSince: timestamp('pending_since', { withTimezone: true }),
    finishedAt: timestamp('finished_at', { withTimezone: true }),
    /** When a report of the machine, received after the command was sent, first showed what the command asks for. */
    confirmedAt: timestamp('confirmed_at', { withTimezone: true }),
    version: integer().notNull().default(1),
    /** How often the job was published to the queue; part of the deduplication id. */
    publishNo: integer('publish_no').notNull().default(1),
    /**
     * When the queue was first known to have the job: when its first attempt by a delivery began, or when the job was published
     * again. Null before that, if the queue has refused the last message, and for a machine that fetches its commands.
     */
    publishedAt: timestamp('published_at', { withTimezone: true }),
    /** No attempt begins before this time. */
    nextAttemptAt: timestamp('next_attempt_at', { withTimezone: true }),
    /** When the sweep processes an open job, unless a delivery or a report comes first. */
    dueAt: timestamp('due_at', { withTimezone: true }).notNull().defaultNow(),
    /** An attempt may have been executed: there is no answer, or the answer does not say. */
    mayHaveExecuted: boolean('may_have_executed').notNull().default(false),
    /** This STOP superseded a job that may have been executed: if it does not succeed, the machine goes to ERROR. */
    mustSucceed: boolean('must_succeed').notNull().default(false),
  },
  (table) => [
    check('jobs_command', sql`${table.command} IN (${sqlList(commands)})`),
    check('jobs_state', sql`${table.state} IN (${sqlList(jobStates)})`),
    check('jobs_result', sql`${table.result} IN (${sqlList(jobResults)})`),
    uniqueIndex('jobs_one_open').on(table.machineId).where(isOpen),
    index('jobs_by_machine').on(table.machineId, table.requestedAt, table.id),
    index('jobs_by_owner').on(table.machineOwnerId, table.requestedAt, table.id),
    index('jobs_by_requester').on(table.requestedBy, table.requestedAt, table.id),
    // For jobs that a person requested on machines of others: finds these few without reading all other jobs.
    index('jobs_on_machines_of_others')
      .on(table.requestedBy, table.requestedAt, table.id)
      .where(sql`${table.machineOwnerId} <> ${table.requestedBy}`),
    // For the sweep: the oldest ended jobs and refusals, when they are deleted.
    index('jobs_by_end').on(table.finishedAt).where(sql`${table.finishedAt} IS NOT NULL`).concurrently(),
    index('jobs_refused').on(table.finishedAt).where(sql`${table.state} = 'REJECTED'`).concurrently(),
    // For the sweep: the due jobs of each command, without reading any other open job. `due_at` is always later
    // than `-infinity`. Only the sweep's statement has this condition, too, so PostgreSQL cannot use this index to find the
    // open job of one machine: a plan that was made while few jobs were open would read all of them.
    index('jobs_due_at').on(table.command, table.dueAt).where(sql`${isOpen} AND due_at > '-infinity'`).concurrently(),
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
    /** An account's id, or one of `eventActors`. */
    by: text().notNull(),
    /** The API key with which the account in `by` acted. No foreign key: it is that of the job, or the caller's. */
    keyId: uuid('key_id'),
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
