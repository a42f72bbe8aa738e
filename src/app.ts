// The Worker as one Hono app: the middleware in order and the mount table. The only file that imports every slice.
import { administrationRoutes } from './accounts/administration.ts'
import { createAccessVerifier } from './accounts/credential.ts'
import { keyRoutes } from './accounts/keys.ts'
import { passwordResetRoutes } from './accounts/password-reset.ts'
import { profileRoutes } from './accounts/profile.ts'
import { accountRoutes } from './accounts/routes.ts'
import { explainKey } from './accounts/sql/keys.ts'
import { createTokenIssuer } from './accounts/token.ts'
import type { Environment } from './env.ts'
import type { Upstreams } from './http/context.ts'
import { healthRoutes } from './http/health.ts'
import { cors } from './http/middleware/cors.ts'
import { request } from './http/middleware/request.ts'
import { oldRoutes } from './http/old-routes.ts'
import { buildDocument } from './http/openapi/document.ts'
import { documentationRoutes } from './http/openapi/documentation.ts'
import { createRouter, type Router } from './http/openapi/router.ts'
import { handleError, handleNotFound } from './http/problems/handlers.ts'
import { problemPageRoutes } from './http/problems/pages.ts'
import { openDatabase } from './infra/database.ts'
import { openLimiter } from './infra/limiter.ts'
import { openQueue } from './infra/queue.ts'
import { openCache } from './infra/redis.ts'
import { callbackRoutes } from './jobs/callbacks.ts'
import { historyRoutes } from './jobs/history.ts'
import { holdRoutes } from './jobs/holds.ts'
import { personalDataRoutes } from './jobs/personal-data.ts'
import { reportRoutes } from './jobs/reports.ts'
import { jobRoutes } from './jobs/routes.ts'
import { selectOpenJobs } from './jobs/sql/fragments.ts'
import { type SweepReport, sweep } from './jobs/sweep.ts'
import { Trace } from './kernel/trace.ts'
import { boardRoutes } from './live/board.ts'
import { changeRoutes } from './live/changes.ts'
import { auditRoutes } from './machines/audit.ts'
import { confirmationRoutes } from './machines/confirmation.ts'
import { publishChange } from './machines/feed.ts'
import { holdSchema } from './machines/hold.ts'
import { machineMemberRoutes } from './machines/members.ts'
import { machineRoutes } from './machines/routes.ts'
import { changeOfKey, selectKeyPlace, selectMachinesOfSite } from './machines/sql/fragments.ts'
import { holdFromJson, selectOverriddenHolds } from './machines/sql/hold.ts'
import { statusRoutes } from './machines/statuses.ts'
import { siteRoutes } from './sites/routes.ts'

export type App = {
  fetch: Router['fetch']
  /** The OpenAPI document. */
  describe: () => object
  /** Runs one sweep. The cron trigger calls it every minute. */
  sweep(waitUntil: (work: Promise<unknown>) => void): Promise<SweepReport>
}

export function createApp(environment: Environment): App {
  const connect = createConnector(environment)
  const tokens = createTokenIssuer(environment.JWT_KEYS, environment.PUBLIC_URL)
  const verifyAccess = createAccessVerifier(tokens)

  const app = createRouter()
  const describe = () => buildDocument(app, environment.PUBLIC_URL)
  app.onError(handleError(environment.PUBLIC_URL))
  app.notFound(handleNotFound(app))
  app.use(request({ environment, connect, verifyAccess, explainKey }))
  app.use(cors({ allowedOrigins: environment.ALLOWED_ORIGINS }))
  app.route('/', healthRoutes())
  app.route('/', documentationRoutes(describe))
  app.route('/', problemPageRoutes(environment.PUBLIC_URL))
  app.route('/', accountRoutes({ tokens }))
  const holds = { schema: holdSchema, selectOverridden: selectOverriddenHolds, fromJson: holdFromJson }
  app.route('/', profileRoutes(holds))
  app.route('/', administrationRoutes())
  app.route('/', passwordResetRoutes())
  app.route('/', siteRoutes({ selectMachinesOfSite }))
  app.route('/', keyRoutes({ selectPlace: selectKeyPlace, changeOfKey, publishChange }))
  app.route('/', historyRoutes())
  app.route('/', jobRoutes({ tokens }))
  app.route('/', machineRoutes({ selectOpenJobs }))
  app.route('/', statusRoutes())
  app.route('/', machineMemberRoutes())
  app.route('/', auditRoutes())
  app.route('/', confirmationRoutes({ tokens }))
  app.route('/', callbackRoutes({ tokens }))
  app.route('/', personalDataRoutes())
  app.route('/', holdRoutes())
  app.route('/', reportRoutes({ tokens }))
  app.route('/', boardRoutes())
  app.route('/', changeRoutes())
  app.route('/', oldRoutes())

  return {
    fetch: app.fetch,
    describe,
    sweep(waitUntil) {
      const trace = new Trace()
      const { PUBLIC_URL: publicUrl, ALLOW_PRIVATE_CONTROLLERS: allowPrivateControllers } = environment
      const { HISTORY_KEPT_DAYS: historyDays, REFUSALS_KEPT_DAYS: refusalDays } = environment
      const context = { trace, upstreams: connect(trace), tokens, publicUrl, allowPrivateControllers, waitUntil }
      return sweep(context, { historyDays, refusalDays })
    },
  }
}

function createConnector(environment: Environment): (trace: Trace) => Upstreams {
  const database = openDatabase(environment.DATABASE_URL, environment.NEON_FETCH_ENDPOINT)
  const cache = openCache(environment.UPSTASH_REDIS_REST_URL, environment.UPSTASH_REDIS_REST_TOKEN)
  const limiter = openLimiter(environment.UPSTASH_REDIS_REST_URL, environment.UPSTASH_REDIS_REST_TOKEN)
  const queue = openQueue(environment.QSTASH_URL, environment.QSTASH_TOKEN)
  return (trace) => ({
    database: database(trace),
    cache: cache(trace),
    limiter: limiter(trace),
    queue: queue(trace),
  })
}
