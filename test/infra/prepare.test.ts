// Prepared statements: rendered once for each shape, with the values of each call.
import { sql } from 'drizzle-orm'
import { expect, test, vi } from 'vitest'
import { type Bindable, prepare, render } from '../../src/infra/prepare.ts'

type Values = { id: number; name?: string | null; tags: string[] }

test('a statement is built once for each shape, and every call has its own values', () => {
  const build = vi.fn()
  const statement = prepare<Values, { hasName: boolean }>((value, { hasName }) => {
    build()
    return sql`SELECT ${value.id}::bigint, ${value.tags}::text[], 'x' = ${'x'}${hasName ? sql`, ${value.name}` : sql``}`
  })
  expect(statement({ id: 1, tags: ['a'] }, { hasName: false })).toEqual({
    sql: `SELECT $1::bigint, $2::text[], 'x' = $3`,
    params: [1, ['a'], 'x'],
  })
  expect(statement({ id: 2, tags: [] }, { hasName: false }).params).toEqual([2, [], 'x'])
  expect(build).toHaveBeenCalledTimes(1)
  const named = statement({ id: 3, tags: [], name: null }, { hasName: true })
  expect(named).toEqual({ sql: `SELECT $1::bigint, $2::text[], 'x' = $3, $4`, params: [3, [], 'x', null] })
  expect(build).toHaveBeenCalledTimes(2)
})

test('the same value can be used several times, also in a fragment that takes values', () => {
  const isOwner = ({ id }: { id: unknown }) => sql`owner_id = ${id}`
  const statement = prepare<{ id: number }>((value) => sql`SELECT ${value.id} WHERE ${isOwner(value)}`)
  expect(statement({ id: 7 })).toEqual({ sql: 'SELECT $1 WHERE owner_id = $2', params: [7, 7] })
})

test('`kind` is no placeholder: each kind has a statement of its own', () => {
  type Kinds = { kind: 'one'; id: number } | { kind: 'other'; name: string }
  const fragment = (value: Bindable<Kinds>) =>
    value.kind === 'one' ? sql`id = ${value.id}` : sql`name = ${value.name}`
  const statement = prepare<Kinds>((value) => sql`SELECT ${fragment(value)}`)
  expect(statement({ kind: 'one', id: 7 })).toEqual({ sql: 'SELECT id = $1', params: [7] })
  expect(statement({ kind: 'other', name: 'x' })).toEqual({ sql: 'SELECT name = $1', params: ['x'] })
  expect(statement({ kind: 'one', id: 8 })).toEqual({ sql: 'SELECT id = $1', params: [8] })
})

test('a value that is missing is an error, not a NULL', () => {
  const statement = prepare<{ id?: number }>((value) => sql`SELECT ${value.id}`)
  expect(() => statement({})).toThrow('"id"')
})

test('a prepared statement is not rendered again', () => {
  const query = prepare<{ id: number }>((value) => sql`SELECT ${value.id}`)({ id: 1 })
  expect(render(query)).toBe(query)
  expect(render(sql`SELECT ${1}`)).toMatchObject({ sql: 'SELECT $1', params: [1] })
})
