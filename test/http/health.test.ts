// Liveness of the Worker and readiness of its upstreams.
import { beforeAll, describe, expect, test } from 'vitest'
import { type Answer, poll, type World } from '../harness.ts'
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

const readReadiness = () => world.request('GET', '/api/health/ready')

const statusesOf = ({ body }: Answer) => upstreams.map((upstream) => body.upstreams[upstream].status)

/** A new isolate, which remembers no answer. */
const forget = () => world.reconfigure({})

async function readReadinessWith(upstream: (typeof upstreams)[number], pass: CallInterceptor) {
  await forget()
  world.faults[upstream].pass = pass
  try {
    return await readReadiness()
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
  await forget()
  const answer = await readReadiness()
  const well = { status: 'ok', latency_ms: expect.any(Number) }
  expect([answer.status, answer.body]).toEqual([
    200,
    { status: 'ok', upstreams: { postgres: well, redis: well, qstash: well } },
  ])
})

test('many requests for the readiness share one check, whose answer is remembered', async () => {
  await forget()
  world.exchanges.length = 0
  const answers = await Promise.all(Array.from({ length: 50 }, readReadiness))
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
  for (const upstream of upstreams) expect(world.requestsTo(upstream)).toHaveLength(1)
  world.faults.postgres.pass = shut
  const remembered = await readReadiness()
  expect([remembered.status, remembered.text]).toEqual([200, answers[0]?.text])
  expect(world.requestsTo('postgres')).toHaveLength(1)
  world.faults.postgres.pass = open
})

test('a client that disconnects does not end the check for the others', async () => {
  await forget()
  world.faults.redis.pass = hang
  const leaving = new AbortController()
  const first = fetch(new URL('/api/health/ready', world.url), { signal: leaving.signal }).catch(() => 'disconnected')
  await poll(
    async () => ({ isDone: world.requestsTo('qstash').length > 0, value: world.exchanges }),
    'the check to begin',
  )
  const second = readReadiness()
  leaving.abort()
  expect(await first).toBe('disconnected')
  expect((await second).body.upstreams.redis.status).toBe('unavailable')
  world.faults.redis.pass = open
})

test('the readiness is checked again after five seconds, and upstreams that are available again are reported so', async () => {
  await forget()
  for (const upstream of upstreams) world.faults[upstream].pass = shut
  const unavailable = await readReadiness()
  expect([unavailable.status, statusesOf(unavailable)]).toEqual([503, ['unavailable', 'unavailable', 'unavailable']])
  for (const upstream of upstreams) world.faults[upstream].pass = open
  const beganAt = performance.now()
  const available = await poll(async () => {
    const answer = await readReadiness()
    return { isDone: answer.status === 200, value: answer }
  }, 'the answer to be forgotten')
  expect(statusesOf(available)).toEqual(['ok', 'ok', 'ok'])
  expect(performance.now() - beganAt).toBeGreaterThan(3_000)
})

describe.each(upstreams)('with %s', (upstream) => {
  test.each<[string, CallInterceptor]>([
    ['unavailable', shut],
    ['answering 500', answerWith(500, { error: 'broken' })],
    ['answering 401', answerWith(401, { error: 'unauthorized' })],
    ['answering HTML behind a 502', answerWith(502, '<html>Bad gateway</html>')],
  ])('%s, GET /health/ready answers 503 and reports only this upstream', async (_, pass) => {
    const answer = await readReadinessWith(upstream, pass)
    expect([answer.status, answer.body.status]).toEqual([503, 'unavailable'])
    for (const each of upstreams)
      expect([each, answer.body.upstreams[each].status]).toEqual([each, each === upstream ? 'unavailable' : 'ok'])
    expect(answer.body.remedy).toMatch(/"npm run platform" starts/)
    expect(answer.text).not.toMatch(/127\.0\.0\.1|broken|SELECT/)
    const failures = world.logs().filter((line) => line.channel === 'error' && line.upstream === upstream)
    expect(failures).not.toEqual([])
  })
})

test('an upstream that never answers is reported as unavailable after its own deadline', async () => {
  await forget()
  for (const upstream of upstreams) world.faults[upstream].pass = hang
  const answer = await readReadiness()
  for (const upstream of upstreams) world.faults[upstream].pass = open
  expect([answer.status, statusesOf(answer)]).toEqual([503, ['unavailable', 'unavailable', 'unavailable']])
  const deadlinesMs = { redis: 300, qstash: 2_000, postgres: 8_000 }
  for (const upstream of upstreams) {
    const { latency_ms } = answer.body.upstreams[upstream]
    // A timer may fire a millisecond early by the clock, and late on a busy computer.
    expect(latency_ms).toBeGreaterThanOrEqual(deadlinesMs[upstream] - 5)
    expect(latency_ms).toBeLessThan(deadlinesMs[upstream] + 3_000)
  }
})
