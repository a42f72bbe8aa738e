// POST /api/token/refresh: rotation, and reuse of an old refresh token (RFC 9700 §4.14.2).
import { decodeJwt } from 'jose'
import { beforeAll, expect, test } from 'vitest'
import type { World } from '../harness.ts'
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

test('reuse of an old refresh token ends the session immediately, also for its owner', async () => {
  const person = await world.signUp()
  const other = await signIn(world, person)
  const { body: first } = await refresh(person.refresh)
  const again = await refresh(person.refresh)
  expect([again.status, again.body.code]).toEqual([401, 'refresh_reused'])
  expect(again.headers.get('WWW-Authenticate')).toBe('Bearer error="invalid_token"')
  expect(await markOf(world, sessionIdOf(person.access))).toBe('ask')
  for (const token of [person.access, first.token.access]) {
    expect((await world.request('GET', '/api/me', { token })).body.code).toBe('session_ended')
  }
  expect((await refresh(first.token.refresh)).body.code).toBe('session_ended')
  expect((await refresh(person.refresh)).body.code).toBe('session_ended')
  expect((await other.request('GET', '/api/me')).status).toBe(200)
})

test('when a refresh token is sent twice at the same time, one is exchanged and the session ends', async () => {
  const person = await world.signUp()
  const answers = await Promise.all([refresh(person.refresh), refresh(person.refresh)])
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 401])
  expect((await person.request('GET', '/api/me')).body.code).toBe('session_ended')
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
