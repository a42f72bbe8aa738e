// The building blocks of the schemas.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  accountReference,
  nameOrNumber,
  numericId,
  pageQuery,
  sortOf,
  text,
  uuid,
} from '../../../src/http/openapi/fields.ts'

describe('text', () => {
  test.each([
    ['a', true],
    ['abcd', true],
    ['🏭🏭🏭🏭', true],
    [' a ', true],
    ['', false],
    ['   ', false],
    ['abcde', false],
    ['🏭🏭🏭🏭🏭', false],
    ['a\0', false],
    ['\ud800', false],
    ['\udc00a', false],
    [7, false],
    [null, false],
  ])('of 1 to 4 characters accepts %j: %s', (value, isTaken) => {
    expect(text(1, 4).safeParse(value).success).toBe(isTaken)
  })

  test('that may be empty may also be blank', () => {
    for (const value of ['', ' ']) expect(text(0, 4).parse(value)).toBe(value)
  })

  test('is accepted if and only if PostgreSQL and JSON can store it and it is not too long', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('a', '🏭', '\0', '\ud83c', '한', ' ')), (characters) => {
        const value = characters.join('')
        const fits = value.isWellFormed() && !value.includes('\0') && [...value].length <= 6
        expect(text(0, 6).safeParse(value).success).toBe(fits)
      }),
    )
  })
})

describe('limit', () => {
  test.each([
    ['1', 1],
    ['500', 500],
    ['007', 7],
    [undefined, 20],
  ])('%j is %i', (limit, value) => {
    expect(pageQuery.parse({ limit }).limit).toBe(value)
  })

  test.each([
    '0',
    '501',
    '-1',
    '+1',
    '1.0',
    '1e1',
    '0x10',
    '',
    ' 1',
    '1 ',
    '１',
    'Infinity',
    '9'.repeat(20),
    ['1', '2'],
  ])('%j is invalid', (limit) => {
    expect(pageQuery.safeParse({ limit }).success).toBe(false)
  })
})

test.each([
  ['me', 'me'],
  ['1', 1],
  ['999999999999999', 999_999_999_999_999],
  ['0', undefined],
  ['01', undefined],
  ['-1', undefined],
  ['1e3', undefined],
  ['ME', undefined],
  ['9999999999999999', undefined],
])('the account reference %j is parsed as %j', (value, account) => {
  expect(accountReference.safeParse(value).data).toBe(account)
})

test.each([
  ['1', 1],
  ['9007199254740991', 9007199254740991],
  ['9007199254740992', undefined],
  ['0', undefined],
  ['01', undefined],
  ['1.0', undefined],
  ['', undefined],
])('the id %j is parsed as %j', (value, id) => {
  expect(numericId.safeParse(value).data).toBe(id)
})

test.each([
  ['A', 'A'],
  [3, 'A'],
  ['3', 'A'],
  [4, 'B'],
  [2, undefined],
  [5, undefined],
  [3.5, undefined],
  [-1, undefined],
  [Number.NaN, undefined],
  ['03', undefined],
  ['', undefined],
  ['length', undefined],
  [null, undefined],
  [true, undefined],
  [['A'], undefined],
])('with names numbered from 3, %j is %j', (value, name) => {
  expect(nameOrNumber(['A', 'B'], 3, { A: 'One.', B: 'Another.' }).safeParse(value).data).toBe(name)
})

test('a sort parameter has a description for each column and direction', () => {
  const sort = sortOf(['id', 'name'])
  expect(sort.options).toEqual(['id', '-id', 'name', '-name'])
  expect(sort.safeParse('-name').success).toBe(true)
})

test('a UUID is accepted in upper and lower case and converted to lower case', () => {
  expect(uuid.parse('0198C0DE-7C1A-7000-8000-00000000000A')).toBe('0198c0de-7c1a-7000-8000-00000000000a')
  expect(uuid.safeParse('0198c0de7c1a70008000000000000001').success).toBe(false)
})
