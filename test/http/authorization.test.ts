// The Authorization header: where it is needed, and where it does no harm. And the limit that every account has.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { poll, startWorld, type World } from '../harness.ts'

let world: World
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world?.close())

const headers = [
  'Bearer',
  'Bearer x',
  'Bearer a b',
  'Basic dXNlcjpwYXNz',
  'x'.repeat(8_000),
  'Bearer Ω'.replace('Ω', '\u00e9'),
]

test.each(headers)('a bad Authorization header (%#) harms no endpoint that needs none', async (Authorization) => {
  const person = await world.signUp()
  const ask = async (method: string, path: string, body?: unknown) =>
    (await world.request(method, path, { headers: { Authorization }, ...(body === undefined ? {} : { body }) })).status
  const username = `h-${crypto.randomUUID()}`
  const newcomer = { username, password: person.password, email: `${username}@example.com` }
  expect(await ask('POST', '/api/sign-up', newcomer)).toBe(201)
  expect(await ask('POST', '/api/log-in', { username, password: person.password })).toBe(200)
  expect(await ask('POST', '/api/token/refresh', { refresh: person.refresh })).toBe(200)
  expect(await ask('GET', '/.well-known/jwks.json')).toBe(200)
  expect(await ask('GET', '/api/health')).toBe(200)
  expect(await ask('GET', '/api/health/ready')).toBe(200)
  expect(await ask('POST', '/api/sign-in', {})).toBe(308)
})

test.each(headers)(
  'a bad Authorization header (%#) is answered 401 token_invalid where one is needed',
  async (Authorization) => {
    const answer = await world.request('GET', '/api/me', { headers: { Authorization } })
    expect([answer.status, answer.body.code]).toEqual([401, 'token_invalid'])
    expect(answer.headers.get('WWW-Authenticate')).toBe('Bearer error="invalid_token"')
  },
)

test.each([
  ['GET', '/api/me'],
  ['PATCH', '/api/me'],
  ['POST', '/api/me/password'],
  ['GET', '/api/me/sessions'],
  ['DELETE', '/api/me/sessions/0198c0de-7c1a-7000-8000-000000000001'],
  ['POST', '/api/log-out'],
  ['GET', '/api/accounts'],
  ['PATCH', '/api/accounts/1'],
])('%s %s without a token is answered 401 that says which scheme', async (method, path) => {
  const answer = await world.request(method, path)
  expect([answer.status, answer.body.code]).toEqual([401, 'token_missing'])
  expect(answer.headers.get('WWW-Authenticate')).toBe('Bearer')
})

test.each(['bearer', 'BEARER', 'Bearer '])('the scheme may be written %s', async (scheme) => {
  const person = await world.signUp()
  const answer = await world.request('GET', '/api/me', { headers: { Authorization: `${scheme} ${person.access}` } })
  expect(answer.status).toBe(200)
})

test('an account that sends more than 1,000 requests in 10 s is told to wait, without a round trip, and no other is', async () => {
  const [busy, other] = [await world.signUp(), await world.signUp()]
  // Refused behind the token and before any upstream: the cheapest request that counts.
  const ask = () => busy.request('POST', '/api/machines', { headers: { 'Content-Type': 'text/plain' } })
  const before = world.exchanges.length
  const limited = await poll(
    async () => {
      const answers = await Promise.all(Array.from({ length: 50 }, ask))
      const refused = answers.find(({ status }) => status !== 415)
      return { isDone: refused !== undefined, value: refused }
    },
    'the limit of the account',
    25_000,
  )
  expect([limited?.status, limited?.body.code]).toEqual([429, 'rate_limited'])
  expect(limited?.headers.get('Retry-After')).toBe('10')
  expect(limited?.headers.get('RateLimit-Policy')).toBe('"account";q=1000;w=10')
  expect(limited?.headers.get('RateLimit')).toBe('"account";r=0;t=10')
  expect(world.exchanges.length).toBe(before)
  expect((await other.request('GET', '/api/me')).status).toBe(200)
})
