// Authentication: reads the bearer token (RFC 6750) on routes that require one. Other routes ignore the header.
import { createMiddleware } from 'hono/factory'
import { TiebarError } from '../../kernel/error.ts'
import type { AppEnv } from '../context.ts'
import { limitAccount } from './rate-limit.ts'

/** Reads the token from the Authorization header. @throws TiebarError `token_missing`, `token_invalid` */
export function readBearer(header: string | undefined): string {
  if (header === undefined) throw new TiebarError('token_missing', 'Send an access token as Authorization: Bearer ….')
  const [, token] = /^Bearer +([\w.~+/-]+=*) *$/i.exec(header) ?? []
  if (token === undefined) {
    throw new TiebarError('token_invalid', 'The Authorization header must be: Bearer, a space, and the access token.')
  }
  return token
}

/** @throws TiebarError `token_missing`, `token_invalid`, `rate_limited` */
export function authenticate() {
  return createMiddleware<AppEnv>(async function authenticate(c, next) {
    c.set('caller', await c.get('verifyAccess')(readBearer(c.req.header('Authorization'))))
    await limitAccount(c)
    await next()
  })
}
