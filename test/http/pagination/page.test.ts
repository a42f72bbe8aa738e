// Sorted lists: every order that can be defined works on every page, and an invalid cursor is refused before it reaches
// PostgreSQL.
import { type SQL, sql } from 'drizzle-orm'
import { bigint, boolean, integer, PgDialect, pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core'
import { describe, expect, test } from 'vitest'
import { readPage, toPage } from '../../../src/http/pagination/page.ts'
import { defineSorts } from '../../../src/http/pagination/store.ts'
import { pickColumns } from '../../../src/infra/rows.ts'
import { TiebarError } from '../../../src/kernel/error.ts'
import { decodeCursor, encodeCursor, maxCursorLength } from '../../../src/kernel/page.ts'

const numbered = pgTable('numbered', {
  id: bigint({ mode: 'number' }).primaryKey(),
  name: text().notNull(),
  weight: integer().notNull(),
  createdAt: timestamp('created_at', { withTimezone: true }).notNull(),
  token: uuid().notNull(),
  note: text(),
  isNew: boolean('is_new').notNull(),
  localTime: timestamp('local_time').notNull(),
})
const columns = pickColumns(numbered, ['id', 'name', 'weight', 'created_at', 'token', 'note', 'is_new', 'local_time'])
const sorts = defineSorts(columns, ['id', 'name', 'weight', 'created_at', 'token'], 'id')

const named = pgTable('named', { id: uuid().primaryKey(), at: timestamp({ withTimezone: true }).notNull() })
const namedSorts = defineSorts(pickColumns(named, ['id', 'at']), ['at'], 'id')

const someUuid = '0198c0de-7c1a-7000-8000-000000000001'
const toText = (part: SQL) => new PgDialect().sqlToQuery(part)

describe('a definition', () => {
  test('allows each column in both directions', () => {
    expect(namedSorts.orders).toEqual(['at', '-at'])
    expect(sorts.orders).toHaveLength(10)
  })

  test('does not compile for a column that is nullable, not sortable or not selected', () => {
    // @ts-expect-error: a page cannot continue after a null
    defineSorts(columns, ['note'], 'id')
    // @ts-expect-error: it is not selected
    defineSorts(pickColumns(numbered, ['id', 'name']), ['weight'], 'id')
    // @ts-expect-error: a boolean has no type of cursor
    expect(() => defineSorts(columns, ['is_new'], 'id')).toThrow(TypeError)
  })

  test('throws for a time without a zone', () => {
    expect(() => defineSorts(columns, ['local_time'], 'id')).toThrow(TypeError)
  })
})

describe('a page as parts of a statement', () => {
  const cursor = { sort: '-created_at', value: '2026-11-22 23:19:12.1+00', id: '42' }

  test.each([
    ['created_at', '>', 'ASC'],
    ['-created_at', '<', 'DESC'],
  ] as const)('in the order %s', (order, beyond, direction) => {
    const page = sorts.page(order, 20, cursor)
    expect(toText(page.rowLimit).sql).toBe('21')
    expect(toText(page.sortValue('n')).sql).toBe('n.created_at::text AS sort_value')
    expect(toText(page.orderBy('n')).sql).toBe(`n.created_at ${direction}, n.id ${direction}`)
    expect(toText(sql.join(page.conditions('n')))).toMatchObject({
      sql: `(n.created_at, n.id) ${beyond} ($1::timestamp with time zone, $2::bigint)`,
      params: [cursor.value, cursor.id],
    })
  })

  test('the first page has no condition', () => {
    expect(sorts.page('name', 20).conditions('n')).toEqual([])
  })

  test('the type of the id is that of its column', () => {
    const [condition = sql``] = namedSorts.page('-at', 20, { ...cursor, id: someUuid }).conditions('n')
    expect(toText(condition).sql).toContain('$2::uuid')
  })
})

test('the cursor of a page contains the sort value and the id of its last row', () => {
  const rows = [1, 2, 3].map((id) => ({ id, sort_value: `name ${id}` }))
  const page = toPage(sorts.page('-name', 2), rows, ({ id }) => id)
  expect(page.items).toEqual([1, 2])
  expect(decodeCursor(page.next_cursor ?? '', '-name')).toEqual({ sort: '-name', value: 'name 2', id: '2' })
})

test('any sort value of 256 characters fits into a cursor', () => {
  for (const char of ['x', '사', '🏭', '\u0001']) {
    const cursor = { sort: '-created_at', value: char.repeat(256), id: someUuid }
    expect(encodeCursor(cursor).length).toBeLessThanOrEqual(maxCursorLength)
  }
})

describe('a cursor from a page', () => {
  test.each([
    ['id', '42', '42'],
    ['name', '사출기 1호', '42'],
    ['name', "Robert'); DROP TABLE machines;--", '42'],
    ['name', '%_\\', '42'],
    ['name', '', '42'],
    ['name', '🏭'.repeat(256), '42'],
    ['created_at', '2026-11-22 23:19:12.123456+00', '42'],
    ['created_at', '2024-02-29 00:00:00+00', '42'],
    ['created_at', '2026-11-22 23:19:12.1+00', '42'],
    ['weight', '-2147483648', '42'],
    ['token', someUuid, '42'],
  ] as const)('for %s with %s is read', (name, value, id) => {
    for (const sort of [name, `-${name}`] as const) {
      const cursor = { sort, value, id }
      expect(sorts.accepts(sort, cursor)).toBe(true)
      const page = readPage(sorts, { sort, limit: 5, cursor: encodeCursor(cursor) })
      expect(page).toMatchObject({ order: sort, limit: 5 })
      expect(page.conditions('n').map(toText)).toMatchObject([{ params: [value, id] }])
    }
  })

  test('for rows with a UUID is accepted', () => {
    const cursor = encodeCursor({ sort: '-at', value: '2026-11-22 23:19:12.123456+00', id: someUuid })
    expect(readPage(namedSorts, { sort: '-at', limit: 5, cursor }).conditions('n')).toHaveLength(1)
  })

  test('may be absent', () => {
    expect(readPage(sorts, { sort: 'id', limit: 5 }).conditions('n')).toEqual([])
  })
})

function expectRefusal(read: () => unknown): void {
  expect(read).toThrow(TiebarError)
  expect(read).toThrow(
    expect.objectContaining({
      code: 'validation_failed',
      extensions: { errors: [expect.objectContaining({ parameter: 'cursor' })] },
    }),
  )
}

describe('an invalid cursor', () => {
  test.each([
    ['id', 'x', '1'],
    ['id', '1e3', '1'],
    ['id', '--1', '1'],
    ['id', '', '1'],
    ['id', '1'.repeat(16), '1'],
    ['id', '1', 'x'],
    ['id', '1', ''],
    ['id', '1', '1; DROP TABLE machines'],
    ['id', '1', '1'.repeat(16)],
    ['id', '１', '1'],
    ['weight', '2147483648', '1'],
    ['weight', '-2147483649', '1'],
    ['name', 'a\0b', '1'],
    ['name', '\ud800', '1'],
    ['name', 'x'.repeat(257), '1'],
    ['name', 'x', someUuid],
    ['created_at', '2026-11-22T23:19:12Z', '1'],
    ['created_at', '2026-02-30 00:00:00+00', '1'],
    ['created_at', '2026-11-22 25:00:00+00', '1'],
    ['created_at', '0000-01-01 00:00:00+00', '1'],
    ['created_at', '2026-11-22 23:19:12+09', '1'],
    ['created_at', 'now', '1'],
    ['created_at', 'infinity', '1'],
    ['token', 'not-a-uuid', '1'],
  ] as const)('for %s with %j and the id %j is refused', (sort, value, id) => {
    const cursor = encodeCursor({ sort, value, id })
    expectRefusal(() => readPage(sorts, { sort, limit: 5, cursor }))
  })

  test.each([
    ['2026-11-22 23:19:12+00', '1'],
    ['2026-11-22 23:19:12+00', 'not-a-uuid'],
    ['1', someUuid],
  ])('for rows with a UUID: %j and %j are refused', (value, id) => {
    const cursor = encodeCursor({ sort: '-at', value, id })
    expectRefusal(() => readPage(namedSorts, { sort: '-at', limit: 5, cursor }))
  })

  test('for another order is refused', () => {
    const cursor = encodeCursor({ sort: 'id', value: '1', id: '1' })
    expectRefusal(() => readPage(sorts, { sort: '-id', limit: 5, cursor }))
  })
})
