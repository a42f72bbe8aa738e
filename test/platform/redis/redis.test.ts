// The Redis stand-in as an application uses it: through @upstash/redis.
import { describe, expect, test } from 'vitest'
import { backends, openRedis } from './world.ts'

/** Asks until the answer is the wanted one. Fails after two seconds. */
async function eventually(ask: () => Promise<unknown>, wanted: unknown): Promise<void> {
  const deadline = performance.now() + 2000
  let answer = await ask()
  while (answer !== wanted && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 2))
    answer = await ask()
  }
  expect(answer).toBe(wanted)
}

describe.each(backends)('the vendor client, with $backend', ({ options }) => {
  test('reads what it has written: text, numbers, objects, and null for a missing key', async () => {
    const { redis } = await openRedis(options)
    await redis.set('text', '사출기 — é "quoted" \n')
    await redis.set('number', 42)
    await redis.set('object', { state: 'QUEUED', list: [1, null] })
    expect(await redis.get('text')).toBe('사출기 — é "quoted" \n')
    expect(await redis.get('number')).toBe(42)
    expect(await redis.get('object')).toEqual({ state: 'QUEUED', list: [1, null] })
    expect(await redis.get('missing')).toBeNull()
  })

  test('answers concurrent calls in the order in which they were made', async () => {
    const { redis } = await openRedis(options)
    const counts = await Promise.all(Array.from({ length: 50 }, () => redis.incrby('count', 1)))
    expect(counts).toEqual(Array.from({ length: 50 }, (_, at) => at + 1))
    const [count, missing, ttl] = await Promise.all([redis.get('count'), redis.get('missing'), redis.ttl('count')])
    expect([count, missing, ttl]).toEqual([50, null, -1])
  })

  test('sends concurrent calls as one pipeline', async () => {
    const targets: string[] = []
    const { redis } = await openRedis({ ...options, onExchange: ({ target }) => targets.push(target) })
    await Promise.all([redis.get('a'), redis.get('b'), redis.get('c')])
    expect(targets).toEqual(['/pipeline'])
  })

  test('sets with a time to live, keeps it, replaces it and removes it', async () => {
    const { redis } = await openRedis(options)
    expect(await redis.set('key', 'one', { ex: 100 })).toBe('OK')
    expect(await redis.ttl('key')).toBe(100)
    await redis.set('key', 'two', { keepTtl: true })
    expect(await redis.ttl('key')).toBe(100)
    await redis.set('key', 'three', { px: 50_000 })
    expect(await redis.ttl('key')).toBe(50)
    await redis.set('key', 'four')
    expect(await redis.ttl('key')).toBe(-1)
    expect(await redis.ttl('missing')).toBe(-2)
    await redis.pexpire('key', 10_000)
    expect(await redis.ttl('key')).toBe(10)
  })

  test('does not see a key that has expired', async () => {
    const { redis } = await openRedis(options)
    await redis.set('short', 'value', { px: 20 })
    await eventually(() => redis.get('short'), null)
    expect(await redis.keys('*')).toEqual([])
    await redis.set('past', 'value', { exat: 1 })
    expect(await redis.get('past')).toBeNull()
  })

  test('sets a key only if it exists, or only if it does not, and reads the old value', async () => {
    const { redis } = await openRedis(options)
    expect(await redis.set('key', 'one', { xx: true })).toBeNull()
    expect(await redis.set('key', 'one', { nx: true, ex: 60 })).toBe('OK')
    expect(await redis.set('key', 'two', { nx: true })).toBeNull()
    expect(await redis.get('key')).toBe('one')
    expect(await redis.set('key', 'two', { get: true, ex: 60 })).toBe('one')
    expect(await redis.set('key', 'three', { xx: true, get: true })).toBe('two')
    expect(await redis.get('key')).toBe('three')
  })

  test('finds keys by pattern, and deletes them', async () => {
    const { redis } = await openRedis(options)
    await Promise.all(['job:1', 'job:2', 'other'].map((key) => redis.set(key, 1)))
    const found = await redis.keys('job:*')
    expect(found.sort()).toEqual(['job:1', 'job:2'])
    expect(await redis.del(...found)).toBe(2)
    expect(await redis.keys('*')).toEqual(['other'])
  })

  test('runs the rest of a pipeline after an error', async () => {
    const { redis } = await openRedis(options)
    const [set, wrong, got] = await redis
      .pipeline()
      .set('key', 'text')
      .incrby('key', 1)
      .get('key')
      .exec({ keepErrors: true })
    expect(set).toEqual({ result: 'OK', error: undefined })
    expect(wrong?.error).toContain('ERR value is not an integer or out of range')
    expect(got?.result).toBe('text')
  })

  test('throws the errors of Redis', async () => {
    const { redis } = await openRedis(options)
    await redis.set('key', 'text')
    await expect(redis.incrby('key', 1)).rejects.toThrow('ERR value is not an integer or out of range')
  })

  test('does not see the data of another stand-in', async () => {
    const [one, other] = [await openRedis(options), await openRedis(options)]
    await one.redis.set('key', 'mine')
    expect(await other.redis.get('key')).toBeNull()
    expect(await other.redis.keys('*')).toEqual([])
    await other.redis.flushdb()
    expect(await one.redis.get('key')).toBe('mine')
  })

  test('runs commands without HTTP, too', async () => {
    const { redis, standIn } = await openRedis(options)
    await redis.set('key', '한글')
    expect(await standIn.command('GET', 'key')).toBe('한글')
    expect(await standIn.command('INCRBY', 'count', 5)).toBe(5)
    await expect(standIn.command('INCRBY', 'key', 1)).rejects.toThrow('ERR value is not an integer or out of range')
  })
})
