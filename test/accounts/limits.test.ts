// Limits of failed log-ins and of sign-ups.

import { randomUUID } from 'node:crypto'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Answer, poll } from '../harness.ts'
import { callsOf } from '../round-trips.ts'
import {
  anAddress,
  clearSeconds,
  from,
  type LimitedWorld,
  logInWindowSeconds,
  signUpWindowSeconds,
  useLimitedWorld,
  wrong,
} from './limited.ts'
import { stayClearOfTurn } from './people.ts'

let { world, logIn, signUp, aPerson } = {} as LimitedWorld // until `beforeAll`
beforeAll(async () => {
  ;({ world, logIn, signUp, aPerson } = await useLimitedWorld())
})
beforeEach(() => stayClearOfTurn(logInWindowSeconds, clearSeconds))

function expectLimited(answer: Answer, name: string, quota: number, windowSeconds: number): void {
  expect([answer.status, answer.body.code]).toEqual([429, 'rate_limited'])
  const retryAfter = Number(answer.headers.get('Retry-After'))
  expect(retryAfter).toBeGreaterThanOrEqual(1)
  expect(retryAfter).toBeLessThanOrEqual(windowSeconds)
  expect(answer.headers.get('RateLimit-Policy')).toBe(`"${name}";q=${quota};w=${windowSeconds}`)
  expect(answer.headers.get('RateLimit')).toBe(`"${name}";r=0;t=${retryAfter}`)
}

describe('failed log-ins', () => {
  test('are limited by name and address: then that address is refused with the right password too, and nothing is hashed', async () => {
    const { username, password } = await aPerson()
    const address = anAddress()
    for (const _again of [1, 2]) expect((await logIn(username, wrong, address)).status).toBe(401)
    const limited = await logIn(username, password, address)
    expectLimited(limited, 'failed-log-ins-by-name-and-address', 2, logInWindowSeconds)
    expect((await logIn(username.toUpperCase(), password, address)).status).toBe(429)
    expect((await logIn(username, password, anAddress())).status).toBe(200)
  })

  test('are limited by name, over all addresses', async () => {
    const { username, password } = await aPerson()
    for (const _again of [1, 2, 3]) expect((await logIn(username, wrong, anAddress())).status).toBe(401)
    expectLimited(await logIn(username, password, anAddress()), 'failed-log-ins-by-name', 3, logInWindowSeconds)
  })

  test('are limited by address, over all names', async () => {
    const { username, password } = await aPerson()
    const address = anAddress()
    for (const _again of [1, 2, 3, 4]) expect((await logIn(`nobody-${randomUUID()}`, wrong, address)).status).toBe(401)
    expectLimited(await logIn(username, password, address), 'failed-log-ins-by-address', 4, logInWindowSeconds)
  })

  test('of unknown names are limited like those of known names', async () => {
    const [name, address] = [`nobody-${randomUUID()}`, anAddress()]
    for (const _again of [1, 2]) expect((await logIn(name, wrong, address)).status).toBe(401)
    expect((await logIn(name, wrong, address)).status).toBe(429)
  })

  test('of a disabled account are counted even with the right password', async () => {
    const { username, password } = await aPerson()
    await world.postgres.query('UPDATE accounts SET is_active = false WHERE username = $1', [username])
    const address = anAddress()
    const statuses: number[] = []
    for (const _again of [1, 2, 3]) statuses.push((await logIn(username, password, address)).status)
    expect(statuses).toEqual([401, 401, 429])
  })

  test('of one IPv6 /64 count as one address', async () => {
    const name = `nobody-${randomUUID()}`
    const tries = [1, 2, 3].map((host) => () => logIn(name, wrong, `2001:db8:7:1::${host}`))
    const statuses: number[] = []
    for (const attempt of tries) statuses.push((await attempt()).status)
    expect(statuses).toEqual([401, 401, 429])
  })

  test('are counted, successful ones are not: the right password works any number of times', async () => {
    const { username, password } = await aPerson()
    const address = anAddress()
    for (const _again of [1, 2, 3, 4, 5]) expect((await logIn(username, password, address)).status).toBe(200)
  })

  test('at the same time: no more passwords are checked than the limit allows', async () => {
    const statuses = await poll(async () => {
      await stayClearOfTurn(logInWindowSeconds, clearSeconds)
      const { username } = await aPerson()
      const address = anAddress()
      const logged = world.logs().length
      const answers = await Promise.all(Array.from({ length: 12 }, () => logIn(username, wrong, address)))
      // On a busy machine the stand-in may take longer than the deadline of Redis (300 ms): then nothing is limited.
      const isLimited = world
        .logs()
        .slice(logged)
        .every(({ upstream }) => upstream !== 'redis')
      return { isDone: isLimited, value: answers.map(({ status }) => status) }
    }, 'twelve log-ins at once for which Redis answers in time')
    expect(statuses.toSorted()).toEqual([401, 401, ...Array(10).fill(429)])
  })

  test('that one limit refuses are not counted by the other limits', async () => {
    const { username, password } = await aPerson()
    const address = anAddress()
    for (const _again of [1, 2]) await logIn(username, wrong, address)
    for (const _again of [1, 2, 3, 4]) expect((await logIn(username, wrong, address)).status).toBe(429)
    // The limit by name allows one more, the limit by address two more.
    expect((await logIn(username, password, anAddress())).status).toBe(200)
    expect((await logIn(`nobody-${randomUUID()}`, wrong, address)).status).toBe(401)
  })

  test('cost no extra sequential round trip: the counters are read in parallel with the database', async () => {
    const { username, password } = await aPerson()
    const { answer, calls } = await callsOf(world, () => logIn(username, password, anAddress()))
    expect(answer.status).toBe(200)
    const services = calls.map(({ service }) => service)
    expect(services.slice(0, 3).sort()).toEqual(['postgres', 'redis', 'redis'])
  })

  test('leave neither names nor passwords in Redis', async () => {
    const name = `nobody-${randomUUID()}`
    await logIn(name, wrong, anAddress())
    const keys = await world.redis.command('KEYS', 'limit:*')
    expect(JSON.stringify(keys)).toContain('limit:failed-log-ins-by-name:')
    expect(JSON.stringify(keys)).not.toContain(name)
  })

  test('include POST /api/me/password, so a stolen access token does not allow more guesses', async () => {
    const { username, password, request } = await aPerson()
    const address = anAddress()
    const change = (current_password: string) =>
      request('POST', '/api/me/password', {
        body: { current_password, new_password: 'a bolster and a platen' },
        headers: from(address),
      })
    expect((await change(wrong)).status).toBe(422)
    expect((await logIn(username, wrong, address)).status).toBe(401)
    expectLimited(await change(password), 'failed-log-ins-by-name-and-address', 2, logInWindowSeconds)
    expect((await logIn(username, password, address)).status).toBe(429)
  })
})

