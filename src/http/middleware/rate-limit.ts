// The error and the headers of all rate limits, and the limits that the Workers runtime counts without a round trip
// (https://developers.cloudflare.com/workers/runtime-apis/bindings/rate-limit/).
import type { Context } from 'hono'
import { createMiddleware } from 'hono/factory'
import { TiebarError } from '../../kernel/error.ts'
import type { Limit } from '../../kernel/limit.ts'
import { describeError } from '../../kernel/log.ts'
import type { AppContext, AppEnv, Caller } from '../context.ts'

/** The same numbers as those of REQUEST_RATE_LIMIT in wrangler.toml. */
const quota = 1_000
const windowSeconds = 10

/** What is counted together. Each bucket has the whole quota. */
export type RequestBucket = 'requests' | 'stops' | 'refreshes'

/**
 * Counts a request of the session or the key. It does not count by account, because the signature of a token stays valid
 * after its session has ended: whoever has such a token could use up the requests of all other sessions of the account.
 * A key counts by its secret, because whoever knows only its id could use up its requests.
 * @throws TiebarError `rate_limited`
 */
export async function countRequest(
  c: AppContext,
  bucket: RequestBucket,
  counter = counterOf(c.get('caller')),
): Promise<void> {
  const limit = { name: bucket, quota, windowSeconds }
  await countInRuntime(c, c.get('environment').REQUEST_RATE_LIMIT, limit, counter)
}

/** The same numbers as those of STREAM_RATE_LIMIT in wrangler.toml. */
const streams: Limit = { name: 'streams', quota: 60, windowSeconds: 60 }

/**
 * Counts a stream that the session or the key opens, because each holds a connection to Redis.
 * @throws TiebarError `rate_limited`
 */
export async function countStream(c: AppContext): Promise<void> {
  await countInRuntime(c, c.get('environment').STREAM_RATE_LIMIT, streams, counterOf(c.get('caller')))
}

function counterOf(caller: Caller): string {
  return caller.kind === 'key' ? `key:${caller.secretHash}` : caller.sessionId
}

/**
 * @param limit has the numbers of the binding in wrangler.toml. Each name has its own quota
 * @throws TiebarError `rate_limited`
 */
export async function countInRuntime(c: AppContext, binding: RateLimit, limit: Limit, key: string): Promise<void> {
  try {
    const { success } = await binding.limit({ key: `${limit.name}:${key}` })
    if (success) return
  } catch (error) {
    c.var.trace.log('error', { limit: limit.name, ...describeError(error) })
    return // like every limit, it fails open
  }
  throw limitProblem(limit, limit.windowSeconds)
}

/** For a route whose body decides the bucket: after `authenticate({ isCounted: false })` and `jsonBody()`. */
export function countByBody(bucketOf: (body: unknown) => RequestBucket) {
  return createMiddleware<AppEnv>(async function countByBody(c, next) {
    await countRequest(c, bucketOf(await c.req.json()))
    await next()
  })
}

export function limitProblem(limit: Limit, retryAfterSeconds: number): TiebarError {
  return new TiebarError(
    'rate_limited',
    `The limit "${limit.name}" (${limit.quota} in ${limit.windowSeconds} s) is exceeded. Try again in ${retryAfterSeconds} s.`,
    { limit, retryAfterSeconds },
  )
}

/** Structured fields (RFC 9651) of draft-ietf-httpapi-ratelimit-headers-10: the policy, and the remaining quota of 0. */
export function setRateLimitFields(c: Context, { name, quota, windowSeconds }: Limit, resetSeconds: number): void {
  c.header('RateLimit-Policy', `"${name}";q=${quota};w=${windowSeconds}`)
  c.header('RateLimit', `"${name}";r=0;t=${resetSeconds}`)
}
