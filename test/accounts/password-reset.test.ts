// Accounts that staff make, and one-time tokens with which an account gets a new password.
import { randomUUID } from 'node:crypto'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Answer, Person, World } from '../harness.ts'
import { useWorld } from '../shared-world.ts'

const password = 'a bolster and a platen'

let world: World
let staff: Person
beforeAll(async () => {
  world = await useWorld()
  staff = await world.signUpStaff()
})

const reset = (reset_token: string, new_password = password): Promise<Answer> =>
  world.request('POST', '/api/password-reset', { body: { reset_token, new_password } })
const logIn = (username: string, secret: string): Promise<Answer> =>
  world.request('POST', '/api/log-in', { body: { username, password: secret } })
const issue = async ({ id }: { id: number }): Promise<string> => {
  const { status, body } = await staff.request('POST', `/api/accounts/${id}/password-reset`)
  expect(status).toBe(201)
  return body.reset_token
}

describe('an account that staff make', () => {
  const details = () => {
    const username = `jisoo-${randomUUID()}`
    return { username, email: `${username}@example.com`, first_name: '지수', last_name: '박' }
  }

  test('has no password until the person sets one with the token, which works once', async () => {
    const body = details()
    const made = await staff.request('POST', '/api/accounts', { body })
    expect([made.status, made.body.user]).toMatchObject([
      201,
      { ...body, is_staff: false, is_active: true, last_login: null },
    ])
    for (const guess of ['!', '!!!!!!!!!!', made.body.reset_token]) {
      expect((await logIn(body.username, guess)).status).toBe(401)
    }
    expect((await reset(made.body.reset_token)).status).toBe(204)
    expect((await logIn(body.username, password)).body.user.id).toBe(made.body.user.id)
    const again = await reset(made.body.reset_token)
    expect([again.status, again.body.code]).toEqual([422, 'reset_token_invalid'])
  })

  test('needs a username and an e-mail address that are free', async () => {
    const body = details()
    await staff.request('POST', '/api/accounts', { body })
    const sameName = await staff.request('POST', '/api/accounts', { body: { ...details(), username: body.username } })
    expect([sameName.status, sameName.body.code]).toEqual([409, 'username_taken'])
    const sameEmail = await staff.request('POST', '/api/accounts', { body: { ...details(), email: body.email } })
    expect([sameEmail.status, sameEmail.body.code]).toEqual([409, 'email_taken'])
  })

  test('is made by staff only', async () => {
    const person = await world.signUp()
    const body = details()
    const refused = await person.request('POST', '/api/accounts', { body })
    expect([refused.status, refused.body.code]).toEqual([403, 'staff_only'])
    expect((await staff.request('POST', '/api/accounts', { body })).status).toBe(201)
  })
})

