// CORS (https://fetch.spec.whatwg.org/#http-cors-protocol): which web pages may call the API. Browsers do not add the
// Authorization header on their own and there are no cookies, so CORS needs no credentials and `*` is safe.
import type { Context } from 'hono'
import { createMiddleware } from 'hono/factory'
import type { AppEnv } from '../context.ts'

export type CorsOptions = {
  /** Empty: no CORS headers. Only `*`: every origin. */
  allowedOrigins?: string[]
  /** How long a browser may cache the answer to a preflight. */
  maxAgeSeconds?: number
}

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']
const requestHeaders = [
  'Authorization',
  'Content-Type',
  'Idempotency-Key',
  'If-Match',
  'If-None-Match',
  'Last-Event-ID', // only browsers' own EventSource sends it unasked
]
const exposedHeaders = [
  'ETag',
  'Location',
  'Link',
  'Retry-After',
  'X-Request-Id',
  'Idempotency-Replayed',
  'RateLimit',
  'RateLimit-Policy',
]

export function cors({ allowedOrigins = [], maxAgeSeconds = 600 }: CorsOptions = {}) {
  if (!Number.isInteger(maxAgeSeconds) || maxAgeSeconds < 0) throw new TypeError('maxAgeSeconds must be 0 or more')
  const isOpen = allowedOrigins.includes('*')
  return createMiddleware<AppEnv>(async function cors(c, next) {
    if (allowedOrigins.length === 0) return next()
    const origin = c.req.header('Origin')
    const isAllowed = origin !== undefined && (isOpen || allowedOrigins.includes(origin))
    if (isAllowed) c.header('Access-Control-Allow-Origin', isOpen ? '*' : origin)
    // Also for a request without Origin: a cache must not reuse that answer for a request with one.
    if (!isOpen) c.header('Vary', 'Origin')
    if (isAllowed && isPreflight(c)) {
      c.header('Access-Control-Allow-Methods', methods.join(', '))
      c.header('Access-Control-Allow-Headers', requestHeaders.join(', '))
      c.header('Access-Control-Max-Age', String(maxAgeSeconds))
      return c.body(null, 204)
    }
    if (isAllowed) c.header('Access-Control-Expose-Headers', exposedHeaders.join(', '))
    return next()
  })
}

function isPreflight(c: Context): boolean {
  return c.req.method === 'OPTIONS' && c.req.header('Access-Control-Request-Method') !== undefined
}
