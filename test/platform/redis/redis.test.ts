// The Redis stand-in as an application meets it: through @upstash/redis.
import { describe, expect, test } from 'vitest'
import { openRedis, places } from './world.ts'

/** Asks until the answer is what it should be; fails after two seconds. */
async function eventually(ask: () => Promise<unknown>, wanted: unknown): Promise<void> {
  const deadline = performance.now() + 2000
  let answer = await ask()
  while (answer !== wanted && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 2))
    answer = await ask()
  }
  expect(answer).toBe(wanted)
}

describe.each(places)('the vendor client, with the data $place', ({ options }) => {
  test('gets back what it has set: text, numbers, objects, and nothing for a missing key', async () => {
    const { redis } = await openRedis(options)
    await redis.set('text', '사출기 — é "quoted" \n')
    await redis.set('number', 42)
    await redis.set('object', { state: 'QUEUED', list: [1, null] })
    expect(await redis.get('text')).toBe('사출기 — é "quoted" \n')
    expect(await redis.get('number')).toBe(42)
    expect(await redis.get('object')).toEqual({ state: 'QUEUED', list: [1, null] })
    expect(await redis.get('missing')).toBeNull()
  })

  test('answers calls made at once in the order in which they were made', async () => {
    const { redis } = await openRedis(options)
    const counts = await Promise.all(Array.from({ length: 50 }, () => redis.incr('count')))
    expect(counts).toEqual(Array.from({ length: 50 }, (_, at) => at + 1))
    const [count, missing, type] = await Promise.all([redis.get('count'), redis.get('missing'), redis.type('count')])
    expect([count, missing, type]).toEqual([50, null, 'string'])
  })

  test('sends calls made at once as one pipeline', async () => {
    const targets: string[] = []
    const { redis } = await openRedis({ ...options, onExchange: ({ target }) => targets.push(target) })
    await Promise.all([redis.get('a'), redis.get('b'), redis.get('c')])
    expect(targets).toEqual(['/pipeline'])
  })

  test('sets with a time to live, keeps it, replaces it and takes it away', async () => {
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
    await redis.expire('key', 10)
    expect(await redis.persist('key')).toBe(1)
    expect(await redis.ttl('key')).toBe(-1)
  })

  test('no longer sees a key when its time is over', async () => {
    const { redis } = await openRedis(options)
    await redis.set('short', 'value', { px: 20 })
    await redis.hset('hash', { field: 'value' })
    await redis.pexpire('hash', 20)
    await eventually(() => redis.exists('short', 'hash'), 0)
    expect(await redis.get('short')).toBeNull()
    expect(await redis.dbsize()).toBe(0)
    await redis.set('past', 'value', { exat: 1 })
    expect(await redis.get('past')).toBeNull()
  })

  test('sets only a key that is there, or only one that is not, and gets the old value with it', async () => {
    const { redis } = await openRedis(options)
    expect(await redis.set('key', 'one', { xx: true })).toBeNull()
    expect(await redis.set('key', 'one', { nx: true, ex: 60 })).toBe('OK')
    expect(await redis.set('key', 'two', { nx: true })).toBeNull()
    expect(await redis.get('key')).toBe('one')
    expect(await redis.set('key', 'two', { get: true, ex: 60 })).toBe('one')
    expect(await redis.set('key', 'three', { xx: true, get: true })).toBe('two')
    expect(await redis.get('key')).toBe('three')
  })

  test('keeps hashes, lists, sets and sorted sets', async () => {
    const { redis } = await openRedis(options)
    await redis.hset('hash', { b: 'two', a: 1 })
    expect(await redis.hgetall('hash')).toEqual({ b: 'two', a: 1 })
    expect(await redis.hincrby('hash', 'a', 41)).toBe(42)
    await redis.rpush('list', 'a', 'b', 'c')
    expect(await redis.lrange('list', 0, -1)).toEqual(['a', 'b', 'c'])
    await redis.sadd('set', 'a', 'b', 'a')
    expect((await redis.smembers('set')).sort()).toEqual(['a', 'b'])
    await redis.zadd('scores', { score: 2, member: 'b' }, { score: 1, member: 'a' }, { score: 1.5, member: 'c' })
    expect(await redis.zrange('scores', 0, -1, { withScores: true })).toEqual(['a', 1, 'c', 1.5, 'b', 2])
  })

  test('finds all keys with SCAN, page by page, though keys go away in between', async () => {
    const { redis } = await openRedis(options)
    const wanted = Array.from({ length: 60 }, (_, at) => `job:${at}`)
    await redis.mset(Object.fromEntries([...wanted, 'other'].map((key) => [key, 1])))
    const found = new Set<string>()
    let cursor = '0'
    do {
      const [next, keys] = await redis.scan(cursor, { match: 'job:*', count: 7 })
      for (const key of keys) found.add(key)
      if (keys.length > 0) await redis.del(...keys)
      cursor = next
    } while (cursor !== '0')
    expect([...found].sort()).toEqual(wanted.sort())
    expect(await redis.keys('*')).toEqual(['other'])
  })

  test('goes on with a pipeline after an error', async () => {
    const { redis } = await openRedis(options)
    const [set, wrong, got] = await redis
      .pipeline()
      .set('key', 'text')
      .lpush('key', 'item')
      .get('key')
      .exec({ keepErrors: true })
    expect(set).toEqual({ result: 'OK', error: undefined })
    expect(wrong?.error).toContain('WRONGTYPE Operation against a key holding the wrong kind of value')
    expect(got?.result).toBe('text')
  })

  test('runs a transaction with no other command in between', async () => {
    const { redis } = await openRedis(options)
    const transactions = Array.from({ length: 40 }, () => redis.multi().incr('count').incr('count').exec<number[]>())
    const others = Array.from({ length: 40 }, () => redis.incr('count'))
    const pairs = await Promise.all(transactions)
    await Promise.all(others)
    expect(pairs.filter(([first = 0, second]) => second !== first + 1)).toEqual([])
    expect(await redis.get('count')).toBe(120)
  })

  test('throws what Redis answers as an error', async () => {
    const { redis } = await openRedis(options)
    await redis.set('key', 'text')
    await expect(redis.incr('key')).rejects.toThrow('ERR value is not an integer or out of range')
    await expect(redis.hget('key', 'field')).rejects.toThrow('WRONGTYPE')
  })

  test('sees nothing of another stand-in', async () => {
    const [one, other] = [await openRedis(options), await openRedis(options)]
    await one.redis.set('key', 'mine')
    expect(await other.redis.get('key')).toBeNull()
    expect(await other.redis.dbsize()).toBe(0)
    await other.redis.flushdb()
    expect(await one.redis.get('key')).toBe('mine')
  })

  test('lets the one who started it look in without HTTP', async () => {
    const { redis, standIn } = await openRedis(options)
    await redis.set('key', '한글')
    expect(await standIn.command('GET', 'key')).toBe('한글')
    expect(await standIn.command('INCRBY', 'count', 5)).toBe(5)
    await expect(standIn.command('INCR', 'key')).rejects.toThrow('ERR value is not an integer or out of range')
  })
})
