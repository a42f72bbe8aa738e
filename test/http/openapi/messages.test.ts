// The messages for invalid input: plain words for every error that our schemas can report.
import { z } from '@hono/zod-openapi'
import { describe, expect, test } from 'vitest'
import '../../../src/http/openapi/messages.ts'
import * as accounts from '../../../src/accounts/schema.ts'
import { nameOrNumber, pageQuery, text } from '../../../src/http/openapi/fields.ts'
import * as jobs from '../../../src/jobs/schema.ts'
import { maxCursorLength } from '../../../src/kernel/page.ts'
import * as machines from '../../../src/machines/schema.ts'

const messagesOf = (schema: z.ZodType, value: unknown) =>
  schema.safeParse(value).error?.issues.map(({ message }) => message)

const letter = nameOrNumber(['A', 'B'], 1, { A: 'One.', B: 'Another.' })
const flag = accounts.accountQuery.shape.is_staff
const count = jobs.operationBody.out.shape.expires_in

test.each<[string, z.ZodType, unknown, string[]]>([
  ['a text that is missing', text(1, 4), undefined, ['is required']],
  ['a name that is missing', letter, undefined, ['is required']],
  ['a body that is null', machines.machinePatchBody, null, ['must be a JSON object']],
  ['a body that is a list', jobs.cancelBody, [], ['must be a JSON object']],
  ['a number for a text', text(1, 4), 7, ['must be a string']],
  ['a text that is too long', text(1, 4), 'abcde', ['must have 1 to 4 characters']],
  ['a text that is blank', text(1, 4), ' ', ['must not be blank']],
  ['a text with NUL', text(1, 4), 'a\0', ['must not contain NUL or lone surrogates']],
  ['an unknown name', letter, 'C', ['must be one of A, B']],
  ['null for a name', letter, null, ['must be one of A, B']],
  ['a flag in a query', flag, 'yes', ['must be one of true, false']],
  ['a text for a flag', accounts.rightsBody.out.shape.is_staff, 'yes', ['must be true or false']],
  ['a text for a number', count, '60', ['must be a whole number']],
  ['null for a number', count, null, ['must be a whole number']],
  ['a fraction', count, 1.5, ['must be a whole number']],
  ['a number that is too small', count, 0, ['must be 1 or more']],
  ['a number that is too large', count, 901, ['must be 900 or less']],
  ['a limit that is not a number', pageQuery.shape.limit, 'x', ['must be a whole number']],
  ['a limit that is too large', pageQuery.shape.limit, '501', ['must be 1 to 500']],
  ['a cursor that is empty', pageQuery.shape.cursor, '', ['must not be empty']],
  [
    'a cursor that is too long',
    pageQuery.shape.cursor,
    'x'.repeat(maxCursorLength + 1),
    [`must have at most ${maxCursorLength} characters`],
  ],
  ['an e-mail address', accounts.accountPatchBody.out.shape.email, 'kim', ['must be an e-mail address']],
  ['whose', machines.machineQuery.shape.owner_id, 'kim', ["must be an account's id, or me"]],
])('the message for %s', (_what, schema, value, messages) => {
  expect(messagesOf(schema, value)).toEqual(messages)
})

/** Every schema that reads what a client sends, and its members. */
const inputs = Object.entries({ ...accounts, ...machines, ...jobs }).flatMap(([name, exported]) => {
  if (!(exported instanceof z.ZodType) || !/(Body|Query)$/.test(name)) return []
  const object: unknown = exported instanceof z.ZodPipe ? exported.out : exported
  return object instanceof z.ZodObject ? [[name, exported, Object.keys(object.shape)] as const] : []
})
const values = [undefined, null, 7, 1.5, -1, 1e300, 2 ** 53, '', ' ', 'x', 'x'.repeat(5_000), true, {}, 'a\0', '\ud800']

describe('a message', () => {
  test('is tested in every schema of a body or a query', () => {
    expect(inputs.length).toBeGreaterThanOrEqual(13)
  })

  test.each(inputs)('of %s continues the name of the member as a sentence', (_name, schema, members) => {
    for (const value of values) {
      const body = Object.fromEntries(members.map((member) => [member, value]))
      for (const message of messagesOf(schema, body) ?? []) {
        expect(message).toMatch(/^(is|must|may) [^A-Z]*[^.]*$/)
        expect(message).not.toMatch(/expected|received|Invalid|undefined|NaN/)
      }
    }
  })
})
