// The Redis stand-in over a real server: it uses only keys with its prefix.
import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import { describe, expect, onTestFinished, test } from 'vitest'
import { startRedis } from '../redis.ts'
import { openRedis } from './world.ts'

test('a stand-in whose real server cannot be reached does not start, and its error does not contain the password', async () => {
  const error = await startRedis({ serverUrl: 'redis://:secret@127.0.0.1:1' }).catch((failure: unknown) => failure)
  expect(error).toBeInstanceOf(Error)
  expect(String(error)).toContain('cannot be reached')
  expect(String(error)).not.toContain('secret')
})

const serverUrl = process.env.LOCAL_REDIS_URL ?? ''

describe.skipIf(serverUrl === '')('a stand-in over a real server', () => {
  /** The server itself, and a prefix for this test alone, with characters that are special in patterns. */
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

  test('adds its prefix to every key, in scripts too, and never shows it', async () => {
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
    ['through _G', "_G.redis.call('SET', ARGV[1], 1)"],
    ['through new code', 'load("redis.call(\'SET\', \'" .. ARGV[1] .. "\', 1)")()'],
    ['outside the function of the guard', "end redis.call('SET', ARGV[1], 1) do"],
    ['by a search for keys', "for _, key in ipairs(redis.call('KEYS', ARGV[1])) do redis.call('DEL', key) end"],
  ])('does not let a script use other keys: %s', async (_how, script) => {
    const { server, prefix } = await openServer()
    const other = `${prefix.slice(0, -5)}other`
    await server.set(other, 'theirs')
    const { send } = await openRedis({ serverUrl, keyPrefix: prefix })
    expect([400, 501]).toContain((await send('/', { body: ['EVAL', script, 1, 'key', other] })).status)
    expect(await server.get(other)).toBe('theirs')
  })

  test('does not run a script that another client loaded', async () => {
    const { server, prefix } = await openServer()
    const sha = await server.script('LOAD', `redis.call('SET', ARGV[1], 1) return '${prefix}'`)
    const { send } = await openRedis({ serverUrl, keyPrefix: prefix })
    const answer = await send('/', { body: ['EVALSHA', String(sha), 0, `${prefix.slice(0, -5)}other`] })
    expect(answer).toMatchObject({ status: 400, json: { error: expect.stringContaining('NOSCRIPT') } })
    expect(await server.get(`${prefix.slice(0, -5)}other`)).toBeNull()
  })

  test('adds no prefix to an empty key of a script', async () => {
    const { standIn } = await openRedis({ serverUrl })
    expect(await standIn.command('EVAL', "return KEYS[2] == ''", 2, 'a', '')).toBe(1)
  })

  test('FLUSHDB deletes only its own keys', async () => {
    const { server, prefix } = await openServer()
    const other = `${prefix.slice(0, -4)}x:key` // the prefix would match this if it were used as a pattern
    await server.set(other, 'stays')
    const { standIn } = await openRedis({ serverUrl, keyPrefix: prefix })
    await Promise.all(Array.from({ length: 250 }, (_, at) => standIn.command('SET', `key${at}`, at)))
    expect(await standIn.command('KEYS', '*')).toHaveLength(250)
    expect(await standIn.command('FLUSHDB')).toBe('OK')
    expect(await standIn.command('KEYS', '*')).toEqual([])
    expect(await server.get(other)).toBe('stays')
  })

  test('deletes its keys when it closes, unless the prefix was given', async () => {
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
