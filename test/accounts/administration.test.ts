// /api/accounts: what staff may do.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { accountSorts } from '../../src/accounts/sql/administration.ts'
import { hasRealPostgres, type Person, startWorld, type World } from '../harness.ts'
import { useWorld } from '../shared-world.ts'
import { markOf, readUser, sessionIdOf, signIn } from './people.ts'

let world: World
let staff: Person
beforeAll(async () => {
  world = await useWorld()
  staff = await world.signUpStaff()
})

const list = (person: Person, query: Record<string, string> = {}) =>
  person.request('GET', `/api/accounts?${new URLSearchParams(query)}`)
const patch = (person: Person, id: number | string, body: unknown) =>
  person.request('PATCH', `/api/accounts/${id}`, { body })
const grant = (person: Person, id: number, current_password = person.password) =>
  patch(person, id, { is_staff: true, current_password })
const idsOf = (answer: { body: { items: { id: number }[] } }) => answer.body.items.map(({ id }) => id)

describe('GET /api/accounts', () => {
  test('answers 403 to everyone except staff', async () => {
    const answer = await list(await world.signUp())
    expect([answer.status, answer.body.code]).toEqual([403, 'staff_only'])
  })

  test('shows the same fields that the owner of an account sees', async () => {
    const person = await world.signUp({ first_name: '민지' })
    const answer = await list(staff, { q: person.username })
    expect(answer.body).toEqual({ items: [await readUser(person)], next_cursor: null })
  })

  test('the pages of every order show each account exactly once', async () => {
    const mark = crypto.randomUUID()
    const people: Person[] = []
    for (let count = 0; count < 5; count += 1) people.push(await world.signUp({ last_name: mark }))
    const ids = people.map(({ id }) => id)
    for (const [sort, wanted] of [
      ['id', ids],
      ['-id', ids.toReversed()],
      ['date_joined', ids],
      ['-date_joined', ids.toReversed()],
    ] as const) {
      const seen: number[] = []
      let cursor: string | null = ''
      while (cursor !== null) {
        const answer: Awaited<ReturnType<typeof list>> = await list(staff, {
          q: mark,
          sort,
          limit: '2',
          ...(cursor && { cursor }),
        })
        expect(answer.status).toBe(200)
        seen.push(...idsOf(answer))
        cursor = answer.body.next_cursor
        if (cursor !== null) expect(answer.headers.get('Link')).toContain(encodeURIComponent(cursor))
      }
      expect(seen).toEqual(wanted)
    }
  })

  test.each(accountSorts.names)('sorting by %s has an index on the column and the id', async (column) => {
    const rows = await world.postgres.query(`SELECT indexdef FROM pg_indexes WHERE tablename = 'accounts'`)
    const expected = column === 'id' ? /UNIQUE .* \(id\)$/ : new RegExp(`\\(${column}, id\\)$`)
    expect(rows.map(({ indexdef }) => indexdef)).toContainEqual(expect.stringMatching(expected))
  })

  test('q matches part of a name, e-mail address or username, literally and in any case', async () => {
    const mark = crypto.randomUUID().slice(0, 8)
    const person = await world.signUp({ first_name: `Min%${mark}`, email: `${mark}.mail@example.com` })
    for (const q of [person.username.slice(2).toUpperCase(), `min%${mark}`, `${mark}.MAIL@`]) {
      expect(idsOf(await list(staff, { q }))).toEqual([person.id])
    }
    expect(idsOf(await list(staff, { q: `_in%${mark}` }))).toEqual([])
  })

  test('filters by is_active and is_staff', async () => {
    const mark = crypto.randomUUID()
    const [plain, disabled, other] = [
      await world.signUp({ last_name: mark }),
      await world.signUp({ last_name: mark }),
      await world.signUp({ last_name: mark }),
    ]
    await patch(staff, disabled.id, { is_active: false })
    await grant(staff, other.id)
    expect(idsOf(await list(staff, { q: mark, is_active: 'false' }))).toEqual([disabled.id])
    expect(idsOf(await list(staff, { q: mark, is_active: 'true', is_staff: 'false' }))).toEqual([plain.id])
    expect(idsOf(await list(staff, { q: mark, is_staff: 'true' }))).toEqual([other.id])
  })

  test.each([
    { is_active: 'maybe' },
    { is_staff: '1' },
    { sort: 'password_hash' },
    { limit: '0' },
    { cursor: 'x' },
    { q: '' },
  ])('answers 422 for %o', async (query) => {
    const answer = await list(staff, query)
    expect([answer.status, answer.body.errors[0]?.parameter]).toEqual([422, Object.keys(query)[0]])
  })
})

