// Building blocks of every schema: text that PostgreSQL and JSON both can hold, ids, pages.
import { z } from '@hono/zod-openapi'
import { defaultPageSize, largestPageSize, longestCursor } from '../../kernel/page.ts'

/**
 * A text of `min` to `max` characters (code points, as JSON Schema counts), not blank where `min` is above 0.
 * NUL and lone surrogates are refused: PostgreSQL's text cannot hold them (and JSON.parse lets both in).
 */
export function text(min: number, max: number) {
  return z
    .string()
    .refine((value) => value.isWellFormed() && !value.includes('\0'), 'must not contain NUL or lone surrogates')
    .refine((value) => {
      const length = [...value.slice(0, 2 * max + 2)].length
      return length >= min && length <= max
    }, `must have ${min} to ${max} characters`)
    .refine((value) => min === 0 || value.trim() !== '', 'must not be blank')
    .openapi({ minLength: min, maxLength: max })
}

/** An identity of ours in a path. What is not one names nothing, so it is answered as 404 by `pathIds`. */
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

/** A number in a query, as digits and nothing else: `Number` would read `0x10`, `1e1` and the empty text as well. */
function wholeNumber(min: number, max: number) {
  return z
    .string()
    .regex(/^\d{1,15}$/, 'must be a whole number')
    .transform(Number)
    .refine((value) => value >= min && value <= max, `must be ${min} to ${max}`)
}

/** Whose, in a filter: an account's id, or `me`. */
export const accountReference = z
  .string()
  .regex(/^(me|[1-9]\d{0,14})$/, "must be an account's id, or me")
  .transform((value) => (value === 'me' ? value : Number(value)))
  .openapi({ type: 'string', pattern: '^(me|[1-9][0-9]{0,14})$', description: 'The id of an account, or `me`' })

export const pageQuery = z.object({
  limit: wholeNumber(1, largestPageSize)
    .default(defaultPageSize)
    .openapi({ type: 'integer', minimum: 1, maximum: largestPageSize, default: defaultPageSize }),
  cursor: z.string().min(1).max(longestCursor).optional().openapi({ description: '`next_cursor` of the page before' }),
})

/** A sentence on each value of a closed list; the compiler asks for one when a value is added. */
export type ValueTexts<Names extends readonly PropertyKey[]> = Record<Names[number], string>

/** What the document says of a closed list: as text for people, and value by value for programs. */
function describeValues<Names extends readonly (string | number)[]>(names: Names, texts: ValueTexts<Names>) {
  const sentences = names.map((name: Names[number]) => texts[name])
  const description = names.map((name, index) => `- \`${name}\`: ${sentences[index]}`).join('\n')
  return { description, 'x-enum-descriptions': sentences }
}

/** One of a closed list of names. */
export function enumOf<const Names extends readonly string[]>(names: Names, texts: ValueTexts<Names>) {
  return z.enum(names).openapi(describeValues(names, texts))
}

/** The order of a list: a column, or with `-` in front the same in descending order. */
export function sortOf<const Columns extends readonly string[]>(columns: Columns) {
  const names = columns.flatMap((column: Columns[number]) => [column, `-${column}`] as const)
  const texts = columns.flatMap((column) => [
    [column, `By ${column}, ascending.`],
    [`-${column}`, `By ${column}, descending.`],
  ])
  return enumOf(names, Object.fromEntries(texts) as ValueTexts<typeof names>) // of the very same names
}

/** Accepts the old system's number for a name, or the name itself; the schema of the document shows the names. */
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
