// Counters in Redis (Upstash, over HTTP) that say when something has been done too often. Redis away, nothing is limited.
import { Ratelimit } from '@upstash/ratelimit'
import { Redis } from '@upstash/redis/cloudflare'
import type { Limit } from '../kernel/limit.ts'
import type { Trace } from '../kernel/trace.ts'
import { abortAfter } from './deadline.ts'
import { logRedisError } from './redis.ts'

/** For all counters together. */
const deadlineMs = 300

/** One use of a limit by one key: an address, a name. */
export type LimitKey = { limit: Limit; key: string }

export type ConsumeResult = {
  /** What was counted. Whoever finds that it should not count gives it back. */
  consumed: LimitKey[]
  /** The limit that is used up, and when it no longer is. */
  refusal?: { limit: Limit; retryAfterSeconds: number }
}

export type Limiter = {
  /** Counts each charge unless its limit is used up. One round trip, that never fails. */
  consume(charges: LimitKey[]): Promise<ConsumeResult>
  refund(charges: LimitKey[]): Promise<void>
}

export function openLimiter(url: string, token: string): (trace: Trace) => Limiter {
  /** A client for one call: what is asked at once goes out as one pipeline, and never with another request's. */
  function openRedis(): Redis {
    const signal = abortAfter(deadlineMs)
    return new Redis({
      url,
      token,
      retry: false,
      enableAutoPipelining: true,
      enableTelemetry: false,
      readYourWrites: false,
      signal: () => signal,
    })
  }

  /** @param rate how many uses to count; -1 takes one back */
  async function count(trace: Trace, charges: LimitKey[], rate: 1 | -1): Promise<ConsumeResult> {
    if (charges.length === 0) return { consumed: [] }
    try {
      const redis = openRedis()
      const answers = await trace.measure('redis', () =>
        Promise.all(
          charges.map(async (charge) => ({
            charge,
            ...(await counterOf(redis, charge.limit).limit(charge.key, { rate })),
          })),
        ),
      )
      const consumed = answers.filter(({ success }) => success).map(({ charge }) => charge)
      const refusals = answers.filter(({ success }) => !success)
      const latest = refusals.sort((one, other) => other.reset - one.reset)[0]
      if (!latest) return { consumed }
      const retryAfterSeconds = Math.max(1, Math.ceil((latest.reset - Date.now()) / 1_000))
      return { consumed, refusal: { limit: latest.charge.limit, retryAfterSeconds } }
    } catch (error) {
      logRedisError(trace, error)
      return { consumed: [] }
    }
  }

  return (trace) => ({
    consume: (charges) => count(trace, charges, 1),
    async refund(charges) {
      await count(trace, charges, -1)
    },
  })
}

function counterOf(redis: Redis, { name, quota, windowSeconds }: Limit): Ratelimit {
  return new Ratelimit({
    redis,
    prefix: `limit:${name}`,
    limiter: Ratelimit.slidingWindow(quota, `${windowSeconds} s`),
    timeout: 0, // the client's signal is the deadline
    ephemeralCache: false, // an isolate's memory would go on refusing what has been given back
    analytics: false,
    enableTelemetry: false,
  })
}
