// Cursors at the door: whatever a client makes up is refused before PostgreSQL sees it.
import { describe, expect, test } from 'vitest'
import { readCursor } from '../../../src/http/pagination/page.ts'
import { TiebarError } from '../../../src/kernel/error.ts'
import { encodeCursor } from '../../../src/kernel/page.ts'

const uuid = '0198c0de-7c1a-7000-8000-000000000001'

describe('a cursor that a page of ours gave', () => {
  test.each([
    ['id', '42', '42'],
    ['name', '사출기 1호', '42'],
    ['name', "Robert'); DROP TABLE machines;--", '42'],
    ['name', '%_\\', '42'],
    ['created_at', '2026-11-22 23:19:12.123456+00', '42'],
    ['updated_at', '2024-02-29 00:00:00+00', '42'],
    ['date_joined', '2026-11-22 23:19:12.1+00', '42'],
    ['requested_at', '2026-11-22 23:19:12.123456+00', uuid],
  ])('for %s with %s is read', (column, value, id) => {
    for (const sort of [column, `-${column}`]) {
      expect(readCursor(encodeCursor({ sort, value, id }), sort, column)).toEqual({ sort, value, id })
    }
  })

  test('may be absent', () => {
    expect(readCursor(undefined, 'id', 'id')).toBeUndefined()
  })
})

describe('a cursor that somebody made up', () => {
  test.each([
    ['id', 'x', '1'],
    ['id', '1e3', '1'],
    ['id', '-1', '1'],
    ['id', '', '1'],
    ['id', '1'.repeat(16), '1'],
    ['id', '1', 'x'],
    ['id', '1', '1; DROP TABLE machines'],
    ['id', '1', '1'.repeat(16)],
    ['id', '１', '1'],
    ['name', 'a\0b', '1'],
    ['name', '\ud800', '1'],
    ['name', '', '1'],
    ['name', 'x'.repeat(300), '1'],
    ['name', 'x', uuid],
    ['created_at', '2026-11-22T23:19:12Z', '1'],
    ['created_at', '2026-02-30 00:00:00+00', '1'],
    ['created_at', '2026-11-22 25:00:00+00', '1'],
    ['created_at', '0000-01-01 00:00:00+00', '1'],
    ['created_at', '2026-11-22 23:19:12+09', '1'],
    ['created_at', 'now', '1'],
    ['updated_at', 'infinity', '1'],
    ['requested_at', '2026-11-22 23:19:12+00', '1'],
    ['requested_at', '2026-11-22 23:19:12+00', 'not-a-uuid'],
    ['owner_id', '1', '1'],
  ])('for %s with %j and the id %j is refused', (column, value, id) => {
    const read = () => readCursor(encodeCursor({ sort: column, value, id }), column, column)
    expect(read).toThrow(TiebarError)
    expect(read).toThrow(
      expect.objectContaining({
        code: 'validation_failed',
        extensions: { errors: [expect.objectContaining({ parameter: 'cursor' })] },
      }),
    )
  })

  test('for another order is refused', () => {
    const cursor = encodeCursor({ sort: 'id', value: '1', id: '1' })
    expect(() => readCursor(cursor, '-id', 'id')).toThrow(TiebarError)
  })
})
