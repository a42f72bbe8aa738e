// Rate limits with counters in Redis (Upstash, over HTTP). If Redis is unavailable, nothing is limited.
import { Ratelimit } from '@upstash/ratelimit'
import { Redis } from '@upstash/redis/cloudflare'
import type { Limit } from '../kernel/limit.ts'
import type { Trace } from '../kernel/trace.ts'
import { within } from './deadline.ts'
import { logRedisError } from './redis.ts'

/** For one call with all its counters. */
const deadlineMs = 300

/** A limit and the key that it counts, such as an address or a name. */
export type LimitKey = { limit: Limit; key: string }

export type Refusal = LimitKey & { retryAfterSeconds: number }

export type ConsumeResult = {
  /** The keys that were counted. `refund` takes them back. */
  consumed: LimitKey[]
  /** The keys whose limit is exceeded. */
  refusals: Refusal[]
}

export type Limiter = {
  /** Counts one use of each key whose limit is not exceeded. One round trip. Never throws. */
  consume(keys: LimitKey[]): Promise<ConsumeResult>
  /** Takes back uses that `consume` counted. Never throws. */
  refund(keys: LimitKey[]): Promise<void>
}

export function openLimiter(url: string, token: string): (trace: Trace) => Limiter {
  /** A client for one call: its commands go out as one pipeline, never together with those of another request. */
  function openRedis(signal: AbortSignal): Redis {
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

  /** @param rate how many uses to count; -1 refunds one */
  async function count(trace: Trace, keys: LimitKey[], rate: 1 | -1): Promise<ConsumeResult> {
    if (keys.length === 0) return { consumed: [], refusals: [] }
    try {
      const answers = await trace.measure('redis', () =>
        within(deadlineMs, (signal) => {
          const redis = openRedis(signal)
          return Promise.all(
            keys.map(async (limitKey) => ({
              limitKey,
              ...(await counterOf(redis, limitKey.limit).limit(limitKey.key, { rate })),
            })),
          )
        }),
      )
      const consumed = answers.filter(({ success }) => success).map(({ limitKey }) => limitKey)
      const refusals = answers
        .filter(({ success }) => !success)
        .map(({ limitKey, reset }) => ({
          ...limitKey,
          retryAfterSeconds: Math.max(1, Math.ceil((reset - Date.now()) / 1_000)),
        }))
      return { consumed, refusals }
    } catch (error) {
      logRedisError(trace, error)
      return { consumed: [], refusals: [] }
    }
  }

  return (trace) => ({
    consume: (keys) => count(trace, keys, 1),
    async refund(keys) {
      await count(trace, keys, -1)
    },
  })
}

function counterOf(redis: Redis, { name, quota, windowSeconds }: Limit): Ratelimit {
  return new Ratelimit({
    redis,
    prefix: `limit:${name}`,
    limiter: Ratelimit.slidingWindow(quota, `${windowSeconds} s`),
    timeout: 0, // the client's signal is the deadline
    ephemeralCache: false, // a cache in the isolate would still refuse after a refund
    analytics: false,
    enableTelemetry: false,
  })
}
