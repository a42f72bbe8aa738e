// What is peculiar to a stand-in over a real server: its keys stay behind their prefix.
import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import { describe, expect, onTestFinished, test } from 'vitest'
import { startRedis } from '../redis.ts'
import { openRedis } from './world.ts'

test('a stand-in whose real server is not there does not start, and does not tell the password', async () => {
  const error = await startRedis({ serverUrl: 'redis://:secret@127.0.0.1:1' }).catch((failure: unknown) => failure)
  expect(error).toBeInstanceOf(Error)
  expect(String(error)).toContain('cannot be reached')
  expect(String(error)).not.toContain('secret')
})

const serverUrl = process.env.LOCAL_REDIS_URL ?? ''

describe.skipIf(serverUrl === '')('a stand-in over a real server', () => {
  /** The server itself, and a prefix that is this test's own even where it holds the characters of patterns. */
  async function openServer() {
    const server = new Redis(serverUrl)
    const prefix = `tiebar-test:${randomUUID()}:[*]:`
    onTestFinished(async () => {
      const keys = await server.keys(`tiebar-test:${prefix.slice(12, 48)}:*`)
      if (keys.length > 0) await server.del(keys)
      server.disconnect()
    })
    return { server, prefix }
  }

  test('puts its prefix before every key, in scripts too, and never shows it', async () => {
    const { server, prefix } = await openServer()
    const { standIn } = await openRedis({ serverUrl, keyPrefix: prefix })
    await standIn.command('SET', 'a', 1)
    await standIn.command('SET', 'b', 2)
    await standIn.command('EVAL', "redis.call('SET', KEYS[1], ARGV[1])", 1, 'c', 3)
    expect(await server.mget(`${prefix}a`, `${prefix}b`, `${prefix}c`)).toEqual(['1', '2', '3'])
    expect(await standIn.command('KEYS', '?')).toHaveLength(3)
    expect(await standIn.command('KEYS', 'a')).toEqual(['a'])
  })

  test.each([
    ['by its name', "redis.call('SET', ARGV[1], 1)"],
    ['by its name, twice', "pcall(redis.call, 'SET', ARGV[1], 1) pcall(redis.call, 'SET', ARGV[1], 1) return 1"],
    ['through the globals', "_G.redis.call('SET', ARGV[1], 1)"],
    ['through new code', 'load("redis.call(\'SET\', \'" .. ARGV[1] .. "\', 1)")()'],
    ['from outside of its function', "end redis.call('SET', ARGV[1], 1) do"],
    ['by all keys', "for _, key in ipairs(redis.call('KEYS', ARGV[1])) do redis.call('DEL', key) end"],
  ])('keeps a script from the keys of others: %s', async (_how, script) => {
    const { server, prefix } = await openServer()
    const other = `${prefix.slice(0, -5)}other`
    await server.set(other, 'theirs')
    const { send } = await openRedis({ serverUrl, keyPrefix: prefix })
    expect([400, 501]).toContain((await send('/', { body: ['EVAL', script, 1, 'key', other] })).status)
    expect(await server.get(other)).toBe('theirs')
  })

  test('does not run a script that others left on the server', async () => {
    const { server, prefix } = await openServer()
    const sha = await server.script('LOAD', `redis.call('SET', ARGV[1], 1) return '${prefix}'`)
    const { send } = await openRedis({ serverUrl, keyPrefix: prefix })
    const answer = await send('/', { body: ['EVALSHA', String(sha), 0, `${prefix.slice(0, -5)}other`] })
    expect(answer).toMatchObject({ status: 400, json: { error: expect.stringContaining('NOSCRIPT') } })
    expect(await server.get(`${prefix.slice(0, -5)}other`)).toBeNull()
  })

  test('leaves an empty key of a script empty: it means that there is none', async () => {
    const { standIn } = await openRedis({ serverUrl })
    expect(await standIn.command('EVAL', "return KEYS[2] == ''", 2, 'a', '')).toBe(1)
  })

  test('clears what is its own, and nothing else', async () => {
    const { server, prefix } = await openServer()
    const other = `${prefix.slice(0, -4)}x:key` // what the prefix would match, were it taken as a pattern
    await server.set(other, 'stays')
    const { standIn } = await openRedis({ serverUrl, keyPrefix: prefix })
    await Promise.all(Array.from({ length: 250 }, (_, at) => standIn.command('SET', `key${at}`, at)))
    expect(await standIn.command('KEYS', '*')).toHaveLength(250)
    expect(await standIn.command('FLUSHDB')).toBe('OK')
    expect(await standIn.command('KEYS', '*')).toEqual([])
    expect(await server.get(other)).toBe('stays')
  })

  test('removes its keys when it closes, unless it was told the prefix', async () => {
    const { server, prefix } = await openServer()
    const lasting = await startRedis({ serverUrl, keyPrefix: prefix })
    await lasting.command('SET', 'key', 'stays')
    await lasting.close()
    expect(await server.get(`${prefix}key`)).toBe('stays')

    const marker = randomUUID()
    const passing = await startRedis({ serverUrl })
    await passing.command('SET', marker, 'goes')
    expect(await server.keys(`tiebar:*:${marker}`)).toHaveLength(1)
    await passing.close()
    expect(await server.keys(`tiebar:*:${marker}`)).toEqual([])
  })
})
