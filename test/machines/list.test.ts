// The list of machines: filters, orders, pages, and what is not a page of it.
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { encodeCursor } from '../../src/kernel/page.ts'
import { type Answer, type Person, startWorld, type World } from '../harness.ts'

let world: World
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world?.close())

type Item = { id: number; name: string; created_at: string; updated_at: string }

const list = (person: Person, query: Record<string, string | number>): Promise<Answer> =>
  person.request(
    'GET',
    `/api/machines?${new URLSearchParams(Object.entries(query).map(([key, value]) => [key, String(value)]))}`,
  )

/** Follows the pages to the end, by Link and `next_cursor` in turn; calls `between` after each page. */
async function walk(person: Person, query: Record<string, string | number>, between = async () => {}): Promise<Item[]> {
  const items: Item[] = []
  let answer = await list(person, query)
  for (let page = 1; ; page += 1) {
    expect(answer.status).toBe(200)
    expect(Object.keys(answer.body)).toEqual(['items', 'next_cursor'])
    items.push(...answer.body.items)
    if (items.length > 1_000) throw new Error('the pages do not come to an end')
    const cursor: string | null = answer.body.next_cursor
    const link = answer.headers.get('Link')
    if (cursor === null) {
      expect(link).toBeNull()
      return items
    }
    expect(answer.body.items).toHaveLength(Number(query.limit))
    const [, next = ''] = /^<([^>]+)>; rel="next"$/.exec(link ?? '') ?? []
    await between()
    answer = page % 2 === 1 ? await person.request('GET', next) : await list(person, { ...query, cursor })
  }
}

/** Rows beside the API, so that sort values can be equal to the microsecond. */
async function insertMachines(
  owner: Person,
  rows: { name?: string; location?: string; status?: string; at?: string; deleted?: boolean }[],
) {
  const whole = rows.map((row) => ({ name: 'm', location: 'l', status: 'READY', at: '2026-01-01T00:00:00Z', ...row }))
  await world.postgres.query(
    `INSERT INTO machines (name, location, status, owner_id, created_at, updated_at, deleted_at)
     SELECT name, location, status, $2, at, at, CASE WHEN deleted THEN now() END
     FROM jsonb_to_recordset($1) AS r (name text, location text, status text, at timestamptz, deleted boolean)`,
    [JSON.stringify(whole), owner.id],
  )
}

