// /api/me: details, password, sessions.
import { randomUUID } from 'node:crypto'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Person, World } from '../harness.ts'
import { useWorld } from '../shared-world.ts'
import { markOf, readUser, sessionIdOf, signIn } from './people.ts'

let world: World
beforeAll(async () => {
  world = await useWorld()
})

const changeEmail = (person: Person, email: string, current_password?: string) =>
  person.request('PATCH', '/api/me', { body: { email, ...(current_password !== undefined && { current_password }) } })

describe('PATCH /api/me', () => {
  test('needs the password for another e-mail address, and says nothing about the address without it', async () => {
    const [person, other] = [await world.signUp(), await world.signUp()]
    for (const email of [other.email, `new-${randomUUID()}@example.com`]) {
      const missing = await changeEmail(person, email)
      expect([missing.status, missing.body.code]).toEqual([422, 'validation_failed'])
      expect(missing.body.errors).toEqual([{ pointer: '/current_password', detail: 'is required' }])
      const wrong = await changeEmail(person, email, 'a wrong password')
      expect([wrong.status, wrong.body.code]).toEqual([422, 'wrong_password'])
    }
    const { body } = await person.request('GET', '/api/me')
    expect(body.email).toBe(person.email)
    expect((await person.request('PATCH', '/api/me', { body: { ...body, first_name: 'Kim' } })).status).toBe(200)
  })

  test('changes only the given members', async () => {
    const person = await world.signUp({ first_name: '민지' })
    const before = await readUser(person)
    const email = `new-${randomUUID()}@example.com`
    const body = { email, last_name: '김', current_password: person.password }
    const changed = await person.request('PATCH', '/api/me', { body })
    expect([changed.status, changed.body]).toEqual([200, { ...before, email, last_name: '김' }])
    expect(await readUser(person)).toEqual(changed.body)
    expect((await person.request('PATCH', '/api/me', { body: { first_name: '' } })).body.first_name).toBe('')
  })

  test('ignores the username, the rights and all other read-only members', async () => {
    const person = await world.signUp()
    const before = await readUser(person)
    const body = { username: 'another', id: 1, is_staff: true, is_active: false }
    const answer = await person.request('PATCH', '/api/me', { body })
    expect([answer.status, answer.body]).toEqual([200, before])
    expect((await person.request('PATCH', '/api/me', { body: { ...before, last_name: '김' } })).body).toEqual({
      ...before,
      last_name: '김',
    })
  })

  test('answers 409 for an e-mail address in use, in any case; the case of my own address may change', async () => {
    const [person, other] = [await world.signUp(), await world.signUp()]
    const taken = await changeEmail(person, other.email.toUpperCase(), person.password)
    expect([taken.status, taken.body.code]).toEqual([409, 'email_taken'])
    expect(taken.body.errors).toEqual([{ pointer: '/email', detail: 'is taken' }])
    const spelt = await person.request('PATCH', '/api/me', { body: { email: person.email.toUpperCase() } })
    expect([spelt.status, spelt.body.email]).toEqual([200, person.email.toUpperCase()])
  })

  test('makes the old e-mail address available', async () => {
    const person = await world.signUp()
    await changeEmail(person, `new-${randomUUID()}@example.com`, person.password)
    await expect(world.signUpOverHttp({ email: person.email })).resolves.toBeDefined()
  })

  test.each([
    ['an e-mail address without a host', { email: 'minji@' }, '/email'],
    ['an e-mail address that is null', { email: null }, '/email'],
    ['a name of 151 characters', { first_name: 'a'.repeat(151) }, '/first_name'],
    ['a name with NUL', { last_name: 'a\0' }, '/last_name'],
  ])('answers 422 for %s', async (_what, body, pointer) => {
    const person = await world.signUp()
    const answer = await person.request('PATCH', '/api/me', { body })
    expect([answer.status, answer.body.errors[0]?.pointer]).toEqual([422, pointer])
  })
})

