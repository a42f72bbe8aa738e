// Which origins may call the API from a browser: none unless ALLOWED_ORIGINS allows them.
import { beforeAll, describe, expect, test } from 'vitest'
import type { World } from '../../harness.ts'
import { useWorld } from '../../shared-world.ts'

const app = 'https://app.example.com'
const other = 'http://localhost:5173'
let world: World
beforeAll(async () => {
  world = await useWorld()
})

const corsHeaders = (headers: Headers) => [...headers.keys()].filter((name) => name.startsWith('access-control-'))
const preflight = (Origin: string, path = '/api/machines') =>
  world.request('OPTIONS', path, {
    headers: { Origin, 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'authorization' },
  })
const get = (headers: Record<string, string>) => world.request('GET', '/api/health', { headers })

describe('with no origin allowed, which is the default,', () => {
  test('no answer has a CORS header', async () => {
    const { status, headers } = await get({ Origin: app })
    expect([status, corsHeaders(headers), headers.get('Vary')]).toEqual([200, [], null])
  })

  test('OPTIONS answers only with the methods of a path', async () => {
    const { status, headers } = await preflight(app)
    expect([status, corsHeaders(headers)]).toEqual([204, []])
    expect(headers.get('Allow')).toBe('GET, HEAD, OPTIONS, POST')
  })
})

describe('with two origins allowed', () => {
  beforeAll(() => world.reconfigure({ ALLOWED_ORIGINS: `${app}, ${other}` }))

  test.each([app, other])(
    'a preflight from %s is answered 204 with the allowed methods and headers',
    async (origin) => {
      const { status, headers, text } = await preflight(origin)
      expect([status, text]).toEqual([204, ''])
      expect(headers.get('Access-Control-Allow-Origin')).toBe(origin)
      expect(headers.get('Access-Control-Allow-Methods')).toBe('GET, HEAD, POST, PUT, PATCH, DELETE')
      expect(headers.get('Access-Control-Allow-Headers')).toBe(
        'Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID',
      )
      expect(headers.get('Access-Control-Max-Age')).toBe('600')
      expect(headers.get('Access-Control-Allow-Credentials')).toBeNull()
      expect(headers.get('Vary')).toBe('Origin')
      expect(headers.get('X-Request-Id')).toMatch(/^[0-9a-f-]{36}$/)
    },
  )

  test('a preflight needs no token and no separate route', async () => {
    expect((await preflight(app, '/api/jobs/0198c0de-7c1a-7000-8000-000000000001/')).status).toBe(204)
  })

  test('answers and errors can be read, with the exposed headers', async () => {
    const answers = [
      await get({ Origin: app }),
      await world.request('GET', '/api/me', { headers: { Origin: app } }),
      await world.request('GET', '/api/nothing', { headers: { Origin: app } }),
      await world.request('POST', '/api/log-in', { headers: { Origin: app }, body: '{' }),
      await world.request('POST', '/api/sign-in', { headers: { Origin: app }, body: '{' }),
    ]
    expect(answers.map(({ status }) => status)).toEqual([200, 401, 404, 400, 308])
    for (const { headers } of answers) {
      expect(headers.get('Access-Control-Allow-Origin')).toBe(app)
      expect(headers.get('Access-Control-Expose-Headers')).toBe(
        'ETag, Location, Link, Retry-After, X-Request-Id, Idempotency-Replayed, RateLimit, RateLimit-Policy',
      )
      expect(headers.get('Vary')).toBe('Origin')
    }
  })

  test.each([
    ['another origin', { Origin: 'https://evil.example' }],
    ['the same host by another scheme', { Origin: 'http://app.example.com' }],
    ['a subdomain', { Origin: 'https://a.app.example.com' }],
    ['the origin null', { Origin: 'null' }],
    ['no origin', {} as Record<string, string>],
  ])('%s gets the answer without CORS headers, but with Vary', async (_what, headers) => {
    const answer = await get(headers)
    expect([answer.status, corsHeaders(answer.headers)]).toEqual([200, []])
    expect(answer.headers.get('Vary')).toBe('Origin')
  })

  test('a preflight from another origin gets no permission', async () => {
    const { headers } = await preflight('https://evil.example')
    expect([corsHeaders(headers), headers.get('Vary')]).toEqual([[], 'Origin'])
  })

  test('OPTIONS without preflight headers is not treated as a preflight', async () => {
    const { headers } = await world.request('OPTIONS', '/api/machines', { headers: { Origin: app } })
    expect(headers.get('Allow')).toBe('GET, HEAD, OPTIONS, POST')
    expect(headers.get('Access-Control-Allow-Methods')).toBeNull()
    expect(headers.get('Access-Control-Allow-Origin')).toBe(app)
  })
})

describe('with every origin allowed', () => {
  beforeAll(() => world.reconfigure({ ALLOWED_ORIGINS: '*' }))

  test('answers allow every origin, have no Vary, and do not allow cookies', async () => {
    for (const { headers } of [await get({ Origin: 'https://any.example' }), await preflight('https://any.example')]) {
      expect(headers.get('Access-Control-Allow-Origin')).toBe('*')
      expect(headers.get('Access-Control-Allow-Credentials')).toBeNull()
      expect(headers.get('Vary')).toBeNull()
    }
  })
})

// test/env.test.ts has a table of invalid lists.
test('with an invalid list of origins the Worker answers that it is not configured, and shows no value', async () => {
  await world.reconfigure({ ALLOWED_ORIGINS: 'https://leak.example.com,*' })
  const answer = await get({})
  expect([answer.status, answer.body.code]).toEqual([503, 'misconfigured'])
  expect(answer.body.detail).toContain('ALLOWED_ORIGINS must be origins')
  expect(answer.text).not.toContain('leak')
})
