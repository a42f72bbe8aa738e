// Authentication: reads the bearer token (RFC 6750) on routes that require one. Other routes ignore the header.
import { createMiddleware } from 'hono/factory'
import { TiebarError } from '../../kernel/error.ts'
import type { Scope } from '../../kernel/scope.ts'
import { type AppContext, type AppEnv, type Caller, type SessionCaller, withScopes } from '../context.ts'
import { countRequest } from './rate-limit.ts'

/** Reads the token from the Authorization header. @throws TiebarError `token_missing`, `token_invalid` */
export function readBearer(header: string | undefined): string {
  if (header === undefined)
    throw new TiebarError('token_missing', 'Send an access token or an API key as Authorization: Bearer ….')
  const [, token] = /^Bearer +([\w.~+/-]+=*) *$/i.exec(header) ?? []
  if (token === undefined) {
    throw new TiebarError(
      'token_invalid',
      'The Authorization header must be: Bearer, a space, and the access token or the API key.',
    )
  }
  return token
}

export type AuthenticateOptions = {
  /** A key needs one of these scopes; the same as in `bearerOrKey`. Without scopes, keys are refused. */
  scopes?: readonly Scope[]
  /** Whether the request is counted before its body is read. If not, the route uses `countByBody`. */
  isCounted?: boolean
}

/** It throws TiebarError `token_missing`, `token_invalid`, `key_invalid`, `key_not_allowed` or `rate_limited`. */
export function authenticate({ scopes = [], isCounted = true }: AuthenticateOptions = {}) {
  return createMiddleware<AppEnv>(async function authenticate(c, next) {
    const caller = withScopes(await c.get('verifyAccess')(readBearer(c.req.header('Authorization'))), scopes)
    c.set('caller', caller)
    if (isCounted) await countRequest(c, 'requests')
    if (scopes.length === 0) c.set('session', await requireSession(c, caller))
    await next()
  })
}

async function requireSession(c: AppContext, caller: Caller): Promise<SessionCaller> {
  if (caller.kind === 'session') return caller
  throw await c.get('explainKey')(c.get('upstreams').database, caller)
}
