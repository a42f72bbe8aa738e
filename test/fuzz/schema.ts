// Generates values from a JSON Schema of the document: valid ones, and certainly invalid ones.
import fc from 'fast-check'
import { document } from '../contract/openapi-assertion.ts'

export type Schema = {
  $ref?: string
  anyOf?: Schema[]
  allOf?: Schema[]
  items?: Schema
  minItems?: number
  maxItems?: number
  type?: string | string[]
  enum?: readonly unknown[]
  properties?: Record<string, Schema>
  required?: string[]
  additionalProperties?: boolean
  minLength?: number
  maxLength?: number
  minimum?: number
  maximum?: number
  pattern?: string
  format?: string
  readOnly?: boolean
}

/**
 * Follows references into the components, also those in `allOf`, and makes one enum of several. A schema without a type
 * permits every value.
 * @throws TypeError for an unknown reference
 */
function resolve(schema: Schema): Schema {
  if (schema.anyOf) {
    const parts = schema.anyOf.map(resolve)
    return { type: parts.flatMap(({ type = [] }) => type), enum: parts.flatMap((part) => part.enum ?? []) }
  }
  if (schema.allOf) return Object.assign({}, ...schema.allOf.map(resolve))
  if (schema.$ref === undefined) return schema
  const found = document.components.schemas[schema.$ref.replace(/^.*\//, '')]
  if (!found) throw new TypeError(`nothing is at ${schema.$ref}`)
  return resolve(found)
}

/** Letters and characters that often cause errors: quotes, escapes, wildcards, text direction, surrogate pairs. */
const character = fc.oneof(
  { weight: 8, arbitrary: fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 1 }) },
  { weight: 4, arbitrary: fc.constantFrom(...'사출기éß🏭𝔘ﬁ１Ω') },
  { weight: 2, arbitrary: fc.constantFrom(...'\'"`\\%_$;<>{}\n\t\u202e\u200b\u2028\ufeff\u0301\u0001\u007f') },
)

/** A value that is valid by the schema. */
export function fitting(reference: Schema): fc.Arbitrary<unknown> {
  const schema = resolve(reference)
  if (schema.type === undefined) return fc.jsonValue()
  const types = [schema.type].flat()
  return fc.oneof(...types.map((type) => fittingType(schema, type)))
}

function fittingType(schema: Schema, type: string): fc.Arbitrary<unknown> {
  if (type === 'null') return fc.constant(null)
  if (schema.enum) return fc.constantFrom(...schema.enum)
  if (type === 'boolean') return fc.boolean()
  if (type === 'integer') return integers(schema)
  if (type === 'string') return texts(schema)
  if (type === 'array') {
    const { items = {}, minItems: minLength = 0, maxItems: maxLength = 10 } = schema
    return fc.uniqueArray(fitting(items), { minLength, maxLength })
  }
  if (type !== 'object') throw new TypeError(`the fuzzer knows no values of the type ${type}`)
  const members = Object.entries(schema.properties ?? {}).map(([name, member]) => [name, fitting(member)] as const)
  return fc.record(Object.fromEntries(members), { requiredKeys: schema.required ?? [] })
}

function integers({ minimum: min = -(2 ** 31), maximum: max = 2 ** 31 }: Schema): fc.Arbitrary<number> {
  return fc.oneof(fc.integer({ min, max }), fc.constantFrom(min, max))
}

/** E-mail addresses that are always accepted; RFC 5322 allows many more. */
const plainEmail = fc.tuple(fc.uuid(), fc.domain()).map(([name, domain]) => `${name}@${domain}`)

function texts({ format, pattern, minLength = 0, maxLength = 64 }: Schema): fc.Arbitrary<string> {
  if (format === 'uuid') return fc.uuid()
  if (format === 'idn-email')
    return fc.oneof({ weight: 4, arbitrary: plainEmail }, { weight: 1, arbitrary: fc.emailAddress() })
  if (format === 'date-time') return fc.date({ noInvalidDate: true }).map((date) => date.toISOString())
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern.replace('\\p{L}\\p{N}', 'a-zA-Z0-9'), 'u'))
  const short = fc.string({ unit: character, minLength, maxLength: Math.min(maxLength, minLength + 24) })
  const extreme = fc.tuple(fc.constantFrom(minLength, maxLength), fc.constantFrom('x', '🏭', '기'))
  return fc.oneof(
    { weight: 6, arbitrary: short },
    { weight: 1, arbitrary: extreme.map(([length, unit]) => unit.repeat(length)) },
  )
}

/**
 * Objects with one member that is invalid, missing or unknown. Numbers are skipped where a name may be given as a number.
 * The values of read-only members are not checked.
 */
export function unfit(reference: Schema): fc.Arbitrary<unknown> {
  const schema = resolve(reference)
  const changes = Object.entries(schema.properties ?? {})
    .filter(([, { readOnly = false }]) => !readOnly)
    .map(([name, member]) => [name, resolve(member)] as const)
    .filter(([, { type }]) => type !== undefined)
    .map(([name, member]) => fc.tuple(fc.constant(name), unfitMember(member)))
  if (schema.additionalProperties === false) changes.push(unknownMember)
  const whole = fc.constantFrom<unknown>(null, [], [{}], 'text', 7, true)
  if (changes.length === 0) return whole
  const withBadMember = fc.tuple(fitting(schema), fc.oneof(...changes)).map(([value, [name, bad]]) => {
    const members = { ...(value as object), [name]: bad } // only objects have properties
    return members
  })
  const required = schema.required ?? []
  if (required.length === 0) return fc.oneof({ weight: 6, arbitrary: withBadMember }, { weight: 1, arbitrary: whole })
  const without = fc
    .tuple(fitting(schema), fc.constantFrom(...required))
    .map(([value, missing]) => Object.fromEntries(Object.entries(value as object).filter(([name]) => name !== missing)))
  return fc.oneof({ weight: 6, arbitrary: withBadMember }, { weight: 2, arbitrary: without }, whole)
}

const unknownMember = fc.tuple(fc.constantFrom('nonsense', 'Name', 'password_hash', '__proto__', ''), fc.jsonValue())

function unfitMember(schema: Schema): fc.Arbitrary<unknown> {
  const types = [schema.type].flat()
  const bad: unknown[] = [{}, { toString: 'x' }]
  // What is in an array may be checked separately: an invalid report of a site is answered with its own problem.
  if (!types.includes('array')) bad.push([], ['x'])
  else if ((schema.minItems ?? 0) > 0) bad.push([])
  const fitBooleans = types.includes('boolean') ? (schema.enum ?? [true, false]) : []
  bad.push(...[true, false].filter((value) => !fitBooleans.includes(value)))
  if (!types.includes('null')) bad.push(null)
  if (types.includes('string')) bad.push('nul\0', '\ud800', '\udc00x')
  else bad.push('', 'x', '1', 'true')
  if (types.includes('string') && (schema.minLength ?? 0) > 0) bad.push('', ' ', '\u2003')
  if (schema.maxLength !== undefined) bad.push('x'.repeat(schema.maxLength + 1), '🏭'.repeat(schema.maxLength + 1))
  if (schema.enum) bad.push('length', '__proto__', `${schema.enum[0]}x`, -1, 99, 1.5)
  if (types.includes('integer')) bad.push(1.5, 1e308, -1e308, 5e-324, 2 ** 53, (schema.minimum ?? 0) - 1)
  if (schema.maximum !== undefined) bad.push(schema.maximum + 1)
  return fc.constantFrom(...bad)
}
