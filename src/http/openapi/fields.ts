// Building blocks for schemas: text that both PostgreSQL and JSON can store, ids, times, pages, enums.
import { z } from '@hono/zod-openapi'
import { defaultPageSize, maxCursorLength, maxPageSize } from '../../kernel/page.ts'
import { isBlank } from '../../kernel/text.ts'
import { isTimestamp } from '../../kernel/time.ts'

/**
 * A text of `min` to `max` characters (code points, as JSON Schema counts). It must not be blank if `min` is above 0.
 * NUL and lone surrogates are refused: JSON.parse accepts them, but PostgreSQL cannot store them.
 */
export function text(min: number, max: number) {
  return storable(z.string(), min, max)
}

/**
 * A text that people read and search: a name, a place, a reason. It is stored in NFC, so that text from macOS, which
 * sends decomposed Hangul, is found by text from elsewhere, and without spaces at its ends.
 */
export function label(min: number, max: number) {
  return storable(z.string().normalize('NFC').trim(), min, max)
}

function storable(schema: z.ZodString, min: number, max: number) {
  return schema
    .refine((value) => value.isWellFormed() && !value.includes('\0'), 'must not contain NUL or lone surrogates')
    .refine((value) => {
      const length = [...value.slice(0, 2 * max + 2)].length
      return length >= min && length <= max
    }, `must have ${min} to ${max} characters`)
    .refine((value) => min === 0 || !isBlank(value), 'must not be blank')
    .openapi({ minLength: min, maxLength: max })
}

/** An id in a path. `explainFaults` answers 404 for a malformed one. */
export const numericId = z
  .string()
  .regex(/^[1-9]\d{0,15}$/)
  .transform(Number)
  .refine(Number.isSafeInteger)
  .openapi({ type: 'integer', minimum: 1, example: 42 })

export const uuid = z
  .string()
  .regex(/^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$/)
  .toLowerCase()
  .openapi({
    format: 'uuid',
    example: '0198c0de-7c1a-7000-8000-000000000001',
  })

/** An RFC 3339 time in an answer. */
export const time = z.string().openapi({
  format: 'date-time',
  example: '2026-11-22T09:30:00.000000Z',
})

/** An RFC 3339 time in the future, from which on something ends. */
export const futureTime = z
  .string()
  .refine(isTimestamp, 'must be an RFC 3339 time, such as 2027-01-31T09:30:00Z')
  .refine((value) => !isTimestamp(value) || Date.parse(value) > Date.now(), 'must be in the future')
  .openapi({ format: 'date-time', example: '2036-11-22T09:30:00Z' })

/** A number in a query. Only digits are accepted, because `Number` also reads `0x10`, `1e1` and the empty text. */
function wholeNumber(min: number, max: number) {
  return z
    .string()
    .regex(/^\d{1,15}$/, 'must be a whole number')
    .transform(Number)
    .refine((value) => value >= min && value <= max, `must be ${min} to ${max}`)
}

/** An RFC 3339 time in a query. An unescaped `+` arrives as a space. */
export const instant = z
  .string()
  .transform((value) => value.replace(' ', '+'))
  .refine(isTimestamp, 'must be an RFC 3339 time, such as 2026-11-22T09:30:00Z')
  .openapi({ type: 'string', format: 'date-time' })

/** An account in a filter: its id, or `me`. */
export const accountReference = z
  .string()
  .regex(/^(me|[1-9]\d{0,14})$/, "must be an account's id, or me")
  .transform((value): number | 'me' => (value === 'me' ? value : Number(value)))
  .openapi({ type: 'string', pattern: '^(me|[1-9][0-9]{0,14})$', description: 'The id of an account, or `me`' })

/** The id of a site or another object in a filter. */
export const queryId = z
  .string()
  .regex(/^[1-9]\d{0,14}$/, 'must be an id')
  .transform(Number)
  .openapi({ type: 'integer', minimum: 1 })

/** The size of a page in a query. */
export const pageLimit = (maximum: number) =>
  wholeNumber(1, maximum)
    .default(defaultPageSize)
    .openapi({ type: 'integer', minimum: 1, maximum, default: defaultPageSize })

export const pageQuery = z.object({
  limit: pageLimit(maxPageSize),
  cursor: z
    .string()
    .min(1)
    .max(maxCursorLength)
    .optional()
    .openapi({ description: '`next_cursor` of the previous page' }),
})

/** A sentence on each value of an enum. A value without a sentence does not compile. */
export type ValueTexts<Names extends readonly PropertyKey[]> = Record<Names[number], string>

/** The description of an enum in the document: one text for people, and one sentence per value for programs. */
function describeValues<Names extends readonly (string | number)[]>(names: Names, texts: ValueTexts<Names>) {
  const sentences = names.map((name: Names[number]) => texts[name])
  const description = names.map((name, index) => `- \`${name}\`: ${sentences[index]}`).join('\n')
  return { description, 'x-enum-descriptions': sentences }
}

/** An enum of names. */
export function enumOf<const Names extends readonly string[]>(names: Names, texts: ValueTexts<Names>) {
  return z.enum(names).openapi(describeValues(names, texts))
}

/** The sort order of a list: a column for ascending order, or a column with `-` before it for descending order. */
export function sortOf<const Columns extends readonly string[]>(columns: Columns) {
  const names = columns.flatMap((column: Columns[number]) => [column, `-${column}`] as const)
  const texts = columns.flatMap((column) => [
    [column, `By ${column}, ascending.`],
    [`-${column}`, `By ${column}, descending.`],
  ])
  return enumOf(names, Object.fromEntries(texts) as ValueTexts<typeof names>) // one text for each name
}

/** Accepts a name, or the number that the old system used for it. The document shows only the names. */
export function nameOrNumber<const Names extends readonly [string, ...string[]]>(
  names: Names,
  firstNumber: number,
  texts: ValueTexts<Names>,
) {
  return z
    .preprocess((value) => {
      const isNumber = typeof value === 'number' || (typeof value === 'string' && /^\d$/.test(value))
      return isNumber ? (names[Number(value) - firstNumber] ?? value) : value
    }, z.enum(names))
    .openapi({ enum: [...names], ...describeValues(names, texts) })
}
