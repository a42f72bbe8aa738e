// The error handlers: expected errors become problems. All others are logged and become a constant 500.
import type { Context, ErrorHandler, Hono, NotFoundHandler } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { TiebarError } from '../../kernel/error.ts'
import { errorKinds } from '../../kernel/error-codes.ts'
import { describeError } from '../../kernel/log.ts'
import type { AppEnv, Caller } from '../context.ts'
import { answerProblem } from './problem.ts'

export function handleError(origin: string): ErrorHandler<AppEnv> {
  return async (error, c) => {
    const known = await explainCaller(toTiebarError(error, c), c)
    c.error = known // for the log line of the request
    return answerProblem(c, known, c.var.requestId, origin)
  }
}

/** A statement that found no caller gives no reason. For a session there is one; for a key, another statement finds it. */
async function explainCaller(error: TiebarError, c: Context<AppEnv>): Promise<TiebarError> {
  const caller: Caller | undefined = c.get('caller') // absent on routes without authentication
  if (error.code !== 'session_ended' || caller?.kind !== 'key') return error
  return c
    .get('explainKey')(c.get('upstreams').database, caller)
    .catch((failure) => toTiebarError(failure, c))
}

function toTiebarError(error: Error, c: Context<AppEnv>): TiebarError {
  if (error instanceof TiebarError) {
    // The cause of a server error is logged, not sent to the client. For a client's error, the log line of the request
    // is enough.
    const isServerError = errorKinds[error.code].status >= 500
    if (isServerError && error.cause !== undefined) {
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
 * For a path that exists with other methods, answers OPTIONS (RFC 9110 §9.3.7) and refuses all other methods with 405
 * (§15.5.6). Both answers list the methods in Allow. All other paths answer 404.
 * The handler throws TiebarError `method_not_allowed` or `not_found`.
 */
export function handleNotFound(app: Hono<AppEnv>): NotFoundHandler<AppEnv> {
  return (c) => {
    const allow = findMethods(app, c.req.path)
    if (allow.length === 0) throw new TiebarError('not_found', 'Nothing exists at this path.')
    if (c.req.method === 'OPTIONS') return c.body(null, 204, { Allow: allow.join(', ') })
    throw new TiebarError('method_not_allowed', `This path supports ${allow.join(', ')}.`, { allow })
  }
}

function findMethods(app: Hono<AppEnv>, path: string): string[] {
  const bare = path.replace(/(?<=.)\/$/, '')
  const routes = app.routes.filter(({ method }) => method !== 'ALL')
  // A literal path has priority over a pattern that would match it as an id.
  const exact = routes.filter((route) => route.path === bare)
  const found = exact.length > 0 ? exact : routes.filter((route) => toPattern(route.path).test(bare))
  const methods = found.flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method]))
  return methods.length === 0 ? [] : [...new Set([...methods, 'OPTIONS'])].sort()
}

function toPattern(path: string): RegExp {
  return new RegExp(`^${path.replaceAll('.', '\\.').replace(/:[^/]+/g, '[^/]+')}$`)
}
