// Redis (Upstash, over HTTP) as a copy that may be lost: every call has 300 ms, and a failure reads as "not there".
import { Redis } from '@upstash/redis/cloudflare'
import { describeError } from '../kernel/log.ts'
import type { Trace } from '../kernel/trace.ts'
import { abortAfter } from './deadline.ts'

const deadlineMs = 300

/** One write. `newer` replaces a value only if the `"version":N` in it is smaller; `absent` only writes if there is none. */
export type CacheWrite =
  | { when: 'always' | 'absent'; key: string; value: string; seconds: number }
  | {
      when: 'newer'
      key: string
      value: string
      seconds: number
      version: number
    }

export type Cache = {
  /** The values, null where there is none; undefined when Redis is away. One round trip. */
  read(keys: string[]): Promise<(string | null)[] | undefined>
  /** False when Redis is away. One round trip. */
  write(writes: CacheWrite[]): Promise<boolean>
  /** Answers or throws: for the readiness check. */
  ping(): Promise<void>
}

/** The version is found by pattern: not every Redis that Lua runs in has a JSON library. */
const writeIfNewer = `
local stored = redis.call('GET', KEYS[1])
local version = stored and tonumber(string.match(stored, '"version":(%d+)'))
if version and version >= tonumber(ARGV[2]) then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'EX', tonumber(ARGV[3]))
return 1`

export function openCache(url: string, token: string): (trace: Trace) => Cache {
  const redis = new Redis({
    url,
    token,
    retry: false,
    // Batching across requests would let one request wait for another's I/O, which the runtime forbids.
    enableAutoPipelining: false,
    enableTelemetry: false,
    readYourWrites: false,
    automaticDeserialization: false,
    responseEncoding: false, // what we keep there is JSON and words, no bytes
    signal: () => abortAfter(deadlineMs),
  })

  async function attempt<Result>(trace: Trace, call: () => Promise<Result>): Promise<Result | undefined> {
    try {
      return await trace.measure('redis', call)
    } catch (error) {
      logRedisError(trace, error)
      return undefined
    }
  }

  return (trace) => ({
    read: (keys) => attempt(trace, () => redis.mget<(string | null)[]>(keys)),
    async write(writes) {
      if (writes.length === 0) return true
      const done = await attempt(trace, async () => {
        const pipeline = redis.pipeline()
        for (const write of writes) {
          const { key, value, seconds } = write
          if (write.when === 'newer') pipeline.eval(writeIfNewer, [key], [value, write.version, seconds])
          else if (write.when === 'absent') pipeline.set(key, value, { ex: seconds, nx: true })
          else pipeline.set(key, value, { ex: seconds })
        }
        await pipeline.exec()
        return true
      })
      return done ?? false
    },
    async ping() {
      await trace.measure('redis', () => redis.ping())
    },
  })
}

/** The client repeats the whole command in its errors: keys and values are not for the log. */
export function logRedisError(trace: Trace, error: unknown): void {
  const { error: name, message } = describeError(error)
  trace.log('error', { upstream: 'redis', error: name, message: String(message ?? name).split(', command was:')[0] })
}
