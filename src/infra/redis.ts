// Redis (Upstash, over HTTP) as a cache. Every call has a deadline of 300 ms. Reads and writes that fail do not throw.
import { AsyncLocalStorage } from 'node:async_hooks'
import { Redis } from '@upstash/redis/cloudflare'
import { describeError } from '../kernel/log.ts'
import type { Trace } from '../kernel/trace.ts'
import { within } from './deadline.ts'

const deadlineMs = 300

/** Replaces a value only if the `"version":N` in it is smaller. `seconds` is the time to live. */
export type VersionedValue = { key: string; value: string; version: number; seconds: number }

/** One write. `absent` writes only if there is no value. `seconds` is the time to live. */
export type CacheWrite =
  | { when: 'always' | 'absent'; key: string; value: string; seconds: number }
  /** The results of a change: newer values, and entries for the change feed. One command. */
  | { when: 'changed'; values: VersionedValue[]; entries: string[] }
  /** A message for those who have subscribed to the channel; nothing is stored. */
  | { when: 'now'; channel: string; message: string }

/** The channel of the change feed. Its messages are the id of an entry, a space, and the entry. */
export const feedChannel = 'changes'

/** An entry of the change feed. The ids, such as `1763855005000-0`, increase. */
export type FeedEntry = { id: string; entry: string }

export type Subscription = {
  /**
   * Returns the messages that arrived since the last call. If there are none, it waits for the first one.
   * @returns an empty list if none arrives within `ms` or before `close()`
   * @throws Error if more messages arrived than are kept
   */
  next(ms: number): Promise<string[]>
  close(): void
}

export type Cache = {
  /** One round trip. @returns the values, null for a missing one; undefined if Redis is unavailable */
  read(keys: string[]): Promise<(string | null)[] | undefined>
  /** One round trip. @returns false if Redis is unavailable */
  write(writes: CacheWrite[]): Promise<boolean>
  /**
   * Keeps the messages of the channel, from the moment it resolves, until they are read. The subscription must be closed.
   * If the connection is lost later, there is no error: no more messages arrive.
   * @returns undefined if Redis is unavailable
   */
  subscribe(channel: string): Promise<Subscription | undefined>
  /** The kept entries of the change feed, beginning with this id. @returns undefined if Redis is unavailable */
  readFeed(fromId: string): Promise<FeedEntry[] | undefined>
  /** The id of the last entry of the change feed, `0-0` without one. @returns undefined if Redis is unavailable */
  lastFeedId(): Promise<string | undefined>
  /** Throws if Redis does not answer. For the readiness check. */
  ping(): Promise<void>
}

/** The minimum number of entries of the change feed that are kept. */
const keptEntries = 1_000
/** How many messages of a subscription may wait to be read. */
const maxWaiting = 1_000

/**
 * KEYS: the change feed, then the key of each value · ARGV: value, version and seconds of each, then the entries. Finds a
 * version by a pattern, because not every Redis server has a JSON library for Lua.
 */
export const writeChanges = `
for at = 2, #KEYS do
  local first = at * 3 - 5
  local stored = redis.call('GET', KEYS[at])
  local version = stored and tonumber(string.match(stored, '"version":(%d+)'))
  if not version or version < tonumber(ARGV[first + 1]) then
    redis.call('SET', KEYS[at], ARGV[first], 'EX', tonumber(ARGV[first + 2]))
  end
end
for at = #KEYS * 3 - 2, #ARGV do
  local id = redis.call('XADD', KEYS[1], 'MAXLEN', '~', ${keptEntries}, '*', 'entry', ARGV[at])
  redis.call('PUBLISH', KEYS[1], id .. ' ' .. ARGV[at])
end
return 1`

export function openCache(url: string, token: string): (trace: Trace) => Cache {
  // The client asks one function for the signal of every call, without saying which. AsyncLocalStorage finds the call.
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
    async readFeed(fromId) {
      const found = await attempt(trace, () => redis.xrange(feedChannel, fromId, '+'))
      return found && toEntries(found)
    },
    async lastFeedId() {
      const found = await attempt(trace, () => redis.xrevrange(feedChannel, '+', '-', 1))
      return found && (toEntries(found)[0]?.id ?? '0-0')
    },
    async ping() {
      await measure(trace, () => redis.ping())
    },
  })
}

/** A subscription is a request whose answer does not end. It is cancelled if Redis does not confirm it in time. */
async function openSubscription(redis: Redis, channel: string): Promise<Subscription> {
  const subscriber = redis.subscribe<string>(channel)
  let messages: string[] = []
  let wake = () => {}
  subscriber.on('message', ({ message }) => {
    if (messages.length <= maxWaiting) messages.push(message)
    wake()
  })
  const close = () => {
    void subscriber.unsubscribe() // it only aborts the request, at once
    wake()
  }
  try {
    await confirmed(subscriber)
  } catch (error) {
    close()
    throw error
  }
  return {
    close,
    async next(ms) {
      if (messages.length === 0) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, ms)
          wake = () => {
            clearTimeout(timer)
            resolve()
          }
        })
      }
      const received = messages
      if (received.length > maxWaiting) throw new Error(`more than ${maxWaiting} messages were not read`)
      messages = []
      return received
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

/** The client's type is that of its deserialization, which is off: the answer is as Redis gives it. */
function toEntries(answer: unknown): FeedEntry[] {
  const entries = answer as [id: string, fields: [name: string, entry: string]][]
  return entries.map(([id, [, entry]]) => ({ id, entry }))
}

/** Sends one write, or adds it to a pipeline. */
function sendWrite(redis: Pick<Redis, 'eval' | 'set' | 'publish'> | ReturnType<Redis['pipeline']>, write: CacheWrite) {
  if (write.when === 'now') return redis.publish(write.channel, write.message)
  if (write.when === 'changed') {
    const { values, entries } = write
    const keys = [feedChannel, ...values.map(({ key }) => key)]
    return redis.eval(writeChanges, keys, [
      ...values.flatMap(({ value, version, seconds }) => [value, version, seconds]),
      ...entries,
    ])
  }
  const { key, value, seconds } = write
  if (write.when === 'absent') return redis.set(key, value, { ex: seconds, nx: true })
  return redis.set(key, value, { ex: seconds })
}

/** Omits the command from the client's error message, because keys and values must not be logged. */
export function logRedisError(trace: Trace, error: unknown): void {
  const { error: name, message } = describeError(error)
  trace.log('error', { upstream: 'redis', error: name, message: String(message ?? name).split(', command was:')[0] })
}
