// Health checks: whether the Worker runs, and whether each upstream answers, with its latency. Anyone may ask, so each
// isolate asks the upstreams at most every 5 s.
import { createRoute, z } from '@hono/zod-openapi'
import { describeError } from '../kernel/log.ts'
import type { Trace, Upstream } from '../kernel/trace.ts'
import type { Upstreams } from './context.ts'
import { enumOf } from './openapi/fields.ts'
import { createRouter, json, type Router } from './openapi/router.ts'

const tags = ['Health']
const alive = z.object({ status: enumOf(['ok'], { ok: 'The Worker answers.' }) }).openapi('Alive')
const upstream = z
  .object({
    status: enumOf(['ok', 'unavailable'], { ok: 'It answered.', unavailable: 'It did not answer.' }),
    latency_ms: z.int(),
  })
  .openapi('Upstream')
const shared = {
  status: enumOf(['ok', 'unavailable'], { ok: 'All upstreams answered.', unavailable: 'At least one did not answer.' }),
  upstreams: z.object({
    postgres: upstream,
    redis: upstream,
    qstash: upstream,
  }),
}
const readiness = z.object(shared).openapi('Readiness')
const remedy =
  'The log of the server contains the reason. On your own machine, "npm run platform" starts all three services.'
const notReady = z.object({ ...shared, remedy: z.string().openapi({ example: remedy }) }).openapi('NotReady')

const readAlive = createRoute({
  method: 'get',
  path: '/api/health',
  operationId: 'readHealth',
  tags,
  summary: 'Check that the Worker is running',
  responses: { 200: json(alive, 'The Worker is running') },
})

const readReady = createRoute({
  method: 'get',
  path: '/api/health/ready',
  operationId: 'readReadiness',
  tags,
  summary: 'Check that every upstream answers',
  description: 'The answer may be up to 5 s old.',
  responses: {
    200: json(readiness, 'All upstreams answered'),
    503: json(notReady, 'At least one upstream did not answer'),
  },
})

const rememberMs = 5_000

type Readiness = z.infer<typeof shared.upstreams>

export function healthRoutes(): Router {
  const router = createRouter()
  let latest: { beganAt: number; checking: Promise<Readiness> } | undefined

  router.openapi(readAlive, (c) => c.json({ status: 'ok' } as const, 200))

  router.openapi(readReady, async (c) => {
    const now = Date.now()
    if (!latest || now - latest.beganAt >= rememberMs) {
      latest = { beganAt: now, checking: checkAll(c.var.trace, c.var.upstreams) }
      // Other requests wait for it, too: it continues even if this client disconnects.
      c.executionCtx.waitUntil(latest.checking)
    }
    const upstreams = await latest.checking
    const isReady = Object.values(upstreams).every(({ status }) => status === 'ok')
    if (isReady) return c.json({ status: 'ok', upstreams } as const, 200)
    return c.json({ status: 'unavailable', upstreams, remedy } as const, 503)
  })

  return router
}

async function checkAll(trace: Trace, { database, cache, queue }: Upstreams): Promise<Readiness> {
  const [postgres, redis, qstash] = await Promise.all([
    check(trace, 'postgres', () => database.ping()),
    check(trace, 'redis', () => cache.ping()),
    check(trace, 'qstash', () => queue.ping()),
  ])
  return { postgres, redis, qstash }
}

async function check(trace: Trace, name: Upstream, ping: () => Promise<void>): Promise<z.infer<typeof upstream>> {
  const startedAt = Date.now()
  try {
    await ping()
    return { status: 'ok', latency_ms: Date.now() - startedAt }
  } catch (error) {
    trace.log('error', { upstream: name, ...describeError(error) })
    return { status: 'unavailable', latency_ms: Date.now() - startedAt }
  }
}