describe('a password reset', () => {
  test('ends all sessions, and the old password stays valid until it is used', async () => {
    const person = await world.signUp()
    const token = await issue(person)
    expect((await person.request('GET', '/api/me')).status).toBe(200)
    expect((await reset(token)).status).toBe(204)
    expect((await person.request('GET', '/api/me')).body.code).toBe('session_ended')
    expect((await logIn(person.username, person.password)).status).toBe(401)
    expect((await logIn(person.username, password)).status).toBe(200)
  })

  test('replaces an earlier one, and expires after 24 hours', async () => {
    const person = await world.signUp()
    const first = await issue(person)
    const second = await issue(person)
    expect((await reset(first)).body.code).toBe('reset_token_invalid')
    const [row] = await world.postgres.query(
      `UPDATE password_resets SET expires_at = expires_at - interval '24 hours' WHERE account_id = $1
       RETURNING expires_at BETWEEN now() - interval '1 minute' AND now() AS is_over`,
      [person.id],
    )
    expect(row).toEqual({ is_over: true })
    expect((await reset(second)).body.code).toBe('reset_token_invalid')
    await world.sweep()
    expect(await world.postgres.query('SELECT FROM password_resets WHERE account_id = $1', [person.id])).toEqual([])
  })

  test('is not valid any more after the person has changed her password', async () => {
    const person = await world.signUp()
    const token = await issue(person)
    const body = { current_password: person.password, new_password: 'eleven barrels of steel' }
    expect((await person.request('POST', '/api/me/password', { body })).status).toBe(204)
    expect((await reset(token)).body.code).toBe('reset_token_invalid')
    expect((await logIn(person.username, body.new_password)).status).toBe(200)
  })

  test('of a disabled account, or with a token that never existed, is refused', async () => {
    const person = await world.signUp()
    const token = await issue(person)
    await world.postgres.query('UPDATE accounts SET is_active = false WHERE id = $1', [person.id])
    for (const bad of [token, 'x', '0'.repeat(43)]) {
      expect((await reset(bad)).body.code).toBe('reset_token_invalid')
    }
  })

  test('refuses a weak password and can then be used with another', async () => {
    const person = await world.signUp()
    const token = await issue(person)
    for (const weak of ['1234567890', person.username, 'short']) {
      const { status, body } = await reset(token, weak)
      expect([status, body.errors?.[0].pointer]).toEqual([422, '/new_password'])
    }
    expect((await reset(token)).status).toBe(204)
  })

  test('for an account with staff rights needs the password of the one who issues it', async () => {
    const other = await world.signUpStaff()
    const order = (id: number, body?: object) =>
      staff.request('POST', `/api/accounts/${id}/password-reset`, body && { body })
    // Whoever has stolen the access token could otherwise choose the password of staff, and make others staff with it.
    for (const { id } of [staff, other]) {
      for (const body of [undefined, {}]) {
        const refused = await order(id, body)
        expect([refused.status, refused.body.errors?.[0].pointer]).toEqual([422, '/current_password'])
      }
      const wrong = await order(id, { current_password: 'a wrong password' })
      expect([wrong.status, wrong.body.code]).toEqual([422, 'wrong_password'])
    }
    expect(await world.postgres.query('SELECT FROM password_resets WHERE account_id = $1', [other.id])).toEqual([])
    const issued = await order(other.id, { current_password: staff.password })
    expect(issued.status).toBe(201)
    expect((await reset(issued.body.reset_token)).status).toBe(204)
  })

  test('is issued by staff only, whatever password they give', async () => {
    const person = await world.signUp()
    const body = { current_password: person.password }
    const refused = await person.request('POST', `/api/accounts/${person.id}/password-reset`, { body })
    expect([refused.status, refused.body.code]).toEqual([403, 'staff_only'])
  })

  test('is for an account that exists', async () => {
    expect((await staff.request('POST', '/api/accounts/999999999/password-reset')).status).toBe(404)
  })

  test('stores and logs no token', async () => {
    const person = await world.signUp()
    const token = await issue(person)
    await reset(token, 'short')
    const rows = await world.postgres.query('SELECT * FROM password_resets')
    expect(JSON.stringify([rows, world.logs()])).not.toContain(token)
  })

  test('used twice at once takes effect once', async () => {
    const person = await world.signUp()
    const token = await issue(person)
    const answers = await Promise.all([reset(token), reset(token, 'a tie bar and a nozzle')])
    expect(answers.map(({ status }) => status).toSorted()).toEqual([204, 422])
  })
})

describe('with SIGN_UP=closed', () => {
  beforeAll(() => world.reconfigure({ SIGN_UP: 'closed' }))

  test('nobody signs up, and staff make accounts', async () => {
    const username = `p-${randomUUID()}`
    const body = { username, password, email: `${username}@example.com` }
    const refused = await world.request('POST', '/api/sign-up', { body })
    expect([refused.status, refused.body.code]).toEqual([403, 'sign_up_closed'])
    const made = await staff.request('POST', '/api/accounts', { body: { username, email: body.email } })
    expect(made.status).toBe(201)
  })
})

test('a session ends 30 days after the log-in, however often it is refreshed', async () => {
  await world.reconfigure({})
  const person = await world.signUp()
  const age = `UPDATE sessions SET created_at = now() - $2::interval WHERE account_id = $1`
  const refresh = async (token: string) => world.request('POST', '/api/token/refresh', { body: { refresh: token } })
  await world.postgres.query(age, [person.id, '29 days 23 hours'])
  const first = await refresh(person.refresh)
  expect(first.status).toBe(200)
  const [row] = await world.postgres.query(
    `SELECT expires_at - created_at = interval '30 days' AS is_capped FROM sessions WHERE account_id = $1`,
    [person.id],
  )
  expect(row).toEqual({ is_capped: true })
  await world.postgres.query(
    `UPDATE sessions SET created_at = created_at - interval '1 hour', expires_at = expires_at - interval '1 hour'
     WHERE account_id = $1`,
    [person.id],
  )
  expect((await refresh(first.body.token.refresh)).body.code).toBe('session_ended')
})