describe('sign-ups', () => {
  beforeEach(() => stayClearOfTurn(signUpWindowSeconds, clearSeconds))

  test('and changes of the e-mail address are counted together, because both reveal which addresses are taken', async () => {
    const [person, other] = [await aPerson(), await aPerson()]
    const address = anAddress()
    const { email: taken } = (await other.request('GET', '/api/me')).body
    const change = (email: string) =>
      person.request('PATCH', '/api/me', { body: { email, current_password: person.password }, headers: from(address) })
    expect((await change(taken)).status).toBe(409)
    expect((await change(`${randomUUID()}@example.com`)).status).toBe(200)
    expect((await signUp(address)).status).toBe(201)
    expectLimited(await change(taken), 'sign-ups-by-address', 3, signUpWindowSeconds)
    const { body } = await person.request('GET', '/api/me')
    const same = await person.request('PATCH', '/api/me', { body, headers: from(address) })
    expect(same.status).toBe(200)
  })

  test('are limited by address, and refused ones count too', async () => {
    const address = anAddress()
    const first = await signUp(address)
    expect(first.status).toBe(201)
    expect((await signUp(address, { username: first.body.user.username })).status).toBe(409)
    expect((await signUp(address, { password: '1' })).status).toBe(422) // an invalid body is not counted
    expect((await signUp(address)).status).toBe(201)
    expectLimited(await signUp(address), 'sign-ups-by-address', 3, signUpWindowSeconds)
    expect((await signUp(anAddress())).status).toBe(201)
  })
})
