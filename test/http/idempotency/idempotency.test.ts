// The same request sent twice takes effect once: Idempotency-Key on POST /machines.
import { randomUUID } from 'node:crypto'
import { beforeAll, expect, test } from 'vitest'
import type { Answer, Person, World } from '../../harness.ts'
import { useWorld } from '../../shared-world.ts'

let world: World
let owner: Person
beforeAll(async () => {
  world = await useWorld()
  owner = await world.signUp()
})

const body = { name: 'Machine', location: 'Hall 1', controller_url: null }
const post = (person: Person, key: string, sent: unknown = body, path = '/api/machines'): Promise<Answer> =>
  person.request('POST', path, { body: sent, headers: { 'Idempotency-Key': key } })

async function countMachines(person: Person): Promise<number> {
  return (await person.request('GET', '/api/machines?owner_id=me&limit=100')).body.items.length
}

test('the second request gets the first answer, marked as replayed, and creates no second machine', async () => {
  const person = await world.signUp()
  const key = randomUUID()
  const first = await post(person, key)
  const second = await post(person, key)
  expect([first.status, second.status]).toEqual([201, 201])
  expect(second.text).toBe(first.text)
  for (const name of ['Location', 'ETag', 'Content-Type'])
    expect(second.headers.get(name)).toBe(first.headers.get(name))
  expect([first.headers.get('Idempotency-Replayed'), second.headers.get('Idempotency-Replayed')]).toEqual([
    null,
    'true',
  ])
  expect(await countMachines(person)).toBe(1)
})

test('the first answer is replayed after the machine has changed and after it is deleted', async () => {
  const key = randomUUID()
  const first = await post(owner, key)
  const path = first.headers.get('Location') ?? ''
  await owner.request('PATCH', path, { body: { name: 'New' } })
  expect((await post(owner, key)).text).toBe(first.text)
  await owner.request('DELETE', path)
  expect((await post(owner, key)).text).toBe(first.text)
})

test('a trailing slash is the same path', async () => {
  const key = randomUUID()
  const first = await post(owner, key)
  expect((await post(owner, key, body, '/api/machines/')).body.id).toBe(first.body.id)
})

test('another body with the same key is answered 422 and creates nothing', async () => {
  const key = randomUUID()
  const person = await world.signUp()
  await post(person, key)
  for (const other of [{ ...body, name: 'Other' }, { ...body, id: 1 }, JSON.stringify(body, null, 2)]) {
    const answer = await post(person, key, other)
    expect([answer.status, answer.body.code]).toEqual([422, 'idempotency_key_reused'])
    expect(answer.headers.get('Idempotency-Replayed')).toBeNull()
  }
  expect(await countMachines(person)).toBe(1)
})

test('the same key of another account is a different key', async () => {
  const key = randomUUID()
  const other = await world.signUp()
  const [first, second] = [await post(owner, key), await post(other, key, { ...body, name: 'Other' })]
  expect([first.status, second.status]).toEqual([201, 201])
  expect(second.body).toMatchObject({ name: 'Other', owner_id: other.id })
})

test('a key belongs to one path', async () => {
  const key = randomUUID()
  const machine = await world.createMachine(owner)
  const other = await world.createMachine(owner)
  const answers = [
    await post(owner, key),
    await post(owner, key, { command: 'START' }, `/api/machines/${machine.id}/operation`),
    await post(owner, key, { command: 'START' }, `/api/machines/${other.id}/operation`),
  ]
  expect(answers.map(({ status }) => status)).toEqual([201, 202, 202])
  expect(answers.map(({ headers }) => headers.get('Idempotency-Replayed'))).toEqual([null, null, null])
})

test('of simultaneous requests with one key one creates the machine and all get its answer', async () => {
  const person = await world.signUp()
  const key = randomUUID()
  const answers = await Promise.all(Array.from({ length: 8 }, () => post(person, key)))
  expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(201))
  expect(new Set(answers.map(({ text }) => text)).size).toBe(1)
  expect(answers.filter(({ headers }) => headers.get('Idempotency-Replayed') === 'true')).toHaveLength(7)
  expect(await countMachines(person)).toBe(1)
})

test('a key can be reused after 24 hours, and not before', async () => {
  const key = randomUUID()
  const first = await post(owner, key)
  const age = (interval: string) =>
    world.postgres.query('UPDATE idempotency_keys SET created_at = now() - $2::interval WHERE key = $1', [
      key,
      interval,
    ])
  await age('23 hours 59 minutes')
  expect((await post(owner, key)).body.id).toBe(first.body.id)
  await age('24 hours')
  const other = await post(owner, key, { ...body, name: 'Other' })
  expect([other.status, other.body.name, other.headers.get('Idempotency-Replayed')]).toEqual([201, 'Other', null])
  expect((await post(owner, key, { ...body, name: 'Other' })).body.id).toBe(other.body.id)
})

test('a refused request does not store its key', async () => {
  const key = randomUUID()
  expect((await post(owner, key, { ...body, name: '' })).status).toBe(422)
  expect((await post(owner, key, '{')).status).toBe(400)
  const answer = await post(owner, key)
  expect([answer.status, answer.headers.get('Idempotency-Replayed')]).toEqual([201, null])
})

test('a replay also needs an active session', async () => {
  const person = await world.signUp()
  const key = randomUUID()
  await post(person, key)
  await person.request('POST', '/api/log-out')
  for (const sameOrNew of [key, randomUUID()]) {
    const answer = await post(person, sameOrNew)
    expect([answer.status, answer.body.code]).toEqual([401, 'session_ended'])
  }
})

test.each(['', 'x'.repeat(256), 'two words', 'tab\tin it', 'ключ-é'])(
  'the key %j is answered 422 with the name of the header',
  async (key) => {
    const answer = await post(owner, Buffer.from(key).toString('latin1'))
    expect([answer.status, answer.body.code]).toEqual([422, 'validation_failed'])
    expect(answer.body.errors).toMatchObject([{ parameter: 'Idempotency-Key' }])
  },
)

test.each(['x', 'x'.repeat(255), `!"#$%&'()*+,-./:;<=>?@[\\]^_\`{|}~`])('the key %s is accepted', async (key) => {
  const person = await world.signUp()
  expect((await post(person, key)).status).toBe(201)
  expect((await post(person, key)).headers.get('Idempotency-Replayed')).toBe('true')
})
