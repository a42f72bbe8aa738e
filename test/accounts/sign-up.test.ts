// POST /api/sign-up: what is accepted, what is refused, and the answers.
import { randomUUID } from 'node:crypto'
import { beforeAll, describe, expect, test } from 'vitest'
import type { World } from '../harness.ts'
import { useWorld } from '../shared-world.ts'

let world: World
beforeAll(async () => {
  world = await useWorld()
})

function someone(overrides: Record<string, unknown> = {}): Record<string, unknown> {
  const username = `s-${randomUUID()}`
  return { username, password: 'four columns hold it', email: `${username}@example.com`, ...overrides }
}
const signUp = (body: unknown) => world.request('POST', '/api/sign-up', { body })

test('a sign-up also logs in', async () => {
  const details = someone({ first_name: '민지', last_name: '김' })
  const answer = await signUp(details)
  expect(answer.status).toBe(201)
  expect(answer.body).toEqual({
    user: {
      id: expect.any(Number),
      username: details.username,
      email: details.email,
      first_name: '민지',
      last_name: '김',
      is_staff: false,
      is_active: true,
      date_joined: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/),
      last_login: answer.body.user.date_joined,
    },
    token: { access: expect.any(String), refresh: expect.any(String), token_type: 'Bearer', expires_in: 1800 },
  })
  const me = await world.request('GET', '/api/me', { token: answer.body.token.access })
  expect(me.body).toEqual({ ...answer.body.user, overridden_holds: [] })
})

test('omitted names are empty', async () => {
  expect((await signUp(someone())).body.user).toMatchObject({ first_name: '', last_name: '' })
})

test('a password is stored as scrypt in PHC format and never in clear text', async () => {
  const { body } = await signUp(someone())
  const [row] = await world.postgres.query('SELECT * FROM accounts WHERE id = $1', [body.user.id])
  expect(row?.password_hash).toMatch(/^\$scrypt\$ln=15,r=8,p=3\$/)
  expect(JSON.stringify(row)).not.toContain('four columns')
})

describe('POST /api/sign-up answers 422 with a pointer', () => {
  const long = (length: number) => 'a'.repeat(length)
  test.each([
    ['no username', { username: undefined }, '/username'],
    ['an empty username', { username: '' }, '/username'],
    ['a username of 151 characters', { username: long(151) }, '/username'],
    ['a username with a space', { username: 'kim minji' }, '/username'],
    ['a username with NUL', { username: 'kim\0' }, '/username'],
    ['a username with half a surrogate pair', { username: 'kim\ud800' }, '/username'],
    ['a username that is a number', { username: 7 }, '/username'],
    ['no password', { password: undefined }, '/password'],
    ['a password of 9 characters', { password: 'a2c4e6g8i' }, '/password'],
    ['a password of 9 emoji', { password: '🔑'.repeat(9) }, '/password'],
    ['a password of 129 characters', { password: long(129) }, '/password'],
    ['a password of blanks', { password: ' '.repeat(12) }, '/password'],
    ['a password of digits', { password: '8273645102' }, '/password'],
    ['one of the commonest passwords', { password: 'Qwerty12345' }, '/password'],
    ['no e-mail address', { email: undefined }, '/email'],
    ['an e-mail address without a host', { email: 'minji@' }, '/email'],
    ['an e-mail address of 255 characters', { email: `${long(243)}@example.com` }, '/email'],
    ['a first name of 151 characters', { first_name: long(151) }, '/first_name'],
    ['a last name that is null', { last_name: null }, '/last_name'],
  ])('for %s', async (_what, overrides, pointer) => {
    const answer = await signUp(someone(overrides))
    expect([answer.status, answer.body.code]).toEqual([422, 'validation_failed'])
    expect(answer.body.errors.map((fault: { pointer: string }) => fault.pointer)).toContain(pointer)
    expect(answer.text).not.toContain('four columns')
  })

  test('for all invalid members in one answer', async () => {
    const { body } = await signUp({})
    const pointers = body.errors.map((fault: { pointer: string }) => fault.pointer)
    expect(pointers).toEqual(['/username', '/password', '/email'])
  })

  test.each([
    ['the username', (username: string) => ({ password: username })],
    ['the username in capitals', (username: string) => ({ password: username.toUpperCase() })],
    ['the e-mail address', (username: string) => ({ password: `${username}@example.com` })],
  ])('for a password that is %s', async (_what, overridesOf) => {
    const details = someone()
    const answer = await signUp({ ...details, ...overridesOf(String(details.username)) })
    expect([answer.status, answer.body.errors[0]?.pointer]).toEqual([422, '/password'])
  })
})

test.each([
  ['a password of 10 characters', { password: 'a2c4e6g8i0' }],
  ['a password of 10 emoji', { password: '🔑'.repeat(10) }],
  ['a password of 128 characters', { password: 'ab'.repeat(64) }],
  ['a username in Hangul', () => ({ username: `김민지-${randomUUID()}` })],
  ['a username with all that Django allows', () => ({ username: `a@b.c+d-e_${randomUUID()}` })],
])('%s is accepted', async (_what, overrides) => {
  expect((await signUp(someone(typeof overrides === 'function' ? overrides() : overrides))).status).toBe(201)
})

describe('a username or e-mail address in use', () => {
  test.each([
    ['the same username', 'username', (name: string) => name],
    ['the username in capitals', 'username', (name: string) => name.toUpperCase()],
    ['the username in full width', 'username', (name: string) => name.replace('t', 'ｔ')],
    ['the same e-mail address', 'email', (name: string) => name],
    ['the e-mail address in capitals', 'email', (name: string) => name.toUpperCase()],
  ])('%s is refused with 409, which names the field', async (_what, field, spell) => {
    const taken = someone({ username: `t-${randomUUID()}` })
    expect((await signUp(taken)).status).toBe(201)
    const answer = await signUp(someone({ [field]: spell(String(taken[field])) }))
    expect([answer.status, answer.body.code]).toEqual([409, `${field}_taken`])
    expect(answer.body.errors).toEqual([{ pointer: `/${field}`, detail: 'is taken' }])
  })

  test.each(['username', 'email'])('of two simultaneous sign-ups with the same %s one succeeds', async (field) => {
    const wanted = someone()[field]
    const answers = await Promise.all([1, 2, 3].map(() => signUp(someone({ [field]: wanted }))))
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409])
    expect(answers.find(({ status }) => status === 409)?.body.code).toBe(`${field}_taken`)
  })
})