describe('PATCH /api/accounts/{id}', () => {
  test('answers 403 to everyone except staff, also for their own account and for unknown accounts', async () => {
    const person = await world.signUp()
    for (const id of [staff.id, person.id, 999_999_999]) {
      const answer = await patch(person, id, { is_staff: true, is_active: true })
      expect([answer.status, answer.body.code]).toEqual([403, 'staff_only'])
    }
    expect((await person.request('GET', '/api/me')).body.is_staff).toBe(false)
  })

  test('disabling ends all sessions immediately, and enabling restores none', async () => {
    const person = await world.signUp()
    const other = await signIn(world, person)
    const answer = await patch(staff, person.id, { is_active: false })
    expect([answer.status, answer.body.is_active, answer.body.username]).toEqual([200, false, person.username])
    expect(Object.keys(answer.body)).toHaveLength(9)
    for (const token of [person.access, other.access]) {
      expect(await markOf(world, sessionIdOf(token))).toBe('ask')
      expect((await world.request('GET', '/api/me', { token })).body.code).toBe('session_ended')
    }
    const { username, password } = person
    const logIn = () => world.request('POST', '/api/log-in', { body: { username, password } })
    expect((await logIn()).body.code).toBe('bad_credentials')
    expect((await patch(staff, person.id, { is_active: true })).body.is_active).toBe(true)
    expect((await person.request('GET', '/api/me')).body.code).toBe('session_ended')
    expect((await logIn()).status).toBe(200)
  })

  test('nobody is made staff without the password of the caller, so that a stolen token is not enough', async () => {
    const person = await world.signUp()
    const missing = await patch(staff, person.id, { is_staff: true })
    expect([missing.status, missing.body.code]).toEqual([422, 'validation_failed'])
    expect(missing.body.errors).toEqual([{ pointer: '/current_password', detail: 'is required' }])
    expect((await grant(staff, person.id, 'a wrong password')).body.code).toBe('wrong_password')
    expect((await grant(person, person.id)).body.code).toBe('staff_only')
    expect((await person.request('GET', '/api/me')).body.is_staff).toBe(false)
    expect((await patch(staff, person.id, { is_staff: false, is_active: true })).status).toBe(200)
    expect((await patch(staff, staff.id, { is_staff: true })).status).toBe(200)
  })

  test('nor is an account with staff rights enabled without it, whichever is changed first', async () => {
    const other = await world.signUpStaff()
    expect((await patch(staff, other.id, { is_active: false })).status).toBe(200)
    const missing = await patch(staff, other.id, { is_active: true })
    expect([missing.status, missing.body.errors]).toEqual([
      422,
      [expect.objectContaining({ pointer: '/current_password' })],
    ])
    expect((await patch(staff, other.id, { is_active: true, is_staff: true })).status).toBe(422)
    const wrong = await patch(staff, other.id, { is_active: true, current_password: 'a wrong password' })
    expect(wrong.body.code).toBe('wrong_password')
    const { body } = await patch(staff, other.id, { is_active: true, current_password: staff.password })
    expect([body.is_active, body.is_staff]).toEqual([true, true])
    await patch(staff, other.id, { is_active: false })
    expect((await patch(staff, other.id, { is_active: true, is_staff: false })).body.is_active).toBe(true)
    const disabled = await world.signUp()
    await patch(staff, disabled.id, { is_active: false })
    expect((await patch(staff, disabled.id, { is_active: true })).status).toBe(200)
  })

  test('a change of staff rights takes effect with the next request, in existing sessions', async () => {
    const person = await world.signUp()
    expect((await grant(staff, person.id)).body.is_staff).toBe(true)
    expect((await list(person)).status).toBe(200)
    expect((await patch(staff, person.id, { is_staff: false })).body.is_staff).toBe(false)
    expect((await list(person)).body.code).toBe('staff_only')
    expect((await person.request('GET', '/api/me')).body.is_staff).toBe(false)
  })

  test('an empty body and read-only members change nothing', async () => {
    const person = await world.signUp()
    const before = await readUser(person)
    for (const body of [{}, before, { username: 'another', id: 1 }]) {
      const answer = await patch(staff, person.id, body)
      expect([answer.status, answer.body]).toEqual([200, before])
    }
  })

  test('answers 422 for members that it cannot change', async () => {
    const person = await world.signUp()
    const answer = await patch(staff, person.id, { password: 'a new one for her', is_active: false })
    const errors = [{ pointer: '/password', detail: 'is not a member of this body' }]
    expect([answer.status, answer.body.errors]).toEqual([422, errors])
    expect((await person.request('GET', '/api/me')).status).toBe(200)
  })

  test.each([{ is_active: 'no' }, { is_staff: null }, { is_staff: 1 }])('answers 422 for %o', async (body) => {
    const answer = await patch(staff, staff.id, body)
    expect([answer.status, answer.body.errors[0]?.pointer]).toEqual([422, `/${Object.keys(body)[0]}`])
  })

  test.each(['999999999', '0', 'me'])('answers 404 for the account %s', async (id) => {
    expect((await patch(staff, id, { is_active: false })).body.code).toBe('not_found')
  })
})

describe('the last active staff account', () => {
  let small: World
  beforeAll(async () => {
    // A world of its own: which staff account is the last one depends on all accounts.
    small = await startWorld()
  })
  afterAll(() => small?.close())

  test('can be neither disabled nor demoted until another one exists', async () => {
    const boss = await small.signUpStaff()
    const disabled = await small.signUpStaff()
    expect((await patch(boss, disabled.id, { is_active: false })).status).toBe(200)
    for (const change of [{ is_active: false }, { is_staff: false }, { is_active: false, is_staff: false }]) {
      const answer = await patch(boss, boss.id, change)
      expect([answer.status, answer.body.code]).toEqual([409, 'last_staff'])
    }
    expect((await patch(boss, boss.id, { is_active: true, is_staff: true })).status).toBe(200)
    const second = await small.signUp()
    await grant(boss, second.id)
    expect((await patch(boss, boss.id, { is_staff: false })).body.is_staff).toBe(false)
    expect((await patch(second, second.id, { is_staff: false })).body.code).toBe('last_staff')
  })

  test.runIf(hasRealPostgres)(
    'when two staff accounts demote each other at the same time, only one succeeds',
    async () => {
      await small.postgres.query('UPDATE accounts SET is_staff = false')
      for (let round = 0; round < 5; round += 1) {
        const [one, other] = [await small.signUpStaff(), await small.signUpStaff()]
        const answers = await Promise.all([
          patch(one, other.id, { is_staff: false }),
          patch(other, one.id, { is_active: false }),
        ])
        expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
        const left = await small.postgres.query('SELECT id FROM accounts WHERE is_staff AND is_active')
        expect(left).toHaveLength(1)
        await small.postgres.query('UPDATE accounts SET is_staff = false')
      }
    },
  )
})
