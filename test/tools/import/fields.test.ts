// Single values: which spellings are understood. Every other one is a fault that quotes it.
import { expect, test } from 'vitest'
import { booleanField, idField, timeField } from '../../../src/tools/import/fields.ts'

type Parsed = { data?: unknown; error?: { issues: { message: string }[] } | undefined }
const resultOf = ({ data, error }: Parsed) => data ?? error?.issues[0]?.message

test.each([
  [true, ['t', 'true', 'TRUE', 'True', 'y', 'Y', 'yes', 'on', '1', ' t ']],
  [false, ['f', 'false', 'FALSE', 'n', 'N', 'No', 'off', '0']],
])('the boolean %s is understood in the spellings of PostgreSQL', (value, texts) => {
  expect(texts.map((text) => booleanField.safeParse(text).data)).toEqual(texts.map(() => value))
})

test.each(['[v]', '✓', 'O', 'X', '예', '2', '-1', 'tr ue', 'NULL', ''])('%j is no boolean', (text) => {
  expect(resultOf(booleanField.safeParse(text))).toBe(`${text} is not a boolean: write true or false`)
})

test.each([null, undefined])('%j is a missing value', (value) => {
  for (const field of [booleanField, idField, timeField('Asia/Seoul')]) {
    expect(resultOf(field.safeParse(value))).toBe('is missing')
  }
})

test.each([
  ['7', 7],
  [' 42 ', 42],
  ['007', 7],
  ['0', 'must be 1 or more'],
  ['0x10', '0x10 is not a whole number'],
  ['1e1', '1e1 is not a whole number'],
  ['1.0', '1.0 is not a whole number'],
  ['-1', '-1 is not a whole number'],
  ['1,000', '1,000 is not a whole number'],
  ['9999999999999999', '9999999999999999 is not a whole number'],
])('the id %j', (text, expected) => {
  expect(resultOf(idField.safeParse(text))).toEqual(expected)
})

const noTime = (text: string) => `${text} is not a time with an offset`

test.each([
  ['2024-03-01 09:30:00.5+09', undefined, '2024-03-01T09:30:00.5+09:00'],
  ['2024-03-01T09:30:00.123456Z', undefined, '2024-03-01T09:30:00.123456Z'],
  ['2024-03-01 09:30:00-0330', undefined, '2024-03-01T09:30:00-03:30'],
  ['2024-03-01 09:30:00+09:00', 'America/New_York', '2024-03-01T09:30:00+09:00'],
  ['2024-03-01 09:30:00', 'Asia/Seoul', '2024-03-01T09:30:00+09:00'],
  ['2024-03-01 9:30', 'Asia/Seoul', '2024-03-01T09:30:00+09:00'],
  ['1988-07-01 09:30:00', 'Asia/Seoul', '1988-07-01T09:30:00+10:00'],
  ['2024-03-10 01:59:59', 'America/New_York', '2024-03-10T01:59:59-05:00'],
  ['2024-03-10 03:00:00.25', 'America/New_York', '2024-03-10T03:00:00.25-04:00'],
  ['2024-06-01 08:00:00', 'Asia/Kathmandu', '2024-06-01T08:00:00+05:45'],
  ['2024-06-01 08:00:00', 'UTC', '2024-06-01T08:00:00+00:00'],
  [
    '2024-06-01 08:00:00',
    undefined,
    /^2024-06-01 08:00:00 has no offset: give the time zone, .*--time-zone Asia\/Seoul$/,
  ],
  ['2024-03-10 02:30:00', 'America/New_York', /does not exist in America\/New_York/],
  ['2024-11-03 01:30:00', 'America/New_York', /happened twice in America\/New_York/],
  ['yesterday', 'Asia/Seoul', noTime('yesterday')],
  ['2024-02-30 08:00:00', 'Asia/Seoul', noTime('2024-02-30 08:00:00')],
  ['2024-06-01', 'Asia/Seoul', noTime('2024-06-01')],
  ['2024-06-01 오전 8:00', 'Asia/Seoul', noTime('2024-06-01 오전 8:00')],
  ['01/06/2024 08:00', 'Asia/Seoul', noTime('01/06/2024 08:00')],
  ['2024-06-01 08:00:00+99', undefined, noTime('2024-06-01 08:00:00+99')],
  ['infinity', undefined, noTime('infinity')],
])('the time %s in the zone %s', (text, timeZone, expected) => {
  const result = resultOf(timeField(timeZone).safeParse(text))
  if (expected instanceof RegExp) expect(result).toMatch(expected)
  else expect(result).toBe(expected)
})
