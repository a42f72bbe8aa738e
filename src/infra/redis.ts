// Redis (Upstash, over HTTP) as a cache. Every call has a deadline of 300 ms. Reads and writes that fail do not throw.
import { AsyncLocalStorage } from 'node:async_hooks'
import { Redis } from '@upstash/redis/cloudflare'
import { describeError } from '../kernel/log.ts'
import type { Trace } from '../kernel/trace.ts'
import { within } from './deadline.ts'

const deadlineMs = 300

/**
 * One write. `newer` replaces a value only if the `"version":N` in it is smaller. `absent` writes only if there is no
 * value. `seconds` is the time to live.
 */
export type CacheWrite =
  | { when: 'always' | 'absent'; key: string; value: string; seconds: number }
  | {
      when: 'newer'
      key: string
      value: string
      seconds: number
      version: number
    }
  /** A message for those who have subscribed to the channel; nothing is stored. */
  | { when: 'now'; channel: string; message: string }

export type Subscription = {
  /** Waits for a message that has come since the last call. @returns false if none has come within `ms` */
  next(ms: number): Promise<boolean>
  close(): void
}

export type Cache = {
  /** One round trip. @returns the values, null for a missing one; undefined if Redis is unavailable */
  read(keys: string[]): Promise<(string | null)[] | undefined>
  /** One round trip. @returns false if Redis is unavailable */
  write(writes: CacheWrite[]): Promise<boolean>
  /** From its answer on, no message of the channel is lost. Must be closed. @returns undefined if Redis is unavailable */
  subscribe(channel: string): Promise<Subscription | undefined>
  /** Throws if Redis does not answer. For the readiness check. */
  ping(): Promise<void>
}

/** Finds the version by a pattern, because not every Redis server has a JSON library for Lua. */
export const writeIfNewer = `
local stored = redis.call('GET', KEYS[1])
local version = stored and tonumber(string.match(stored, '"version":(%d+)'))
if version and version >= tonumber(ARGV[2]) then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'EX', tonumber(ARGV[3]))
return 1`

export function openCache(url: string, token: string): (trace: Trace) => Cache {
  // The client takes one function that returns signals. It does not say for which call, so the call is found by its context.
  const signals = new AsyncLocalStorage<AbortSignal>()
  const redis = new Redis({
    url,
    token,
    retry: false,
    // Batching across requests would let one request wait for another's I/O, which the runtime forbids.
    enableAutoPipelining: false,
    enableTelemetry: false,
    readYourWrites: false,
    automaticDeserialization: false,
    responseEncoding: false, // our values are text, so base64 is not needed
    signal: () => signals.getStore() as AbortSignal, // `measure` makes every call
  })

  const measure = <Result>(trace: Trace, call: () => Promise<Result>): Promise<Result> =>
    trace.measure('redis', () => within(deadlineMs, (signal) => signals.run(signal, call)))

  async function attempt<Result>(trace: Trace, call: () => Promise<Result>): Promise<Result | undefined> {
    try {
      return await measure(trace, call)
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
        const [only, ...others] = writes
        if (only && others.length === 0) {
          await sendWrite(redis, only)
          return true
        }
        const pipeline = redis.pipeline()
        for (const write of writes) sendWrite(pipeline, write)
        await pipeline.exec()
        return true
      })
      return done ?? false
    },
    subscribe: (channel) => attempt(trace, () => openSubscription(redis, channel)),
    async ping() {
      await measure(trace, () => redis.ping())
    },
  })
}

/** A subscription is a request whose answer does not end. It is cancelled if Redis does not confirm it in time. */
async function openSubscription(redis: Redis, channel: string): Promise<Subscription> {
  const subscriber = redis.subscribe<string>(channel)
  let messages = 0
  let wake = () => {}
  subscriber.on('message', () => {
    messages += 1
    wake()
  })
  const close = () => void subscriber.unsubscribe() // it only aborts the request, at once
  try {
    await confirmed(subscriber)
  } catch (error) {
    close()
    throw error
  }
  return {
    close,
    async next(ms) {
      if (messages === 0) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, ms)
          wake = () => {
            clearTimeout(timer)
            resolve()
          }
        })
      }
      const hasCome = messages > 0
      messages = 0
      return hasCome
    },
  }
}

function confirmed(subscriber: ReturnType<Redis['subscribe']>): Promise<void> {
  return within(deadlineMs, (signal) => {
    return new Promise((resolve, reject) => {
      subscriber.on('subscribe', () => resolve())
      subscriber.on('error', reject)
      signal.addEventListener('abort', () => reject(signal.reason))
    })
  })
}

/** Sends one write, or adds it to a pipeline. */
function sendWrite(redis: Pick<Redis, 'eval' | 'set' | 'publish'> | ReturnType<Redis['pipeline']>, write: CacheWrite) {
  if (write.when === 'now') return redis.publish(write.channel, write.message)
  const { key, value, seconds } = write
  if (write.when === 'newer') return redis.eval(writeIfNewer, [key], [value, write.version, seconds])
  if (write.when === 'absent') return redis.set(key, value, { ex: seconds, nx: true })
  return redis.set(key, value, { ex: seconds })
}

/** Omits the command from the client's error message, because keys and values must not be logged. */
export function logRedisError(trace: Trace, error: unknown): void {
  const { error: name, message } = describeError(error)
  trace.log('error', { upstream: 'redis', error: name, message: String(message ?? name).split(', command was:')[0] })
}
