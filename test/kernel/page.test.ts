// Cursors and pages.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { cutPage, decodeCursor, encodeCursor } from '../../src/kernel/page.ts'

const wellFormed = fc.string({ unit: 'binary' }).filter((text) => text.isWellFormed())

test('a cursor is decoded to the same value, and is safe in a URL', () => {
  fc.assert(
    fc.property(wellFormed, wellFormed, wellFormed, (sort, value, id) => {
      const text = encodeCursor({ sort, value, id })
      expect(text).toMatch(/^[\w-]+$/)
      expect(decodeCursor(text, sort)).toEqual({ sort, value, id })
    }),
  )
})

test('a cursor of another order is invalid', () => {
  const text = encodeCursor({ sort: 'name', value: 'A', id: '1' })
  expect(decodeCursor(text, '-name')).toBeUndefined()
  expect(decodeCursor(text, 'id')).toBeUndefined()
})

test('decoding never throws, whatever the text', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.base64String(), fc.json()), (text) => {
      expect(decodeCursor(text, 'id')).toBeUndefined()
    }),
  )
})

const asCursor = (json: string) => Buffer.from(json).toString('base64url')

test.each([
  ['no array', '{"0":"id","1":"1","2":"1","length":3}'],
  ['null', 'null'],
  ['too few parts', '["id","1"]'],
  ['too many parts', '["id","1","1","1"]'],
  ['a number as the value', '["id",1,"1"]'],
  ['a number as the id', '["id","1",1]'],
  ['an object as the value', '["id",{"toString":"1"},"1"]'],
  ['cut off', '["id","1","1'],
])('a cursor with %s is invalid', (_, json) => {
  expect(decodeCursor(asCursor(json), 'id')).toBeUndefined()
})

test('a cursor that is not UTF-8 is invalid', () => {
  const bytes = Buffer.concat([Buffer.from('["id","'), Buffer.from([0xff, 0xfe]), Buffer.from('","1"]')])
  expect(decodeCursor(bytes.toString('base64url'), 'id')).toBeUndefined()
})

const toCursor = (row: number) => ({ sort: 'id', value: String(row), id: String(row) })

test.each([
  { rows: [], limit: 2, items: [], next: undefined },
  { rows: [1], limit: 2, items: ['1'], next: undefined },
  { rows: [1, 2], limit: 2, items: ['1', '2'], next: undefined },
  { rows: [1, 2, 3], limit: 2, items: ['1', '2'], next: 2 },
])('with the rows $rows, a page of $limit shows $items and continues after $next', ({ rows, limit, items, next }) => {
  const page = cutPage(rows, limit, String, toCursor)
  expect(page.items).toEqual(items)
  expect(page.next_cursor).toBe(next === undefined ? null : encodeCursor(toCursor(next)))
})
