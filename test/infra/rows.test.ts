// Columns and rows derived from the tables: missing or misspelt names do not compile.
import { sql } from 'drizzle-orm'
import { bigint, boolean, PgDialect, pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { constantSql, pickColumns, type RowOf, sqlList } from '../../src/infra/rows.ts'

const things = pgTable('things', {
  id: bigint({ mode: 'number' }).primaryKey(),
  kind: text({ enum: ['BIG', 'SMALL'] }).notNull(),
  ownerId: uuid('owner_id'),
  isNew: boolean('is_new').notNull(),
  createdAt: timestamp('created_at', { withTimezone: true }).notNull(),
  endedAt: timestamp('ended_at', { withTimezone: true }),
  secret: text(),
})
const columns = pickColumns(things, ['id', 'kind', 'owner_id', 'is_new', 'created_at', 'ended_at'])
const row: RowOf<typeof columns> = {
  id: 1,
  kind: 'BIG',
  owner_id: null,
  is_new: true,
  created_at: '2026-11-22T23:19:12.123400Z',
  ended_at: null,
}

test('the type of a row matches the values that the database returns', () => {
  expectTypeOf<RowOf<typeof columns>>().toEqualTypeOf<{
    id: number
    kind: 'BIG' | 'SMALL'
    owner_id: string | null
    is_new: boolean
    created_at: string
    ended_at: string | null
  }>()
})

test('a name that the table does not have does not compile', () => {
  // @ts-expect-error: this is the name in the code, not in PostgreSQL
  pickColumns(things, ['ownerId'])
})

test('the list for SELECT has the names with the alias', () => {
  const { sql, params } = new PgDialect().sqlToQuery(columns.of('t'))
  expect([sql, params]).toEqual(['t.id, t.kind, t.owner_id, t.is_new, t.created_at, t.ended_at', []])
})

test('additional columns of a row are omitted', () => {
  expect(columns.pick({ ...row, secret: 'x', sort_value: '1' } as typeof row)).toEqual(row)
})

describe('a row from JSON', () => {
  test('has its times in the same format as every other row', () => {
    const json = { ...row, created_at: '2026-11-22T23:19:12.1234+00:00', is_manager: true }
    expect(columns.fromJson(json)).toEqual({ ...row, is_manager: true })
    expect(columns.fromJson({ ...row, ended_at: '2026-11-22T23:19:12+00:00' })).toEqual({
      ...row,
      ended_at: '2026-11-22T23:19:12.000000Z',
    })
  })

  test('keeps texts unchanged, even if they look like times', () => {
    const kinds = pickColumns(things, ['secret'])
    const json = { secret: '2026-11-22T23:19:12+00:00' }
    expect(kinds.fromJson(json)).toEqual(json)
  })

  test('does not change when its times are already converted', () => {
    expect(columns.fromJson(row)).toEqual(row)
  })
})

test('values of an enum become a list, and values that need escaping are refused', () => {
  expect(new PgDialect().sqlToQuery(sqlList(['READY', 'POWEROFF'])).sql).toBe("'READY', 'POWEROFF'")
  expect(() => sqlList(["a'b"])).toThrow(TypeError)
})

test('constant SQL is the same SQL as text, and takes no parameters', () => {
  const { sql: text, params } = new PgDialect().sqlToQuery(constantSql(sql`a IN (${sqlList(['READY'])}) AND ${sql`b`}`))
  expect([text, params]).toEqual(["a IN ('READY') AND b", []])
  expect(() => constantSql(sql`a = ${1}`)).toThrow(TypeError)
})
