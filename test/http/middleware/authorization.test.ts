// The Authorization header: where it is required, and where it is ignored.
import { beforeAll, expect, test } from 'vitest'
import type { World } from '../../harness.ts'
import { useWorld } from '../../shared-world.ts'

let world: World
beforeAll(async () => {
  world = await useWorld()
})

const headers = [
  'Bearer',
  'Bearer x',
  'Bearer a b',
  'Basic dXNlcjpwYXNz',
  'x'.repeat(8_000),
  'Bearer Ω'.replace('Ω', '\u00e9'),
]

test.each(headers)(
  'an invalid Authorization header (%#) is ignored by endpoints that need none',
  async (Authorization) => {
    const person = await world.signUp()
    const ask = async (method: string, path: string, body?: unknown) =>
      (await world.request(method, path, { headers: { Authorization }, ...(body === undefined ? {} : { body }) }))
        .status
    const username = `h-${crypto.randomUUID()}`
    const newcomer = { username, password: person.password, email: `${username}@example.com` }
    expect(await ask('POST', '/api/sign-up', newcomer)).toBe(201)
    expect(await ask('POST', '/api/log-in', { username, password: person.password })).toBe(200)
    expect(await ask('POST', '/api/token/refresh', { refresh: person.refresh })).toBe(200)
    expect(await ask('GET', '/.well-known/jwks.json')).toBe(200)
    expect(await ask('GET', '/api/health')).toBe(200)
    expect(await ask('GET', '/api/health/ready')).toBe(200)
    expect(await ask('POST', '/api/sign-in', {})).toBe(308)
  },
)

test.each(headers)(
  'an invalid Authorization header (%#) is answered 401 token_invalid where a token is required',
  async (Authorization) => {
    const answer = await world.request('GET', '/api/me', { headers: { Authorization } })
    expect([answer.status, answer.body.code]).toEqual([401, 'token_invalid'])
    expect(answer.headers.get('WWW-Authenticate')).toBe('Bearer error="invalid_token"')
  },
)

test.each(['bearer', 'BEARER', 'Bearer '])('the scheme may be written %s', async (scheme) => {
  const person = await world.signUp()
  const answer = await world.request('GET', '/api/me', { headers: { Authorization: `${scheme} ${person.access}` } })
  expect(answer.status).toBe(200)
})
