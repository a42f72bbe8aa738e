// Every failure leaves through here: expected ones as problems, all others as a constant 500 and a line in the log.
import type { Context, ErrorHandler, Hono, NotFoundHandler } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { TiebarError } from '../../kernel/error.ts'
import { errorKinds } from '../../kernel/error-codes.ts'
import { describeError } from '../../kernel/log.ts'
import type { AppEnv } from '../context.ts'
import { answerProblem } from './problem.ts'

export function handleError(origin: string): ErrorHandler<AppEnv> {
  return (error, c) => answerProblem(c, explain(error, c), c.var.requestId, origin)
}

function explain(error: Error, c: Context<AppEnv>): TiebarError {
  if (error instanceof TiebarError) {
    // What lies behind a failure of ours is for us, not for the client. A client's mistake is no error of ours: the
    // line of its request names it.
    const isOurs = errorKinds[error.code].status >= 500
    if (isOurs && error.cause !== undefined) {
      c.var.trace.log('error', { code: error.code, ...describeError(error.cause) })
    }
    return error
  }
  if (error instanceof HTTPException && error.status < 500) {
    return new TiebarError('malformed_request', error.message, {}, { cause: error })
  }
  c.var.trace.log('error', describeError(error))
  return new TiebarError('internal_error', 'An unexpected error occurred. It has been logged under the request_id.')
}

/**
 * A path that exists with other methods answers 405 and says which (RFC 9110 §15.5.6), or says it to whoever asks with
 * OPTIONS (§9.3.7). All others answer 404.
 */
export function handleNotFound(app: Hono<AppEnv>): NotFoundHandler<AppEnv> {
  return (c) => {
    const allow = findMethods(app, c.req.path)
    if (allow.length === 0) throw new TiebarError('not_found', 'There is nothing at this path.')
    if (c.req.method === 'OPTIONS') return c.body(null, 204, { Allow: allow.join(', ') })
    throw new TiebarError('method_not_allowed', `This path knows ${allow.join(', ')}.`, { allow })
  }
}

function findMethods(app: Hono<AppEnv>, path: string): string[] {
  const bare = path.replace(/(?<=.)\/$/, '')
  const routes = app.routes.filter(({ method }) => method !== 'ALL')
  // A path that is written out is that path, and not also an id in another one's pattern.
  const exact = routes.filter((route) => route.path === bare)
  const found = exact.length > 0 ? exact : routes.filter((route) => toPattern(route.path).test(bare))
  const methods = found.flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method]))
  return methods.length === 0 ? [] : [...new Set([...methods, 'OPTIONS'])].sort()
}

function toPattern(path: string): RegExp {
  return new RegExp(`^${path.replaceAll('.', '\\.').replace(/:[^/]+/g, '[^/]+')}$`)
}
