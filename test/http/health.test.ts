// Liveness of the Worker and readiness of its upstreams.
import { beforeAll, describe, expect, test } from 'vitest'
import type { World } from '../harness.ts'
import { type CallInterceptor, hang, open, shut } from '../platform/faults.ts'
import { useWorld } from '../shared-world.ts'

let world: World
beforeAll(async () => {
  world = await useWorld()
})

const upstreams = ['postgres', 'redis', 'qstash'] as const
const answerWith =
  (status: number, body: unknown): CallInterceptor =>
  async () => ({ status, body })

async function readReadinessWith(upstream: (typeof upstreams)[number], pass: CallInterceptor) {
  world.faults[upstream].pass = pass
  try {
    return await world.request('GET', '/api/health/ready')
  } finally {
    world.faults[upstream].pass = open
  }
}

test('GET /health answers 200 without upstream calls, whatever token is sent', async () => {
  world.exchanges.length = 0
  for (const headers of [{}, { Authorization: 'Basic nonsense' }]) {
    const answer = await world.request('GET', '/api/health', { headers })
    expect([answer.status, answer.body]).toEqual([200, { status: 'ok' }])
  }
  const head = await world.request('HEAD', '/api/health')
  expect([head.status, head.text]).toEqual([200, ''])
  expect(world.exchanges).toEqual([])
})

test('GET /health/ready answers 200 with each upstream and its latency', async () => {
  const answer = await world.request('GET', '/api/health/ready')
  const well = { status: 'ok', latency_ms: expect.any(Number) }
  expect([answer.status, answer.body]).toEqual([
    200,
    { status: 'ok', upstreams: { postgres: well, redis: well, qstash: well } },
  ])
})

describe.each(upstreams)('with %s', (upstream) => {
  test.each<[string, CallInterceptor]>([
    ['unavailable', shut],
    ['answering 500', answerWith(500, { error: 'broken' })],
    ['answering 401', answerWith(401, { error: 'unauthorized' })],
    ['answering HTML behind a 502', answerWith(502, '<html>Bad gateway</html>')],
  ])('%s, GET /health/ready answers 503 and reports only this upstream', async (_, pass) => {
    const answer = await readReadinessWith(upstream, pass)
    expect([answer.status, answer.body.status]).toEqual([503, 'away'])
    for (const each of upstreams)
      expect([each, answer.body.upstreams[each].status]).toEqual([each, each === upstream ? 'away' : 'ok'])
    expect(answer.body.remedy).toMatch(/"npm run platform" starts/)
    expect(answer.text).not.toMatch(/127\.0\.0\.1|broken|SELECT/)
    const failures = world.logs().filter((line) => line.channel === 'error' && line.upstream === upstream)
    expect(failures).not.toEqual([])
  })

  test('available again, it answers 200', async () => {
    expect((await world.request('GET', '/api/health/ready')).status).toBe(200)
  })
})

test.each([
  ['redis', 300],
  ['qstash', 2_000],
  ['postgres', 8_000],
] as const)('%s that never answers is reported as unavailable after %i ms', async (upstream, deadlineMs) => {
  const answer = await readReadinessWith(upstream, hang)
  expect([answer.status, answer.body.upstreams[upstream].status]).toEqual([503, 'away'])
  const { latency_ms } = answer.body.upstreams[upstream]
  // A timer may fire a millisecond early by the clock, and late on a busy computer.
  expect(latency_ms).toBeGreaterThanOrEqual(deadlineMs - 5)
  expect(latency_ms).toBeLessThan(deadlineMs + 3_000)
})
