// POST /api/log-in and /api/log-out.
import { randomUUID } from 'node:crypto'
import { beforeAll, expect, test } from 'vitest'
import type { World } from '../harness.ts'
import { useWorld } from '../shared-world.ts'
import { makeHash } from './hashes.ts'
import { readUser, signIn } from './people.ts'

let world: World
beforeAll(async () => {
  world = await useWorld()
})

const logIn = (body: unknown) => world.request('POST', '/api/log-in', { body })

test('a log-in answers with the account and tokens, and stores its time', async () => {
  const person = await world.signUp()
  const before = await readUser(person)
  const { status, headers, body } = await logIn({ username: person.username, password: person.password })
  expect(status).toBe(200)
  expect(headers.get('Cache-Control')).toBe('no-store')
  expect(body.user).toEqual({ ...before, last_login: expect.any(String) })
  expect(body.user.last_login > before.last_login).toBe(true)
  expect(body.token).toMatchObject({ token_type: 'Bearer', expires_in: 1800 })
})

test.each([
  ['in capitals', (name: string) => name.toUpperCase()],
  ['in full width', (name: string) => name.replace('p', 'ｐ')],
])('a username %s is the same username', async (_what, spell) => {
  const person = await world.signUp()
  expect((await logIn({ username: spell(person.username), password: person.password })).status).toBe(200)
})

test('a username in Greek letters is the same in any case, with any sigma', async () => {
  const username = `νικος-${Date.now()}`
  const { password } = await world.signUpOverHttp({ username })
  for (const same of [username.toUpperCase(), username.replace('ς', 'σ'), ` ${username} `]) {
    expect((await logIn({ username: same, password })).status).toBe(200)
  }
  const body = { username: username.toUpperCase(), password, email: `${randomUUID()}@example.com` }
  expect((await world.request('POST', '/api/sign-up', { body })).body.code).toBe('username_taken')
})

test.each(['🏭', '기'])('a User-Agent with %s at the cut is stored without half a character', async (character) => {
  const person = await world.signUp()
  // The bytes of UTF-8, as a header carries them.
  const bytes = Buffer.from(character.repeat(5)).toString('latin1')
  const session = await signIn(world, person, { 'User-Agent': `${'x'.repeat(255)}${bytes}` })
  const { body } = await session.request('GET', '/api/me/sessions')
  expect(body.items[0].user_agent).toMatch(/^x{255}.?$/u)
})

test('an unknown name, a wrong password and a disabled account get the same answer', async () => {
  const person = await world.signUp()
  const disabled = await world.signUp()
  await world.postgres.query('UPDATE accounts SET is_active = false WHERE id = $1', [disabled.id])
  const answers = await Promise.all([
    logIn({ username: `nobody-${randomUUID()}`, password: 'a wrong password' }),
    logIn({ username: person.username, password: 'a wrong password' }),
    logIn({ username: disabled.username, password: disabled.password }),
  ])
  for (const { status, headers, body } of answers) {
    expect([status, body.code]).toEqual([401, 'bad_credentials'])
    expect(headers.get('WWW-Authenticate')).toBe('Bearer')
  }
  const alike = answers.map(({ body: { request_id, ...rest } }) => rest)
  expect(alike[1]).toEqual(alike[0])
  expect(alike[2]).toEqual(alike[0])
})

test('an old password that is too short by the present rules can log in, and a wrong one gets 401', async () => {
  expect((await logIn({ username: 'somebody', password: '1' })).status).toBe(401)
  expect((await logIn({ username: 'somebody', password: '' })).status).toBe(422)
})

test('a log-in replaces a hash with old parameters', async () => {
  const person = await world.signUp()
  const old = makeHash(person.password, { ln: 14, r: 8, p: 1 })
  const hashOf = async () =>
    (await world.postgres.query('SELECT password_hash FROM accounts WHERE id = $1', [person.id]))[0]?.password_hash
  await world.postgres.query('UPDATE accounts SET password_hash = $2 WHERE id = $1', [person.id, old])
  expect((await logIn({ username: person.username, password: 'a wrong password' })).status).toBe(401)
  expect(await hashOf()).toBe(old)
  await signIn(world, person)
  const renewed = await hashOf()
  expect(renewed).toMatch(/^\$scrypt\$ln=15,r=8,p=3\$/)
  await signIn(world, person)
  expect(await hashOf()).toBe(renewed)
})

test('a log-out ends one session with its access and refresh tokens, and no other session', async () => {
  const person = await world.signUp()
  const other = await signIn(world, person)
  const answer = await person.request('POST', '/api/log-out')
  expect([answer.status, answer.text, answer.headers.get('Content-Type')]).toEqual([204, '', null])
  const me = await person.request('GET', '/api/me')
  expect([me.status, me.body.code]).toEqual([401, 'session_ended'])
  expect(me.headers.get('WWW-Authenticate')).toBe('Bearer error="invalid_token"')
  const refreshed = await world.request('POST', '/api/token/refresh', { body: { refresh: person.refresh } })
  expect([refreshed.status, refreshed.body.code]).toEqual([401, 'session_ended'])
  expect((await person.request('POST', '/api/log-out')).status).toBe(401)
  expect((await other.request('GET', '/api/me')).status).toBe(200)
})

test('when too many log in at the same time, some get 429 with Retry-After and none gets 401', async () => {
  const people = await Promise.all(Array.from({ length: 4 }, () => world.signUp()))
  const attempts = people.flatMap(({ username, password }) => Array.from({ length: 4 }, () => ({ username, password })))
  const answers = await Promise.all(attempts.map(logIn))
  const statuses = answers.map(({ status }) => status)
  expect(statuses).toContain(200)
  expect(statuses).toContain(429)
  expect(statuses).not.toContain(401)
  const refused = answers.find(({ status }) => status === 429)
  expect(refused?.body.code).toBe('rate_limited')
  expect(refused?.headers.get('Retry-After')).toBe('2')
  expect(refused?.headers.get('RateLimit')).toBeNull()
})
