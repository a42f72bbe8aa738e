// The machine list: filters, orders, pages.
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { machineSorts } from '../../src/machines/sql/read.ts'
import type { Person, World } from '../harness.ts'
import { useWorld } from '../shared-world.ts'
import { type Item, insertMachines, list, namesOf, walk } from './listing.ts'

let world: World
beforeAll(async () => {
  world = await useWorld()
})

describe('filters', () => {
  let owner: Person
  const names = [
    '100% cotton',
    '100 percent',
    'under_score',
    'underXscore',
    'back\\slash',
    'UPPER case',
    '사출기 1호',
    "quote's",
  ]
  beforeAll(async () => {
    owner = await world.signUp()
    await insertMachines(world, owner, [
      ...names.map((name) => ({ name, location: 'Hall 1' })),
      { name: 'off', location: 'Hall 2 (100%)', status: 'POWEROFF' },
      { name: 'gone', location: 'Hall 2', deleted: true },
    ])
  })

  test.each([
    ['100%', ['100% cotton', 'off']],
    ['%', ['100% cotton', 'off']],
    ['_', ['under_score']],
    ['r_s', ['under_score']],
    ['\\', ['back\\slash']],
    ['k\\s', ['back\\slash']],
    ['upper CASE', ['UPPER case']],
    ['사출기', ['사출기 1호']],
    ["e's", ["quote's"]],
    ['hall 2', ['off']],
    ['no such text', []],
  ])('q=%s finds machines with this text in the name or the location, literally', async (q, found) => {
    expect(namesOf(await list(owner, { owner_id: 'me', q }))).toEqual(found)
  })

  test.each(['POWEROFF', '0'])('status=%s finds the machines that are off', async (status) => {
    expect(namesOf(await list(owner, { owner_id: owner.id, status }))).toEqual(['off'])
  })

  test('filters are combined with AND', async () => {
    expect(namesOf(await list(owner, { owner_id: 'me', status: 'READY', q: '100' }))).toEqual([
      '100% cotton',
      '100 percent',
    ])
    expect(namesOf(await list(owner, { owner_id: 'me', status: 'ERROR', q: '100' }))).toEqual([])
  })

  test('owner_id is an id or me; an empty page has no next', async () => {
    const other = await world.signUp()
    expect(namesOf(await list(other, { owner_id: owner.id }))).toHaveLength(names.length + 1)
    for (const answer of [await list(other, { owner_id: 'me' }), await list(other, { owner_id: '999999999999999' })]) {
      expect(answer.body).toEqual({ items: [], next_cursor: null })
    }
  })
})

describe('orders', () => {
  let owner: Person
  beforeAll(async () => {
    owner = await world.signUp()
    await insertMachines(world, owner, [
      { name: 'b', at: '2026-01-03T00:00:00.000002Z' },
      { name: 'a', at: '2026-01-03T00:00:00.000001Z' },
      { name: 'a', at: '2026-01-01T00:00:00Z' },
      { name: 'c', at: '2026-01-02T00:00:00Z' },
    ])
  })

  test.each<[string | undefined, string]>([
    [undefined, 'baac'],
    ['id', 'baac'],
    ['-id', 'caab'],
    ['name', 'aabc'],
    ['-name', 'cbaa'],
    ['created_at', 'acab'],
    ['-created_at', 'baca'],
    ['updated_at', 'acab'],
    ['-updated_at', 'baca'],
  ])('sort=%s', async (sort, order) => {
    for (const limit of [1, 2, 3, 100]) {
      const items = await walk(owner, { owner_id: 'me', limit, ...(sort && { sort }) })
      expect(items.map(({ name }) => name).join('')).toBe(order)
    }
  })

  test('a change updates updated_at', async () => {
    const before = await walk(owner, { owner_id: 'me', limit: 100, sort: '-updated_at' })
    const last = before.at(-1)
    await owner.request('PATCH', `/api/machines/${last?.id}`, { body: { location: 'Elsewhere' } })
    const after = await walk(owner, { owner_id: 'me', limit: 100, sort: '-updated_at' })
    expect(after[0]?.id).toBe(last?.id)
  })
})

test.each(machineSorts.names)(
  'sorting by %s has an index on the column and the id of machines that are not deleted',
  async (column) => {
    const rows = await world.postgres.query(`SELECT indexdef FROM pg_indexes WHERE tablename = 'machines'`)
    const order = column === 'id' ? 'id' : `${column}, id`
    const expected = `(num_nulls(site_id), ${order}) WHERE (deleted_at IS NULL)`
    expect(rows.map(({ indexdef }) => indexdef)).toContainEqual(expect.stringContaining(expected))
  },
)

test('a page has 20 machines by default and 500 at most', async () => {
  const owner = await world.signUp()
  await insertMachines(world, owner, Array(501).fill({}))
  expect((await list(owner, { owner_id: 'me' })).body.items).toHaveLength(20)
  expect((await list(owner, { owner_id: 'me', limit: 1 })).body.items).toHaveLength(1)
  const all = await list(owner, { owner_id: 'me', limit: 500 })
  expect(all.body.items).toHaveLength(500)
  expect(all.body.next_cursor).not.toBeNull()
  expect(await walk(owner, { owner_id: 'me', limit: 500 })).toHaveLength(501)
})

test('the Link header keeps the filters and the order', async () => {
  const owner = await world.signUp()
  await insertMachines(world, owner, [{ name: 'x&y=1' }, { name: 'x&y=2' }])
  const answer = await list(owner, { owner_id: 'me', q: 'x&y=', sort: '-name', limit: 1 })
  const [, next = ''] = /^<([^>]+)>/.exec(answer.headers.get('Link') ?? '') ?? []
  const query = Object.fromEntries(new URL(next, world.url).searchParams)
  expect(query).toEqual({ owner_id: 'me', q: 'x&y=', sort: '-name', limit: '1', cursor: answer.body.next_cursor })
  expect(namesOf(await owner.request('GET', next))).toEqual(['x&y=1'])
})

test('the pages show every machine exactly once and in order, with equal sort values and concurrent changes', async () => {
  const row = fc.record({
    name: fc.constantFrom('a', 'A', 'é', '사출기', 'b c', '_', '10', '9'),
    at: fc.constantFrom('2026-01-01T00:00:00Z', '2026-01-01T00:00:00.000001Z', '2026-01-01T00:00:00.1Z'),
  })
  const scenario = fc.record({
    rows: fc.array(row, { minLength: 1, maxLength: 12 }),
    limit: fc.integer({ min: 1, max: 5 }),
    sort: fc.constantFrom(...machineSorts.orders),
  })
  const owner = await world.signUp()
  await fc.assert(
    fc.asyncProperty(scenario, async ({ rows, limit, sort }) => {
      await world.postgres.query('UPDATE machines SET deleted_at = now() WHERE owner_id = $1', [owner.id])
      await insertMachines(world, owner, rows)
      const there = await walk(owner, { owner_id: 'me', limit: 100, sort })
      expect(there).toHaveLength(rows.length)

      // Not after every page: with pages of one machine the walk would never end.
      let added = 0
      const addSome = async () => {
        added += 1
        if (added <= 3) await insertMachines(world, owner, [{ name: 'b', at: '2026-06-01T00:00:00Z' }])
      }
      const walked = await walk(owner, { owner_id: 'me', limit, sort }, addSome)
      const isOld = ({ id }: Item) => there.some((item) => item.id === id)
      expect(walked.filter(isOld)).toEqual(there)
      expect(new Set(walked.map(({ id }) => id)).size).toBe(walked.length)
    }),
    { numRuns: 16 },
  )
})
