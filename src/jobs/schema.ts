// Request and response schemas of jobs.
import { z } from '@hono/zod-openapi'
import {
  accountReference,
  enumOf,
  nameOrNumber,
  numericId,
  pageQuery,
  text,
  time,
  uuid,
} from '../http/openapi/fields.ts'
import { bodyOf } from '../http/openapi/strict-input.ts'
import { isTimestamp } from '../kernel/time.ts'
import { commandRules, commands } from './commands.ts'
import {
  type EventActor,
  eventActors,
  eventReasons,
  jobReasons,
  jobResults,
  jobStates,
  maxDetailLength,
} from './job.ts'
import { type JobRow, jobColumns } from './sql/fragments.ts'
import { type EventRow, eventColumns } from './sql/read.ts'
import {
  actorTexts,
  commandTexts,
  eventReasonTexts,
  outcomes,
  outcomeTexts,
  reasonTexts,
  resultTexts,
  stateTexts,
} from './value-texts.ts'

const command = enumOf(commands, commandTexts)
const state = enumOf(jobStates, stateTexts)
const result = enumOf(jobResults, resultTexts)

const detail = z
  .string()
  .nullable()
  .openapi({ description: 'Free text from the controller or from the person who cancelled the job' })

export const jobSchema = z
  .object({
    id: uuid,
    machine_id: z.int(),
    machine_owner_id: z.int(),
    command,
    state,
    result: result.nullable(),
    reason: enumOf(jobReasons, reasonTexts).nullable(),
    detail,
    attempts: z.int(),
    requested_by: z.int(),
    requested_at: time,
    not_after: time,
    sent_at: time.nullable(),
    finished_at: time.nullable(),
    version: z.int(),
  } satisfies Record<keyof JobRow, z.ZodType>)
  .openapi('Job', {
    example: {
      id: '0198c0de-7c1a-7000-8000-000000000001',
      machine_id: 42,
      machine_owner_id: 7,
      command: 'START',
      state: 'SUCCEEDED',
      result: 'SUCCESS',
      reason: null,
      detail: 'clamp closed',
      attempts: 1,
      requested_by: 7,
      requested_at: '2026-11-22T09:30:00.000000Z',
      not_after: '2026-11-22T09:31:00.000000Z',
      sent_at: '2026-11-22T09:30:00.120000Z',
      finished_at: '2026-11-22T09:30:02.480000Z',
      version: 3,
    },
  })

export type Job = z.infer<typeof jobSchema>

/** Picks the columns that the API shows; a row may have more. */
export function toJob(row: JobRow): Job {
  return jobColumns.pick(row)
}

export const jobPage = z
  .object({
    items: z.array(jobSchema),
    next_cursor: z.string().nullable().openapi({ example: 'WyJpZCIsIjIwIiwiMjAiXQ' }),
  })
  .openapi('JobPage')

const defaultExpiries = commands.map((name) => `${commandRules[name].expiresInSeconds} for ${name}`).join(', ')

export const operationBody = bodyOf('Operation', {
  command,
  expires_in: z
    .int()
    .min(1)
    .max(900)
    .optional()
    .openapi({
      example: 60,
      description: `Seconds after which the command is no longer sent; ${defaultExpiries}`,
    }),
})

export const cancelBody = bodyOf('Cancel', {
  reason: text(0, maxDetailLength).optional().openapi({ example: 'the wrong machine' }),
})

export const jobPath = z.object({ id: uuid })
export const machinePath = z.object({ id: numericId })

/** An RFC 3339 time. An unescaped `+` in a query arrives as a space. */
const instant = z
  .string()
  .transform((value) => value.replace(' ', '+'))
  .refine(isTimestamp, 'must be an RFC 3339 time, such as 2026-11-22T09:30:00Z')
  .openapi({ type: 'string', format: 'date-time' })

export const historyQuery = pageQuery.extend({
  command: command.optional(),
  state: state.optional(),
  result: nameOrNumber(jobResults, 1, resultTexts).optional(),
  requested_by: accountReference.optional(),
  from: instant.optional().openapi({ description: 'Requested at this time or later' }),
  to: instant.optional().openapi({ description: 'Requested before this time' }),
})

const eventSchema = z
  .object({
    version: z.int(),
    state,
    at: time,
    attempt: z.int().nullable(),
    by: z.union([z.int(), enumOf(eventActors, actorTexts)]),
    reason: enumOf(eventReasons, eventReasonTexts).nullable(),
    detail,
  } satisfies Record<keyof EventRow, z.ZodType>)
  .openapi('JobEvent', {
    example: {
      version: 3,
      state: 'SUCCEEDED',
      at: '2026-11-22T09:30:02.480000Z',
      attempt: 1,
      by: 'controller',
      reason: null,
      detail: 'clamp closed',
    },
  })

export const eventsSchema = z.object({ items: z.array(eventSchema) }).openapi('JobEvents')

export function toJobEvent(row: EventRow): z.infer<typeof eventSchema> {
  // An account's id has only digits; all other values are actors.
  return { ...eventColumns.pick(row), by: /^\d+$/.test(row.by) ? Number(row.by) : (row.by as EventActor) }
}

/** The report of a controller that answered PENDING before. */
export const outcomeBody = z
  .object({
    result: nameOrNumber(outcomes, 1, outcomeTexts),
    detail: text(0, maxDetailLength).nullish().openapi({ example: 'clamp closed' }),
  })
  .openapi('OutcomeReport')

export const outcomeSchema = z
  .object({
    job_id: uuid,
    state: state.openapi({ example: 'SUCCEEDED' }),
    result: result.nullable(),
  })
  .openapi('OutcomeAnswer')

/** The body of the messages that we publish to QStash. */
export const queueMessage = z.object({ job_id: uuid })

/** What QStash posts when it has given up a message. `sourceBody` is the body of the message in base64. */
export const queueFailure = z.object({
  sourceBody: z.string().openapi({ example: 'eyJqb2JfaWQiOiIwMTk4YzBkZS03YzFhLTcwMDAtODAwMC0wMDAwMDAwMDAwMDEifQ==' }),
})
