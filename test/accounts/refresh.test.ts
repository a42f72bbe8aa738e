// POST /api/token/refresh: rotation, and reuse of an old refresh token (RFC 9700 §4.14.2).
import { decodeJwt } from 'jose'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Answer, Person, World } from '../harness.ts'
import { useWorld } from '../shared-world.ts'
import { markOf, sessionIdOf, signIn } from './people.ts'

let world: World
beforeAll(async () => {
  world = await useWorld()
})

const refresh = (token: unknown) => world.request('POST', '/api/token/refresh', { body: { refresh: token } })

test('a refresh token is exchanged for new tokens of the same session, and the session is extended', async () => {
  const person = await world.signUpOverHttp()
  const [before] = (await person.request('GET', '/api/me/sessions')).body.items
  const { status, body } = await refresh(person.refresh)
  expect(status).toBe(200)
  expect(body).toEqual({
    token: { access: expect.any(String), refresh: expect.any(String), token_type: 'Bearer', expires_in: 1800 },
  })
  expect(decodeJwt(body.token.access)).toMatchObject({ sub: String(person.id), sid: sessionIdOf(person.access) })
  const me = await world.request('GET', '/api/me/sessions', { token: body.token.access })
  expect(me.body.items).toHaveLength(1)
  expect(me.body.items[0].refreshed_at > before.refreshed_at).toBe(true)
  expect(me.body.items[0].expires_at > before.expires_at).toBe(true)
  expect((await refresh(body.token.refresh)).status).toBe(200)
})

/** Moves the last refresh of the person's session into the past. */
const age = (person: Person, seconds: number) =>
  world.postgres.query(
    'UPDATE sessions SET refreshed_at = refreshed_at - make_interval(secs => $2) WHERE account_id = $1',
    [person.id, seconds],
  )
const whoami = async (token: string) => (await world.request('GET', '/api/me', { token })).status
const refreshIdOf = (answer: Answer) => decodeJwt(answer.body.token.refresh).jti

test('reuse of an old refresh token ends the session immediately, also for its owner', async () => {
  const person = await world.signUp()
  const other = await signIn(world, person)
  const { body: first } = await refresh(person.refresh)
  const { body: second } = await refresh(first.token.refresh)
  const again = await refresh(person.refresh)
  expect([again.status, again.body.code]).toEqual([401, 'refresh_reused'])
  expect(again.headers.get('WWW-Authenticate')).toBe('Bearer error="invalid_token"')
  expect(await markOf(world, sessionIdOf(person.access))).toBe('ask')
  for (const token of [person.access, first.token.access, second.token.access]) {
    expect((await world.request('GET', '/api/me', { token })).body.code).toBe('session_ended')
  }
  expect((await refresh(second.token.refresh)).body.code).toBe('session_ended')
  expect((await refresh(person.refresh)).body.code).toBe('session_ended')
  expect((await other.request('GET', '/api/me')).status).toBe(200)
})

describe('the refresh token before the last one', () => {
  test('is accepted again within 10 s, and gets the last one again: an answer may be lost', async () => {
    const person = await world.signUp()
    const first = await refresh(person.refresh)
    const [before] = (await world.request('GET', '/api/me/sessions', { token: first.body.token.access })).body.items
    await age(person, 9)
    for (let n = 0; n < 2; n += 1) {
      const again = await refresh(person.refresh)
      expect([again.status, refreshIdOf(again)]).toEqual([200, refreshIdOf(first)])
      expect(await whoami(again.body.token.access)).toBe(200)
    }
    const [after] = (await world.request('GET', '/api/me/sessions', { token: first.body.token.access })).body.items
    expect(after.refreshed_at < before.refreshed_at).toBe(true) // only by `age`: the 10 s do not begin again
    expect((await refresh(first.body.token.refresh)).status).toBe(200)
  })

  test('ends the session after 10 s: a thief may have it', async () => {
    const person = await world.signUp()
    const { body: first } = await refresh(person.refresh)
    await age(person, 10)
    expect(await refresh(person.refresh)).toMatchObject({ status: 401, body: { code: 'refresh_reused' } })
    expect(await whoami(first.token.access)).toBe(401)
    expect((await refresh(first.token.refresh)).body.code).toBe('session_ended')
  })

  test('ends the session when it is not the one before the last any more, also within 10 s', async () => {
    const person = await world.signUp()
    const { body: first } = await refresh(person.refresh)
    const { body: second } = await refresh(first.token.refresh)
    expect((await refresh(first.token.refresh)).status).toBe(200)
    expect(await refresh(person.refresh)).toMatchObject({ status: 401, body: { code: 'refresh_reused' } })
    expect(await whoami(second.token.access)).toBe(401)
  })
})

test('two tabs that refresh at once both live on, also at their next refresh', async () => {
  const person = await world.signUp()
  let held = [person.refresh, person.refresh]
  for (let round = 0; round < 3; round += 1) {
    const answers = await Promise.all(held.map(refresh))
    expect(answers.map(({ status }) => status)).toEqual([200, 200])
    expect(await Promise.all(answers.map(({ body }) => whoami(body.token.access)))).toEqual([200, 200])
    held = answers.map(({ body }) => body.token.refresh)
    await age(person, 1_800)
  }
})

test('a disabled account gets no new tokens', async () => {
  const person = await world.signUp()
  await world.postgres.query('UPDATE accounts SET is_active = false WHERE id = $1', [person.id])
  expect((await refresh(person.refresh)).body.code).toBe('session_ended')
})

test('an expired session gets no new tokens', async () => {
  const person = await world.signUp()
  await world.postgres.query('UPDATE sessions SET expires_at = now() WHERE account_id = $1', [person.id])
  expect((await refresh(person.refresh)).body.code).toBe('session_ended')
  expect((await person.request('GET', '/api/me')).body.code).toBe('session_ended')
})

test.each([
  ['nothing', undefined, 422, 'validation_failed'],
  ['an empty text', '', 422, 'validation_failed'],
  ['a number', 7, 422, 'validation_failed'],
  ['5,000 characters', 'x'.repeat(5_000), 422, 'validation_failed'],
  ['an invalid token', 'x', 401, 'token_invalid'],
])('%s as the refresh token is refused', async (_what, token, status, code) => {
  const answer = await refresh(token)
  expect([answer.status, answer.body.code]).toEqual([status, code])
})
