// Request and response schemas of jobs.
import { z } from '@hono/zod-openapi'
import {
  accountReference,
  enumOf,
  instant,
  label,
  nameOrNumber,
  numericId,
  pageQuery,
  time,
  uuid,
} from '../http/openapi/fields.ts'
import { bodyOf } from '../http/openapi/strict-input.ts'
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
import { actorTexts, commandTexts, eventReasonTexts, reasonTexts, resultTexts, stateTexts } from './value-texts.ts'

const command = enumOf(commands, commandTexts)
const state = enumOf(jobStates, stateTexts)
const result = enumOf(jobResults, resultTexts)

const detail = z.string().nullable().openapi({
  description: 'Free text: from the controller, from the person who cancelled the job, or why the command was not sent',
})

export const jobSchema = z
  .object({
    id: uuid,
    machine_id: z.int(),
    machine_owner_id: z.int(),
    command,
    sequence: z.int().openapi({
      description: 'The order of the accepted jobs of a machine, from 1. 0: the request was refused',
    }),
    state,
    result: result.nullable(),
    reason: enumOf(jobReasons, reasonTexts).nullable(),
    detail,
    attempts: z.int(),
    requested_by: z.int(),
    key_id: uuid.nullable().openapi({ description: 'The API key with which the job was requested' }),
    requested_at: time,
    not_after: time,
    sent_at: time.nullable(),
    finished_at: time.nullable(),
    confirmed_at: time.nullable().openapi({
      description:
        'When a report of the machine, received after the command was sent, first showed its effect. Null: no report has',
    }),
    version: z.int(),
  } satisfies Record<keyof JobRow, z.ZodType>)
  .openapi('Job', {
    example: {
      id: '0198c0de-7c1a-7000-8000-000000000001',
      machine_id: 42,
      machine_owner_id: 7,
      command: 'START',
      sequence: 12,
      state: 'SUCCEEDED',
      result: 'SUCCESS',
      reason: null,
      detail: 'clamp closed',
      attempts: 1,
      requested_by: 7,
      key_id: null,
      requested_at: '2026-11-22T09:30:00.000000Z',
      not_after: '2026-11-22T09:31:00.000000Z',
      sent_at: '2026-11-22T09:30:00.120000Z',
      finished_at: '2026-11-22T09:30:02.480000Z',
      confirmed_at: '2026-11-22T09:30:04.120000Z',
      version: 4,
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
  reason: label(0, maxDetailLength).optional().openapi({ example: 'the wrong machine' }),
})

export const jobPath = z.object({ id: uuid })
export const machinePath = z.object({ id: numericId })

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
    key_id: uuid.nullable().openapi({ description: 'The API key with which the account in `by` acted' }),
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
      key_id: null,
      reason: null,
      detail: 'clamp closed',
    },
  })

export const eventPage = z
  .object({
    items: z.array(eventSchema),
    next_cursor: z.string().nullable().openapi({ example: 'WyJ2ZXJzaW9uIiwiMjAiLCIyMCJd' }),
  })
  .openapi('JobEventPage')

export function toJobEvent(row: EventRow): z.infer<typeof eventSchema> {
  // An account's id has only digits; all other values are actors.
  return { ...eventColumns.pick(row), by: /^\d+$/.test(row.by) ? Number(row.by) : (row.by as EventActor) }
}
