// The wire shapes of jobs.
import { z } from '@hono/zod-openapi'
import { nameOrNumber, numericId, pageQuery, text, time, uuid } from '../http/fields.ts'
import { toRfc3339 } from '../kernel/time.ts'
import type { EventRow } from './history.sql.ts'
import { commands, eventReasons, type JobEvent, jobReasons, jobResults, jobStates, longestDetail } from './job.ts'

const detail = z.string().nullable().openapi({ description: "The controller's or a person's own words" })

export const jobSchema = z
  .object({
    id: uuid,
    machine_id: z.int(),
    machine_owner_id: z.int(),
    command: z.enum(commands),
    state: z.enum(jobStates),
    result: z.enum(jobResults).nullable(),
    reason: z.enum(jobReasons).nullable(),
    detail,
    attempts: z.int(),
    requested_by: z.int(),
    requested_at: time,
    not_after: time,
    sent_at: time.nullable(),
    finished_at: time.nullable(),
    version: z.int(),
  })
  .openapi('Job')

export const jobPage = z.object({ items: z.array(jobSchema), next_cursor: z.string().nullable() }).openapi('JobPage')

export const operationBody = z
  .object({
    command: z.enum(commands),
    expires_in: z.int().min(1).max(900).optional().openapi({
      description: 'Seconds after which the command is no longer sent; 60 for START, 600 for STOP',
    }),
  })
  .openapi('Operation')

export const cancelBody = z.object({ reason: text(0, longestDetail).optional() }).openapi('Cancel')

export const jobPath = z.object({ id: uuid })
export const machinePath = z.object({ id: numericId })

/** RFC 3339; a `+` that was not escaped in a query arrives as a space. */
const instant = z
  .string()
  .transform((value) => value.replace(' ', '+'))
  .pipe(z.iso.datetime({ offset: true }))
  .openapi({ type: 'string', format: 'date-time' })

export const historyQuery = pageQuery.extend({
  command: z.enum(commands).optional(),
  state: z.enum(jobStates).optional(),
  result: nameOrNumber(jobResults, 1).optional(),
  requested_by: z.union([z.literal('me'), z.coerce.number().int().positive().max(Number.MAX_SAFE_INTEGER)]).optional(),
  from: instant.optional().openapi({ description: 'Requested at this time or later' }),
  to: instant.optional().openapi({ description: 'Requested before this time' }),
})

export const eventSchema = z
  .object({
    version: z.int(),
    state: z.enum(jobStates),
    at: time,
    attempt: z.int().nullable(),
    by: z.union([z.int(), z.enum(['courier', 'controller', 'sweep'])]),
    reason: z.enum(eventReasons).nullable(),
    detail,
  })
  .openapi('JobEvent')

export const eventsSchema = z.object({ items: z.array(eventSchema) }).openapi('JobEvents')

export function toJobEvent(row: EventRow): JobEvent {
  return {
    version: row.version,
    state: row.state,
    at: toRfc3339(row.at),
    attempt: row.attempt,
    // An account's id is all digits; the others are the three words.
    by: /^\d+$/.test(row.by) ? Number(row.by) : (row.by as 'courier' | 'controller' | 'sweep'),
    reason: row.reason,
    detail: row.detail,
  }
}

/** What a controller reports when it has finished what it answered PENDING to. */
export const outcomeBody = z
  .object({
    result: nameOrNumber(['SUCCESS', 'REMOTEFAILED'], 1),
    detail: text(0, longestDetail).nullish(),
  })
  .openapi('OutcomeReport')

export const outcomeSchema = z
  .object({
    job_id: uuid,
    state: z.enum(jobStates),
    result: z.enum(jobResults).nullable(),
  })
  .openapi('OutcomeAnswer')

/** The body of our own messages to ourselves. */
export const courierMessage = z.object({ job_id: uuid })

/** What QStash posts when it has given a message up; the body of the message is inside, in base64. */
export const courierFailure = z.object({ sourceBody: z.string() })
