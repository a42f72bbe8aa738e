// Forged values that clients send back to the API: cursors, entity tags, idempotency keys.
import { beforeAll, describe, expect, test } from 'vitest'
import type { Person, TestMachine, World } from '../harness.ts'
import { useWorld } from '../shared-world.ts'

let world: World
let person: Person
let machine: TestMachine
beforeAll(async () => {
  world = await useWorld()
  person = await world.signUp()
  machine = await world.createMachine(person)
  await world.createMachine(person)
})

const encode = (parts: unknown) => Buffer.from(JSON.stringify(parts)).toString('base64url')

describe('a forged cursor', () => {
  test.each([
    ['SQL as its value', encode(['id', "1'; DROP TABLE machines; --", '1'])],
    ['SQL as its id', encode(['id', '1', '1 OR 1=1'])],
    ['another order', encode(['-name', 'x', '1'])],
    ['a column that cannot be sorted by', encode(['password_hash', 'x', '1'])],
    ['a number out of range', encode(['id', '99999999999999999999999999', '1'])],
    ['an invalid date', encode(['created_at', '2026-02-31 00:00:00+00', '1'])],
    ['an object', encode({ sort: 'id', value: '1', id: '1' })],
    ['a prototype', encode(['__proto__', '1', '1'])],
    ['nothing', ''],
    ['60,000 characters', 'A'.repeat(6_000)],
    ['no base64', '%%%'],
  ])('with %s is answered 422', async (_, cursor) => {
    const answer = await person.request('GET', `/api/machines?sort=id&cursor=${encodeURIComponent(cursor)}`)
    expect([answer.status, answer.body.errors?.[0]?.parameter]).toEqual([422, 'cursor'])
  })

  test('that is well formed shows only what the list shows', async () => {
    const theirs = await world.signUp()
    const hidden = await world.createMachine(theirs)
    await theirs.request('DELETE', `/api/machines/${hidden.id}`)
    const answer = await person.request('GET', `/api/machines?sort=id&cursor=${encode(['id', '0', '0'])}&limit=100`)
    expect(answer.status).toBe(200)
    expect(answer.body.items.map(({ id }: { id: number }) => id)).not.toContain(hidden.id)
  })

  test('of one machine’s history does not show the history of another', async () => {
    const stranger = await world.signUp()
    const cursor = encode(['-requested_at', '2030-01-01 00:00:00+00', '0198c0de-7c1a-7000-8000-000000000001'])
    const answer = await stranger.request('GET', `/api/machines/${machine.id}/history?cursor=${cursor}`)
    expect(answer.status).toBe(403)
  })
})

describe('a forged entity tag', () => {
  test.each([['"99.1"'], ['W/"1.99"'], ['"1.1\' OR 1=1"'], ['nonsense'], ['"'], [`"${'x'.repeat(4_000)}"`]])(
    'changes nothing: If-Match %s is answered 412',
    async (tag) => {
      const path = `/api/machines/${machine.id}`
      const answer = await person.request('PATCH', path, { body: { name: 'Forged' }, headers: { 'If-Match': tag } })
      expect([answer.status, answer.body.code]).toEqual([412, 'precondition_failed'])
      expect((await person.request('GET', path)).body.name).toBe(machine.body.name)
    },
  )

  test('of another machine never matches this one', async () => {
    const other = await world.createMachine(person)
    const headers = { 'If-Match': other.etag }
    const answer = await person.request('PATCH', `/api/machines/${machine.id}`, { body: { name: 'Forged' }, headers })
    expect(answer.status).toBe(412)
  })

  test('does not give a stranger access: 403 comes before 412', async () => {
    const stranger = await world.signUp()
    const headers = { 'If-Match': machine.etag }
    const answer = await stranger.request('DELETE', `/api/machines/${machine.id}`, { headers })
    expect([answer.status, answer.body.code]).toEqual([403, 'not_owner'])
  })
})

test('an Idempotency-Key with SQL, 256 characters or none is answered 422 or is an ordinary key', async () => {
  const body = { name: 'n', location: 'l' }
  const post = (key: string) => person.request('POST', '/api/machines', { body, headers: { 'Idempotency-Key': key } })
  expect((await post("';DROP-TABLE-idempotency_keys;--")).status).toBe(201)
  expect((await post('x'.repeat(256))).status).toBe(422)
  expect((await post('')).status).toBe(422)
  expect((await post('two words')).status).toBe(422)
})
