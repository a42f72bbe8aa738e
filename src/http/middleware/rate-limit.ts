// The error and the headers of all rate limits, and the limit per account. The Workers runtime counts that one without a
// round trip (https://developers.cloudflare.com/workers/runtime-apis/bindings/rate-limit/).
import type { Context } from 'hono'
import { TiebarError } from '../../kernel/error.ts'
import type { Limit } from '../../kernel/limit.ts'
import { describeError } from '../../kernel/log.ts'
import type { AppContext } from '../context.ts'

/** The same numbers as those of ACCOUNT_RATE_LIMIT in wrangler.toml. */
const accountLimit: Limit = { name: 'account', quota: 1_000, windowSeconds: 10 }

/** @throws TiebarError `rate_limited` */
export async function limitAccount(c: AppContext): Promise<void> {
  const { accountId } = c.get('caller')
  try {
    const { success } = await c.get('environment').ACCOUNT_RATE_LIMIT.limit({ key: String(accountId) })
    if (success) return
  } catch (error) {
    c.var.trace.log('error', { limit: accountLimit.name, ...describeError(error) })
    return // like every limit, it fails open
  }
  throw limitProblem(accountLimit, accountLimit.windowSeconds)
}

export function limitProblem(limit: Limit, retryAfterSeconds: number): TiebarError {
  return new TiebarError(
    'rate_limited',
    `The limit "${limit.name}" (${limit.quota} in ${limit.windowSeconds} s) is exceeded. Try again in ${retryAfterSeconds} s.`,
    { limit, retryAfterSeconds },
  )
}

/** Structured fields (RFC 9651) of draft-ietf-httpapi-ratelimit-headers-10: the policy, and its remaining quota, which is 0. */
export function setRateLimitFields(c: Context, { name, quota, windowSeconds }: Limit, resetSeconds: number): void {
  c.header('RateLimit-Policy', `"${name}";q=${quota};w=${windowSeconds}`)
  c.header('RateLimit', `"${name}";r=0;t=${resetSeconds}`)
}