describe('POST /api/me/password', () => {
  const change = (person: Pick<Person, 'request'>, current_password: string, new_password: string) =>
    person.request('POST', '/api/me/password', { body: { current_password, new_password } })

  test('changes the password, ends all other sessions and overwrites their cache entries before it answers', async () => {
    const person = await world.signUp()
    const others = [await signIn(world, person), await signIn(world, person)]
    const stranger = await world.signUp()
    const answer = await change(person, person.password, 'a bolster and a platen')
    expect([answer.status, answer.text]).toEqual([204, ''])
    for (const other of others) {
      expect(await markOf(world, other.sessionId)).toBe('ask')
      expect((await other.request('GET', '/api/me')).body.code).toBe('session_ended')
      const refreshed = await world.request('POST', '/api/token/refresh', { body: { refresh: other.refresh } })
      expect(refreshed.body.code).toBe('session_ended')
    }
    expect(await markOf(world, sessionIdOf(person.access))).toBeNull()
    expect((await person.request('GET', '/api/me')).status).toBe(200)
    expect((await stranger.request('GET', '/api/me')).status).toBe(200)
    await expect(signIn(world, person)).rejects.toThrow(/401/)
    await signIn(world, { ...person, password: 'a bolster and a platen' })
  })

  test('answers 422 with a pointer for a wrong current password, and changes nothing', async () => {
    const person = await world.signUp()
    const other = await signIn(world, person)
    const answer = await change(person, 'a wrong password', 'a bolster and a platen')
    expect([answer.status, answer.body.code]).toEqual([422, 'wrong_password'])
    expect(answer.body.errors).toEqual([{ pointer: '/current_password', detail: 'is wrong' }])
    expect((await other.request('GET', '/api/me')).status).toBe(200)
    await signIn(world, person)
  })

  test.each([
    ['a short one', () => 'a2c4e6g8i'],
    ['digits only', () => '8273645102'],
    ['one of the commonest', () => 'password123'],
    ['the username', (person: Person) => person.username.toUpperCase()],
    ['the e-mail address', (person: Person) => person.email],
  ])('answers 422 for %s as the new password', async (_what, passwordOf) => {
    const person = await world.signUp()
    const answer = await change(person, person.password, passwordOf(person))
    expect([answer.status, answer.body.code]).toEqual([422, 'validation_failed'])
    expect(answer.body.errors[0].pointer).toBe('/new_password')
  })

  test('of two simultaneous changes one succeeds, and only its session remains', async () => {
    const person = await world.signUp()
    const other = await signIn(world, person)
    const [mine, theirs] = await Promise.all([
      change(person, person.password, 'a bolster and a platen'),
      change(other, person.password, 'a nozzle and a sprue'),
    ])
    const statuses = [mine.status, theirs.status]
    expect(statuses.filter((status) => status === 204)).toHaveLength(1)
    const alive = await Promise.all([person, other].map(async (each) => (await each.request('GET', '/api/me')).status))
    expect(alive).toEqual(statuses.map((status) => (status === 204 ? 200 : 401)))
  })

  test('a simultaneous log-in with the old password leaves no session', async () => {
    const person = await world.signUp()
    const { username, password } = person
    const [changed, ...logIns] = await Promise.all([
      change(person, password, 'a bolster and a platen'),
      ...[1, 2, 3].map(() => world.request('POST', '/api/log-in', { body: { username, password } })),
    ])
    expect(changed.status).toBe(204)
    for (const { status, body } of logIns) {
      if (status !== 200) continue
      expect((await world.request('GET', '/api/me', { token: body.token.access })).status).toBe(401)
    }
    expect((await person.request('GET', '/api/me/sessions')).body.items).toHaveLength(1)
  })
})

describe('sessions', () => {
  test('GET /api/me/sessions lists my sessions, the current one first', async () => {
    const person = await world.signUpOverHttp()
    const other = await signIn(world, person, {
      'User-Agent': `Tiebar-Test/1 ${'x'.repeat(300)}`,
      'CF-Connecting-IP': '2001:db8:1:2:3:4:5:6',
    })
    const { status, body } = await person.request('GET', '/api/me/sessions')
    expect(status).toBe(200)
    const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/)
    const times = { created_at: time, refreshed_at: time, expires_at: time }
    expect(body).toEqual({
      items: [
        {
          id: sessionIdOf(person.access),
          ...times,
          user_agent: expect.any(String),
          address: expect.any(String),
          current: true,
        },
        { id: other.sessionId, ...times, user_agent: expect.any(String), address: '2001:db8:1:2::/64', current: false },
      ],
    })
    expect(body.items[1].user_agent).toMatch(/^Tiebar-Test\/1 x+$/)
    expect(body.items[1].user_agent).toHaveLength(256)
    const seenByOther = (await other.request('GET', '/api/me/sessions')).body.items
    expect(seenByOther.map(({ current }: { current: boolean }) => current)).toEqual([true, false])
    expect(seenByOther[0].id).toBe(other.sessionId)
  })

  test('DELETE /api/me/sessions/{id} ends another session of mine and overwrites its cache entry before it answers', async () => {
    const person = await world.signUp()
    const other = await signIn(world, person)
    const answer = await person.request('DELETE', `/api/me/sessions/${other.sessionId}`)
    expect([answer.status, answer.text]).toEqual([204, ''])
    expect(await markOf(world, other.sessionId)).toBe('ask')
    expect((await other.request('GET', '/api/me')).body.code).toBe('session_ended')
    expect((await person.request('GET', '/api/me/sessions')).body.items).toHaveLength(1)
    expect((await person.request('DELETE', `/api/me/sessions/${other.sessionId}`)).status).toBe(404)
  })

  test('DELETE of the current session is a log-out', async () => {
    const person = await world.signUp()
    const id = sessionIdOf(person.access)
    expect((await person.request('DELETE', `/api/me/sessions/${id.toUpperCase()}`)).status).toBe(204)
    expect(await markOf(world, id)).toBe('ask')
    expect((await person.request('GET', '/api/me')).body.code).toBe('session_ended')
  })

  test("DELETE answers 404 for others' sessions, also to staff, and for an invalid id", async () => {
    const [person, staff] = [await world.signUp(), await world.signUpStaff()]
    const id = sessionIdOf(person.access)
    const stranger = await world.signUp()
    for (const asker of [stranger, staff]) {
      expect((await asker.request('DELETE', `/api/me/sessions/${id}`)).body.code).toBe('not_found')
    }
    expect((await stranger.request('DELETE', `/api/me/sessions/${randomUUID()}`)).status).toBe(404)
    expect((await stranger.request('DELETE', '/api/me/sessions/1')).status).toBe(404)
    expect((await person.request('GET', '/api/me')).status).toBe(200)
  })
})
