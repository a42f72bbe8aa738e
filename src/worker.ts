// The entry point of the Worker: reads the environment once, at the start, and creates the app. If the environment is
// invalid, the log and every answer list the names of the invalid variables.
import { env } from 'cloudflare:workers'
import { type App, createApp } from './app.ts'
import { type EnvironmentFault, readEnvironment } from './env.ts'
import { toProblem } from './http/problems/problem.ts'
import { TiebarError } from './kernel/error.ts'
import { log } from './kernel/log.ts'
import { Trace } from './kernel/trace.ts'

const environment = readEnvironment(env)
const app: App | EnvironmentFault[] = Array.isArray(environment) ? environment : createApp(environment)
const remedy =
  'On your own machine, "npm run dev" writes the variables to .dev.vars. A deployed Worker gets them from wrangler.toml ' +
  'and "wrangler secret put"; "npm run doctor" checks them.'
if (Array.isArray(app)) log('error', { code: 'misconfigured', faults: app, remedy })

export default {
  fetch(request, bindings, context) {
    return Array.isArray(app) ? answerMisconfigured(request, app) : app.fetch(request, bindings, context)
  },
  async scheduled(_event, _bindings, context) {
    if (Array.isArray(app)) throw misconfigured(app)
    await app.sweep((work) => context.waitUntil(work))
  },
} satisfies ExportedHandler

function misconfigured(faults: EnvironmentFault[]): TiebarError {
  const list = faults.map(({ name, fault }) => `${name} ${fault}`).join('; ')
  return new TiebarError('misconfigured', `The server's environment is not valid: ${list}. ${remedy}`)
}

/** Adds the headers and the log line that `request()` adds to all other answers. Uses nothing of the environment. */
function answerMisconfigured({ method, url }: Request, faults: EnvironmentFault[]): Response {
  const trace = new Trace()
  const problem = toProblem(misconfigured(faults), trace.id, '')
  const { status } = problem
  trace.log('api', { method, path: new URL(url).pathname, status, duration_ms: trace.elapsedMs(), round_trips: [] })
  return new Response(JSON.stringify(problem), {
    status,
    headers: {
      'Content-Type': 'application/problem+json',
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
      'X-Request-Id': trace.id,
      'Server-Timing': `total;dur=${trace.elapsedMs()}`,
      'Retry-After': '60',
    },
  })
}
