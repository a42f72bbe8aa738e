// Gives every request an id, a trace and clients of the upstreams that record in that trace. Logs one line per request.
import { createMiddleware } from 'hono/factory'
import type { Environment } from '../../env.ts'
import { TiebarError } from '../../kernel/error.ts'
import { Trace } from '../../kernel/trace.ts'
import type { AppContext, AppEnv, Caller, Upstreams } from '../context.ts'

export type RequestOptions = {
  environment: Environment
  connect: (trace: Trace) => Upstreams
} & Pick<AppEnv['Variables'], 'verifyAccess' | 'explainKey'>

export function request({ environment, connect, verifyAccess, explainKey }: RequestOptions) {
  return createMiddleware<AppEnv>(async function request(c, next) {
    const trace = new Trace()
    c.set('environment', environment)
    c.set('requestId', trace.id)
    c.set('trace', trace)
    c.set('upstreams', connect(trace))
    c.set('verifyAccess', verifyAccess)
    c.set('explainKey', explainKey)
    await next()
    // Set on the finished response: `c.header` would make Hono copy the headers and build the response again.
    const { headers } = c.res
    headers.set('X-Request-Id', trace.id)
    headers.set('X-Content-Type-Options', 'nosniff')
    if (!headers.has('Cache-Control')) headers.set('Cache-Control', defaultCaching(c.req.method))
    headers.set('Server-Timing', toServerTiming(trace))
    logRequest(c)
  })
}

/** A client may cache a GET and revalidate it by its ETag. Answers with tokens must not be stored (RFC 6749 §5.1). */
function defaultCaching(method: string): string {
  return method === 'GET' || method === 'HEAD' ? 'private, no-cache' : 'no-store'
}

/** https://www.w3.org/TR/server-timing/: one entry for each upstream call, and the total. */
function toServerTiming(trace: Trace): string {
  const calls = trace.roundTrips.map(({ upstream, durationMs }) => `${upstream};dur=${durationMs}`)
  return [...calls, `total;dur=${trace.elapsedMs()}`].join(', ')
}

/** An API key that a client has put into the URL by mistake. */
const keyInPath = /tbk_[^/]*/gi

function logRequest(c: AppContext): void {
  const trace = c.get('trace')
  const caller: Caller | undefined = c.get('caller') // absent on routes without authentication
  trace.log('api', {
    method: c.req.method,
    path: c.req.path.replace(keyInPath, 'tbk_…'),
    status: c.res.status,
    duration_ms: trace.elapsedMs(),
    round_trips: trace.roundTrips,
    ...(caller && (caller.kind === 'key' ? { key_id: caller.keyId } : { account_id: caller.accountId })),
    ...describeRefusal(c.error),
  })
}

/** The code that the client received, and the precise reason, which it did not receive. */
function describeRefusal(error: Error | undefined): Record<string, string> {
  if (!(error instanceof TiebarError)) return {}
  const { code, cause } = error
  // A message of JSON.parse quotes the invalid input.
  const hasReason = cause instanceof Error && !(cause instanceof SyntaxError)
  return { code, ...(hasReason && { reason: cause.message }) }
}
