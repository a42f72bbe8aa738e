// The Worker as one Hono app: the middleware in order and the mount table. The only file that names every slice.
import { accountRoutes } from './accounts/routes.ts'
import { createTokenIssuer } from './accounts/token.ts'
import type { Environment } from './env.ts'
import type { Upstreams } from './http/context.ts'
import { handleError, handleNotFound } from './http/errors.ts'
import { healthRoutes } from './http/health.ts'
import { createSlice, type Slice } from './http/openapi.ts'
import { request } from './http/request.ts'
import { openDatabase } from './infra/database.ts'
import { openCourier } from './infra/queue.ts'
import { openCache } from './infra/redis.ts'
import { callbackRoutes } from './jobs/callbacks.ts'
import { jobRoutes } from './jobs/routes.ts'
import { type SweepReport, sweep } from './jobs/sweep.ts'
import { Trace } from './kernel/trace.ts'
import { machineRoutes } from './machines/routes.ts'

export type App = {
  fetch: Slice['fetch']
  /** The cron's work. */
  sweep(waitUntil: (work: Promise<unknown>) => void): Promise<SweepReport>
}

export function createApp(environment: Environment): App {
  const connect = createConnector(environment)
  const tokens = createTokenIssuer(environment.JWT_KEYS, environment.PUBLIC_URL)
  const verifyAccess = (token: string) => tokens.verify(token, 'access')

  const app = createSlice()
  app.onError(handleError(environment.PUBLIC_URL))
  app.notFound(handleNotFound(app))
  app.use(request({ environment, connect, verifyAccess }))
  app.route('/', healthRoutes())
  app.route('/', accountRoutes({ tokens }))
  // Before the machines: /api/machines/history is no machine's id.
  app.route('/', jobRoutes())
  app.route('/', machineRoutes())
  app.route('/', callbackRoutes({ tokens }))

  return {
    fetch: app.fetch,
    sweep: (waitUntil) => sweep(connect(new Trace()), environment.PUBLIC_URL, waitUntil),
  }
}

function createConnector(environment: Environment): (trace: Trace) => Upstreams {
  const database = openDatabase(environment.DATABASE_URL, environment.NEON_FETCH_ENDPOINT)
  const cache = openCache(environment.UPSTASH_REDIS_REST_URL, environment.UPSTASH_REDIS_REST_TOKEN)
  const courier = openCourier(environment.QSTASH_URL, environment.QSTASH_TOKEN)
  return (trace) => ({
    database: database(trace),
    cache: cache(trace),
    courier: courier(trace),
  })
}