const namesOf = (answer: Answer) => answer.body.items.map(({ name }: Item) => name)

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
    await insertMachines(owner, [
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
    ['nothing like it', []],
  ])('q=%s finds what has it in the name or the place, taken literally', async (q, found) => {
    expect(namesOf(await list(owner, { owner_id: 'me', q }))).toEqual(found)
  })

  test.each(['POWEROFF', '0'])('status=%s finds the machines that are off', async (status) => {
    expect(namesOf(await list(owner, { owner_id: owner.id, status }))).toEqual(['off'])
  })

  test('filters are joined by and', async () => {
    expect(namesOf(await list(owner, { owner_id: 'me', status: 'READY', q: '100' }))).toEqual([
      '100% cotton',
      '100 percent',
    ])
    expect(namesOf(await list(owner, { owner_id: 'me', status: 'ERROR', q: '100' }))).toEqual([])
  })

  test('owner_id is an id or me; a page of nothing has no next', async () => {
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
    await insertMachines(owner, [
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

  test('updated_at moves with a change', async () => {
    const before = await walk(owner, { owner_id: 'me', limit: 100, sort: '-updated_at' })
    const last = before.at(-1)
    await owner.request('PATCH', `/api/machines/${last?.id}`, { body: { location: 'Elsewhere' } })
    const after = await walk(owner, { owner_id: 'me', limit: 100, sort: '-updated_at' })
    expect(after[0]?.id).toBe(last?.id)
  })
})

test('twenty are on a page unless asked, a hundred at most', async () => {
  const owner = await world.signUp()
  await insertMachines(owner, Array(101).fill({}))
  expect((await list(owner, { owner_id: 'me' })).body.items).toHaveLength(20)
  expect((await list(owner, { owner_id: 'me', limit: 1 })).body.items).toHaveLength(1)
  const all = await list(owner, { owner_id: 'me', limit: 100 })
  expect(all.body.items).toHaveLength(100)
  expect(all.body.next_cursor).not.toBeNull()
  expect(await walk(owner, { owner_id: 'me', limit: 100 })).toHaveLength(101)
})

test('the Link keeps the filters and the order', async () => {
  const owner = await world.signUp()
  await insertMachines(owner, [{ name: 'x&y=1' }, { name: 'x&y=2' }])
  const answer = await list(owner, { owner_id: 'me', q: 'x&y=', sort: '-name', limit: 1 })
  const [, next = ''] = /^<([^>]+)>/.exec(answer.headers.get('Link') ?? '') ?? []
  const query = Object.fromEntries(new URL(next, world.url).searchParams)
  expect(query).toEqual({ owner_id: 'me', q: 'x&y=', sort: '-name', limit: '1', cursor: answer.body.next_cursor })
  expect(namesOf(await owner.request('GET', next))).toEqual(['x&y=1'])
})

const sorts = ['id', 'name', 'created_at', 'updated_at'].flatMap((column) => [column, `-${column}`])

test('pages show every machine exactly once and in order, with equal sort values, while others are added and changed', async () => {
  const row = fc.record({
    name: fc.constantFrom('a', 'A', 'é', '사출기', 'b c', '_', '10', '9'),
    at: fc.constantFrom('2026-01-01T00:00:00Z', '2026-01-01T00:00:00.000001Z', '2026-01-01T00:00:00.1Z'),
  })
  const scenario = fc.record({
    rows: fc.array(row, { minLength: 1, maxLength: 12 }),
    limit: fc.integer({ min: 1, max: 5 }),
    sort: fc.constantFrom(...sorts),
  })
  const owner = await world.signUp()
  await fc.assert(
    fc.asyncProperty(scenario, async ({ rows, limit, sort }) => {
      await world.postgres.query('DELETE FROM machines WHERE owner_id = $1', [owner.id])
      await insertMachines(owner, rows)
      const there = await walk(owner, { owner_id: 'me', limit: 100, sort })
      expect(there).toHaveLength(rows.length)

      // Not after every page: with one on a page, the walk would never come to an end.
      let added = 0
      const addSome = async () => {
        added += 1
        if (added <= 3) await insertMachines(owner, [{ name: 'b', at: '2026-06-01T00:00:00Z' }])
      }
      const walked = await walk(owner, { owner_id: 'me', limit, sort }, addSome)
      const isOld = ({ id }: Item) => there.some((item) => item.id === id)
      expect(walked.filter(isOld)).toEqual(there)
      expect(new Set(walked.map(({ id }) => id)).size).toBe(walked.length)
    }),
    { numRuns: 16 },
  )
})

const cursorFor = (sort: string, value: string, id: string) => encodeCursor({ sort, value, id })

describe('422 that names the parameter, and never 500', () => {
  test.each<[string, Record<string, string>]>([
    ['limit', { limit: '0' }],
    ['limit', { limit: '101' }],
    ['limit', { limit: '-1' }],
    ['limit', { limit: '1.5' }],
    ['limit', { limit: '1e1' }],
    ['limit', { limit: '0x10' }],
    ['limit', { limit: '' }],
    ['limit', { limit: ' 5' }],
    ['limit', { limit: 'all' }],
    ['limit', { limit: '9'.repeat(400) }],
    ['status', { status: '5' }],
    ['status', { status: '' }],
    ['status', { status: 'ready' }],
    ['owner_id', { owner_id: '0' }],
    ['owner_id', { owner_id: '-1' }],
    ['owner_id', { owner_id: 'you' }],
    ['owner_id', { owner_id: '1e3' }],
    ['owner_id', { owner_id: '9'.repeat(30) }],
    ['q', { q: '' }],
    ['q', { q: 'x'.repeat(257) }],
    ['q', { q: 'a\0b' }],
    ['sort', { sort: 'owner_id' }],
    ['sort', { sort: '+name' }],
    ['sort', { sort: '--name' }],
    ['sort', { sort: 'name; DROP TABLE machines' }],
    ['sort', { sort: '' }],
    ['cursor', { cursor: '' }],
    ['cursor', { cursor: 'garbage' }],
    ['cursor', { cursor: '🏭' }],
    ['cursor', { cursor: 'x'.repeat(1024) }],
    ['cursor', { cursor: 'x'.repeat(5000) }],
    ['cursor', { cursor: cursorFor('id', '1', '1'), sort: 'name' }],
    ['cursor', { cursor: cursorFor('id', '1', '1'), sort: '-id' }],
    ['cursor', { cursor: cursorFor('id', 'x', '1') }],
    ['cursor', { cursor: cursorFor('id', '1', 'x') }],
    ['cursor', { cursor: cursorFor('id', '9'.repeat(20), '1') }],
    ['cursor', { cursor: cursorFor('id', '1', '9'.repeat(20)) }],
    ['cursor', { cursor: cursorFor('name', 'a\0b', '1'), sort: 'name' }],
    ['cursor', { cursor: cursorFor('name', 'x'.repeat(257), '1'), sort: 'name' }],
    ['cursor', { cursor: cursorFor('created_at', 'now', '1'), sort: 'created_at' }],
    ['cursor', { cursor: cursorFor('created_at', '2026-02-30 00:00:00+00', '1'), sort: 'created_at' }],
    ['cursor', { cursor: cursorFor('created_at', '0000-01-01 00:00:00+00', '1'), sort: 'created_at' }],
    ['cursor', { cursor: cursorFor('-updated_at', '2026-01-01 99:00:00+00', '1'), sort: '-updated_at' }],
    ['cursor', { cursor: Buffer.from('["id",1,1]').toString('base64url') }],
    ['cursor', { cursor: Buffer.from('{"sort":"id"}').toString('base64url') }],
  ])('%s in %j', async (parameter, query) => {
    const person = await somebody()
    const answer = await list(person, query)
    expect([answer.status, answer.body.code]).toEqual([422, 'validation_failed'])
    for (const error of answer.body.errors) expect(error).toEqual({ parameter, detail: expect.stringMatching(/./) })
  })

  test('a parameter that comes twice', async () => {
    for (const query of ['limit=1&limit=2', 'status=READY&status=ERROR', 'cursor=a&cursor=b', 'sort=id&sort=id']) {
      expect([query, (await (await somebody()).request('GET', `/api/machines?${query}`)).status]).toEqual([query, 422])
    }
  })

  test('a cursor that is made up well is taken: it tells nothing that the list does not', async () => {
    const answer = await list(await somebody(), { cursor: cursorFor('name', "z' OR 1=1 --", '1'), sort: 'name' })
    expect(answer.status).toBe(200)
  })

  test('unknown parameters are ignored', async () => {
    expect((await list(await somebody(), { page: 2, offset: 7 })).status).toBe(200)
  })
})

let person: Promise<Person> | undefined
function somebody(): Promise<Person> {
  person ??= world.signUp()
  return person
}
