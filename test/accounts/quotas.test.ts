// Quotas of an account: machines are refused, and one log-in more ends the oldest session.
import { beforeAll, describe, expect, test } from 'vitest'
import { hasRealPostgres, type Person, type World } from '../harness.ts'
import { useWorld } from '../shared-world.ts'
import { markOf, sessionIdOf, signIn } from './people.ts'

const quota = 3
let world: World
beforeAll(async () => {
  world = await useWorld({ MACHINES_PER_ACCOUNT: String(quota), SESSIONS_PER_ACCOUNT: String(quota) })
})

describe('machines', () => {
  const create = ({ request }: Person, headers = {}) =>
    request('POST', '/api/machines', { body: { name: 'Machine', location: 'Hall 1' }, headers })

  test('beyond the quota are refused, until one is deleted; other accounts are not concerned', async () => {
    const [person, other] = [await world.signUp(), await world.signUp()]
    const made = []
    for (let count = 0; count < quota; count += 1) made.push(await create(person))
    expect(made.map(({ status }) => status)).toEqual([201, 201, 201])
    const refused = await create(person)
    expect([refused.status, refused.body.code]).toEqual([409, 'quota_exceeded'])
    expect(refused.body.detail).toContain(String(quota))
    expect((await create(other)).status).toBe(201)
    expect((await person.request('DELETE', `/api/machines/${made[0]?.body.id}`)).status).toBe(204)
    expect((await create(person)).status).toBe(201)
  })

  test('that an Idempotency-Key repeats are not counted again, and a refusal stores no key', async () => {
    const person = await world.signUp()
    const key = (name: string) => ({ 'Idempotency-Key': name })
    for (const name of ['a', 'a', 'b', 'b', 'c', 'c']) expect((await create(person, key(name))).status).toBe(201)
    const repeated = await create(person, key('a'))
    expect([repeated.status, repeated.headers.get('Idempotency-Replayed')]).toEqual([201, 'true'])
    expect((await create(person, key('d'))).body.code).toBe('quota_exceeded')
    const { items } = (await person.request('GET', '/api/machines?owner_id=me')).body
    expect((await person.request('DELETE', `/api/machines/${items[0].id}`)).status).toBe(204)
    expect((await create(person, key('d'))).status).toBe(201)
  })

  test.runIf(hasRealPostgres)('that are registered at the same time do not exceed the quota', async () => {
    const person = await world.signUp()
    const answers = await Promise.all(Array.from({ length: 20 }, () => create(person)))
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(quota)
  })
})

describe('sessions', () => {
  test('beyond the quota end the oldest one at once', async () => {
    const person = await world.signUp()
    const second = await signIn(world, person)
    await signIn(world, person)
    expect((await person.request('GET', '/api/me')).status).toBe(200)
    await signIn(world, person)
    expect((await person.request('GET', '/api/me')).body.code).toBe('session_ended')
    expect(await markOf(world, sessionIdOf(person.access))).toBe('ask')
    expect((await second.request('GET', '/api/me/sessions')).body.items).toHaveLength(quota)
  })

  test('that have ended or expired do not count', async () => {
    const person = await world.signUp()
    const [second, third] = [await signIn(world, person), await signIn(world, person)]
    await second.request('POST', '/api/log-out')
    await world.postgres.query('UPDATE sessions SET expires_at = now() WHERE id = $1', [third.sessionId])
    await signIn(world, person)
    await signIn(world, person)
    expect((await person.request('GET', '/api/me')).status).toBe(200)
  })

  test('that are too many end together, when the quota has been lowered', async () => {
    const person = await world.signUp()
    await world.postgres.query(
      `INSERT INTO sessions (id, account_id, refresh_id, created_at, expires_at)
       SELECT gen_random_uuid(), $1, gen_random_uuid(), now() - n * interval '1 minute', now() + interval '1 day'
       FROM generate_series(1, 10) n`,
      [person.id],
    )
    await signIn(world, person)
    expect((await person.request('GET', '/api/me/sessions')).body.items).toHaveLength(quota)
  })
})
