// The Worker with an incomplete environment: the log and every answer say so, and show no value.
import { beforeAll, expect, test } from 'vitest'
import { makeSigningKey, poll, type World } from './harness.ts'
import { useWorld } from './shared-world.ts'

let world: World
beforeAll(async () => {
  world = await useWorld()
})

test.each([
  { name: 'one that is missing', vars: { QSTASH_TOKEN: '' } },
  { name: 'a database that the driver refuses', vars: { DATABASE_URL: 'postgres://leak' } },
  { name: 'an origin that is no URL', vars: { PUBLIC_URL: 'leak' } },
  // The runtime has its own node:crypto.
  {
    name: 'a key whose halves are of two pairs',
    vars: { JWT_KEYS: JSON.stringify([{ ...makeSigningKey('a'), x: makeSigningKey('b').x }]) },
  },
  {
    name: 'many at once',
    vars: { DATABASE_URL: '', UPSTASH_REDIS_REST_URL: 'leak', QSTASH_URL: 'leak', JWT_KEYS: '["leak"]' },
  },
])('answers 503 to everything and names $name', async ({ vars }) => {
  await world.reconfigure(vars)
  for (const path of ['/api/health', '/api/machines', '/api/nowhere']) {
    const answer = await world.request('GET', path)
    expect([path, answer.status, answer.body.code]).toEqual([path, 503, 'misconfigured'])
    expect(answer.headers.get('Content-Type')).toBe('application/problem+json')
    expect(answer.headers.get('Retry-After')).toMatch(/^\d+$/)
    expect(answer.headers.get('X-Request-Id')).toBe(answer.body.request_id)
    for (const name of Object.keys(vars)) expect(answer.body.detail).toContain(name)
    expect(answer.body.detail).toMatch(/"npm run dev" writes the variables to \.dev\.vars/)
    expect(answer.text).not.toContain('leak')
  }
  const head = await world.request('HEAD', '/api/health')
  expect([head.status, head.text]).toEqual([503, ''])
})

test('still logs each request', async () => {
  await world.reconfigure({ QSTASH_TOKEN: '' })
  const { headers } = await world.request('POST', '/api/log-in?x=1', { body: {} })
  const requestId = headers.get('X-Request-Id')
  const line = await poll(async () => {
    const found = world.logs().find((each) => each.request_id === requestId)
    return { isDone: found !== undefined, value: found }
  }, 'the line in the log')
  expect(line).toEqual({
    channel: 'api',
    request_id: requestId,
    method: 'POST',
    path: '/api/log-in',
    status: 503,
    duration_ms: expect.any(Number),
    round_trips: [],
  })
})

test('logs the error when it starts, before the first request, and its cron fails', async () => {
  const before = world.logs().length
  await world.reconfigure({ QSTASH_TOKEN: 'leak', JWT_KEYS: '' })
  await expect(world.sweep()).rejects.toThrow()
  const lines = world
    .logs()
    .slice(before)
    .filter(({ code }) => code === 'misconfigured')
  expect(lines[0]).toEqual({
    channel: 'error',
    code: 'misconfigured',
    faults: [
      { name: 'QSTASH_TOKEN', fault: expect.stringMatching(/./) },
      { name: 'JWT_KEYS', fault: 'is missing' },
    ],
    remedy: expect.stringContaining('"npm run dev"'),
  })
  expect(JSON.stringify(lines)).not.toContain('leak')
})

test('works when the environment is complete', async () => {
  await world.reconfigure({})
  expect((await world.request('GET', '/api/health')).status).toBe(200)
})
