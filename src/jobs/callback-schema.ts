// Schemas of what controllers and QStash send to the callbacks, and of the answers.
import { z } from '@hono/zod-openapi'
import { enumOf, uuid, type ValueTexts } from '../http/openapi/fields.ts'
import { maxDetailLength } from './job.ts'
import { jobSchema } from './schema.ts'
import { outcomes, outcomeTexts } from './value-texts.ts'

const { state, result } = jobSchema.shape

/** A result that a controller sends. Only for the OpenAPI document: `readControllerReport` reads it. */
export const sentResult = <const Names extends readonly string[]>(
  names: Names,
  texts: ValueTexts<Names>,
  numbers: Record<Names[number], number>,
) => {
  const asNumbers = names.map((name: Names[number]) =>
    z.literal(numbers[name]).openapi({
      description: `The number of ${name} in the old system.`,
      'x-enum-descriptions': [`${name}, as a number.`],
    }),
  )
  return z
    .union([enumOf(names, texts), ...asNumbers])
    .openapi({ description: 'A name, in any case, or its number in the old system. A number may be sent as text' })
}

/** A detail that a controller sends. Only for the OpenAPI document: see `sentResult`. */
export const sentDetail = z
  .unknown()
  .optional()
  .openapi({
    example: 'clamp closed',
    description:
      `Free text. At most ${maxDetailLength} characters of it are kept, without NUL; ` +
      'a value of another type is shown as JSON. The result is read even if this text is invalid',
  })

/** The report of a controller that answered PENDING before. */
export const outcomeReport = z.object({
  result: sentResult(outcomes, outcomeTexts, { SUCCESS: 1, REMOTEFAILED: 2 }),
  detail: sentDetail,
})

export const outcomeSchema = z
  .object({
    job_id: uuid,
    state: state.openapi({ example: 'SUCCEEDED' }),
    result,
  })
  .openapi('OutcomeAnswer')

/** The body of the messages that we publish to QStash. */
export const queueMessage = z.object({ job_id: uuid })

/** What QStash posts when it has given up a message. `sourceBody` is the body of the message in base64. */
export const queueFailure = z.object({
  sourceBody: z.string().openapi({ example: 'eyJqb2JfaWQiOiIwMTk4YzBkZS03YzFhLTcwMDAtODAwMC0wMDAwMDAwMDAwMDEifQ==' }),
})
