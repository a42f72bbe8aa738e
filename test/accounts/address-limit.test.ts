// The limit of log-ins and sign-ups by address, which the runtime counts before anything costly.
import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Answer, type Person, poll, startWorld, type World } from '../harness.ts'
import { anAddress, from } from './limited.ts'

const limit = 3
let world: World
beforeAll(async () => {
  world = await startWorld({ signInLimit: limit })
})
afterAll(() => world?.close())

describe.each(['log-in', 'sign-up'])('POST /api/%s', (what) => {
  const send = (address: string) => world.request('POST', `/api/${what}`, { body: {}, headers: from(address) })

  test('is limited by address before the body is read, without a round trip and without a hash', async () => {
    const address = anAddress()
    // The window may change during the first round; then a second round is needed.
    const refused = await poll(async () => {
      const answers: Answer[] = []
      for (let sent = 0; sent <= limit; sent += 1) answers.push(await send(address))
      const found = answers.find(({ status }) => status !== 422)
      return { isDone: found !== undefined, value: found }
    }, 'the limit of the address')
    expect([refused?.status, refused?.body.code]).toEqual([429, 'rate_limited'])
    expect(refused?.headers.get('Retry-After')).toBe('60')
    expect(refused?.headers.get('RateLimit-Policy')).toBe(`"requests-for-${what}s-by-address";q=100;w=60`)
    expect(world.exchanges).toEqual([])
    expect((await send(anAddress())).status).toBe(422)
    const other = what === 'log-in' ? 'sign-up' : 'log-in'
    expect((await world.request('POST', `/api/${other}`, { body: {}, headers: from(address) })).status).toBe(422)
  })
})

describe.each([
  [
    'POST',
    '/api/me/password',
    (current_password: string) => ({ current_password, new_password: 'seven rows of barrels' }),
  ],
  ['PATCH', '/api/me', (current_password: string) => ({ current_password, email: `${randomUUID()}@example.com` })],
  ['DELETE', '/api/me', (current_password: string) => ({ current_password })],
  ['PATCH', '/api/accounts/{id}', (current_password: string) => ({ current_password, is_staff: true })],
] as const)('%s %s', (method, path, bodyWith) => {
  test('checks passwords for one address only so often, whoever asks', async () => {
    const address = anAddress()
    const { id } = await world.signUp()
    const people = await Promise.all(Array.from({ length: limit + 1 }, () => world.signUpStaff()))
    const send = (person: Person) =>
      person.request(method, path.replace('{id}', String(id)), {
        body: bodyWith('a wrong password'),
        headers: from(address),
      })
    // The window may change during the first round; then a second round is needed.
    const refused = await poll(async () => {
      const answers: Answer[] = []
      for (const person of people) answers.push(await send(person))
      const found = answers.find(({ status }) => status === 429)
      return { isDone: found !== undefined, value: found }
    }, 'the limit of the address')
    expect(refused?.headers.get('RateLimit-Policy')).toBe('"requests-for-password-checks-by-address";q=100;w=60')
  })
})

test('the limit in the answer is the one in wrangler.toml: 100 in 60 s', async () => {
  const config = await readFile('wrangler.toml', 'utf8')
  expect(config).toMatch(/name = "SIGN_IN_RATE_LIMIT"\nnamespace_id = "\d+"\nsimple = \{ limit = 100, period = 60 \}/)
})
