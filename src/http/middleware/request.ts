// What every request gets: an id, a trace of its round trips, upstreams bound to that trace, and one line in the log.
import { createMiddleware } from 'hono/factory'
import type { Environment } from '../../env.ts'
import { TiebarError } from '../../kernel/error.ts'
import { Trace } from '../../kernel/trace.ts'
import type { AppContext, AppEnv, Caller, Upstreams } from '../context.ts'

export type RequestOptions = {
  environment: Environment
  connect: (trace: Trace) => Upstreams
  verifyAccess: (token: string) => Promise<Caller>
}

export function request({ environment, connect, verifyAccess }: RequestOptions) {
  return createMiddleware<AppEnv>(async function request(c, next) {
    const trace = new Trace()
    c.set('environment', environment)
    c.set('requestId', trace.id)
    c.set('trace', trace)
    c.set('upstreams', connect(trace))
    c.set('verifyAccess', verifyAccess)
    await next()
    // On the finished answer: `c.header` would make Hono build it anew, and before it a set of headers to be copied.
    const { headers } = c.res
    headers.set('X-Request-Id', trace.id)
    headers.set('X-Content-Type-Options', 'nosniff')
    if (!headers.has('Cache-Control')) headers.set('Cache-Control', defaultCaching(c.req.method))
    headers.set('Server-Timing', toServerTiming(trace))
    logRequest(c)
  })
}

/** What is read may be kept, and asked for again by its ETag; answers with tokens may not (RFC 6749 §5.1). */
function defaultCaching(method: string): string {
  return method === 'GET' || method === 'HEAD' ? 'private, no-cache' : 'no-store'
}

/** https://www.w3.org/TR/server-timing/: one entry for each upstream call, and the whole. */
function toServerTiming(trace: Trace): string {
  const calls = trace.roundTrips.map(({ upstream, durationMs }) => `${upstream};dur=${durationMs}`)
  return [...calls, `total;dur=${trace.elapsedMs()}`].join(', ')
}

function logRequest(c: AppContext): void {
  const trace = c.get('trace')
  const caller: Caller | undefined = c.get('caller') // absent where nobody is signed in
  trace.log('api', {
    method: c.req.method,
    path: c.req.path,
    status: c.res.status,
    duration_ms: trace.elapsedMs(),
    round_trips: trace.roundTrips,
    ...(caller ? { account_id: caller.accountId } : {}),
    ...describeRefusal(c.error),
  })
}

/** Why the request was refused: the code that the client was told, and the precise reason, which it was not. */
function describeRefusal(error: Error | undefined): Record<string, string> {
  if (!(error instanceof TiebarError)) return {}
  const { code, cause } = error
  // The words of JSON.parse quote what they could not read.
  const hasReason = cause instanceof Error && !(cause instanceof SyntaxError)
  return { code, ...(hasReason && { reason: cause.message }) }
}
