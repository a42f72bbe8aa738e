// The Redis stand-in over HTTP: how commands are sent, and the form of answers.
import { describe, expect, test, vi } from 'vitest'
import { backends, openRedis } from './world.ts'

const base64 = (text: string) => Buffer.from(text).toString('base64')

describe.each(backends)('the Redis REST API, with $backend,', ({ options }) => {
  test('accepts a command as a JSON array of strings, numbers and booleans', async () => {
    const { send } = await openRedis(options)
    expect(await send('/', { body: ['SET', 'key', true, 'EX', 100] })).toMatchObject({
      status: 200,
      text: '{"result":"OK"}',
    })
    expect((await send('/', { body: ['get', 'key'] })).text).toBe('{"result":"true"}')
    expect((await send('/', { body: '["SET","big",12345678901234567890]' })).status).toBe(200)
    expect((await send('/', { body: ['GET', 'big'] })).json).toEqual({ result: '12345678901234567890' })
  })

  test('accepts a command as a path, and decodes each segment after the split', async () => {
    const { send } = await openRedis(options)
    expect((await send('/set/a%2Fb/%ED%95%9C%20%25')).json).toEqual({ result: 'OK' })
    expect((await send('/get/a%2Fb')).json).toEqual({ result: '한 %' })
    expect((await send('/get/a/b')).json).toEqual({ error: "ERR wrong number of arguments for 'get' command" })
  })

  test('appends the body, then the query, to the path', async () => {
    const { send } = await openRedis(options)
    expect((await send('/set/key?EX=100&NX', { body: 'the value' })).json).toEqual({ result: 'OK' })
    expect((await send('/get/key')).json).toEqual({ result: 'the value' })
    expect((await send('/ttl/key')).json).toEqual({ result: 100 })
    expect((await send('/set/key?NX', { method: 'PUT', body: 'another' })).json).toEqual({ result: null })
  })

  test('requires the token, as a header or in the query', async () => {
    const { standIn } = await openRedis({ ...options, token: 'the-token' })
    const ask = async (query: string, authorization?: string) => {
      const response = await fetch(`${standIn.url}/ping${query}`, { headers: authorization ? { authorization } : {} })
      return [response.status, await response.json()]
    }
    const refused = [401, { error: expect.stringContaining('WRONGPASS') }]
    expect(await ask('')).toEqual(refused)
    expect(await ask('', 'Bearer other')).toEqual(refused)
    expect(await ask('?_token=other')).toEqual(refused)
    expect(await ask('', 'Bearer the-token')).toEqual([200, { result: 'PONG' }])
    expect(await ask('?_token=the-token')).toEqual([200, { result: 'PONG' }])
  })

  test('answers HEAD without a body, and 405 to other methods', async () => {
    const { send } = await openRedis(options)
    expect(await send('/ping', { method: 'HEAD' })).toMatchObject({ status: 200, text: '' })
    const refused = await send('/ping', { method: 'DELETE' })
    expect(refused.status).toBe(405)
    expect(refused.headers.get('allow')).toBe('HEAD, GET, POST, PUT')
  })

  test('answers 400 with the reason to an invalid command', async () => {
    const { send } = await openRedis(options)
    const bodies = ['{', '{}', '[]', '[["GET","k"]]', '["GET",null]', '']
    for (const body of bodies) {
      expect(await send('/', { method: 'POST', body }), body).toMatchObject({ status: 400, json: { error: /^ERR / } })
    }
    expect((await send('/nosuch/a/b')).json).toEqual({
      error: "ERR unknown command 'nosuch', with args beginning with: 'a' 'b' ",
    })
    expect(await send('/get')).toMatchObject({ status: 400 })
    expect(await send('/get/%zz')).toMatchObject({ status: 400 })
    expect(await send('/pipeline', { body: ['GET', 'k'] })).toMatchObject({ status: 400 })
    expect(await send('/pipeline', { body: [] })).toMatchObject({ status: 400 })
  })

  test('answers a pipeline item by item', async () => {
    const { send } = await openRedis(options)
    const body = [['SET', 'key', 'text'], ['INCRBY', 'key', 1], ['NOSUCH'], ['GET', 'key'], ['GET', 'missing']]
    const answer = await send('/pipeline', { body })
    expect(answer.status).toBe(200)
    expect(answer.json).toEqual([
      { result: 'OK' },
      { error: 'ERR value is not an integer or out of range' },
      { error: expect.stringContaining('ERR unknown command') },
      { result: 'text' },
      { result: null },
    ])
  })

  test('encodes every string except OK in base64 on request', async () => {
    const { send } = await openRedis(options)
    const headers = { 'upstash-encoding': 'base64' }
    const ask = async (command: unknown[]) => (await send('/', { body: command, headers })).json
    expect(await ask(['SET', 'key', '한글'])).toEqual({ result: 'OK' })
    expect(await ask(['PING'])).toEqual({ result: base64('PONG') })
    expect(await ask(['MGET', 'key', 'missing'])).toEqual({ result: [base64('한글'), null] })
    expect(await ask(['EVAL', "return {1, {'a', {'OK'}}}", 0])).toEqual({ result: [1, [base64('a'), ['OK']]] })
    expect(await ask(['INCRBY', 'key', 1])).toEqual({ error: 'ERR value is not an integer or out of range' })
    const piped = await send('/pipeline', {
      body: [
        ['GET', 'key'],
        ['INCRBY', 'count', 1],
      ],
      headers,
    })
    expect(piped.json).toEqual([{ result: base64('한글') }, { result: 1 }])
  })

  test('keeps bytes that are not UTF-8', async () => {
    const { send } = await openRedis(options)
    const bytes = Uint8Array.from([0, 255, 254, 10, 65])
    await send('/set/key', { method: 'POST', body: bytes })
    expect((await send('/get/key')).json).toEqual({ result: '\u0000\ufffd\ufffd\nA' })
    const encoded = await send('/get/key', { headers: { 'upstash-encoding': 'base64' } })
    expect(encoded.json).toEqual({ result: Buffer.from(bytes).toString('base64') })
  })

  test('writes 64-bit integers with all their digits', async () => {
    const { send } = await openRedis(options)
    await send('/set/key/9223372036854775806')
    expect((await send('/incrby/key/1')).text).toBe('{"result":9223372036854775807}')
    expect((await send('/incrby/key/1')).json).toEqual({ error: 'ERR increment or decrement would overflow' })
  })

  test('sends a sync token that changes with each write', async () => {
    const { send } = await openRedis(options)
    const tokenAfter = async (path: string, body?: unknown) =>
      (await send(path, { body })).headers.get('upstash-sync-token')
    const first = await tokenAfter('/get/key')
    expect(first).toBeTruthy()
    expect(await tokenAfter('/get/key')).toBe(first)
    const second = await tokenAfter('/set/key/1')
    expect(second).not.toBe(first)
    expect(await tokenAfter('/pipeline', [['GET', 'key']])).toBe(second)
    expect(await tokenAfter('/pipeline', [['INCRBY', 'key', 1]])).not.toBe(second)
  })

  test.each([
    ['a command of Redis that it does not implement', '/geoadd/key/1/2/member', 'GEOADD'],
    ['a command on a type that it does not implement', '/hset/key/field/value', 'HSET'],
    ['a command of a module', '/json.get/key', 'JSON.GET'],
    ['a subscription without server-sent events', '/subscribe/channel', 'SUBSCRIBE'],
    ['a subscription to a pattern', '/psubscribe/c*', 'PSUBSCRIBE'],
    ['a transaction', '/multi-exec', 'transactions'],
  ])('refuses %s with 501', async (_what, path, name) => {
    const { send } = await openRedis(options)
    expect(await send(path)).toMatchObject({ status: 501, json: { error: expect.stringContaining(name) } })
  })

  test('sends the messages of a channel as server-sent events, until the client leaves', async () => {
    const { redis, standIn } = await openRedis(options)
    const heard: unknown[] = []
    const subscriber = redis.subscribe<string>('채널 1')
    const isReady = new Promise((resolve) => subscriber.on('subscribe', resolve))
    const hasHeard = new Promise((resolve) => {
      subscriber.on('message', ({ message }) => {
        heard.push(message)
        if (heard.length === 2) resolve(heard)
      })
    })
    await isReady
    expect(await standIn.command('PUBLISH', 'another', 'x')).toBe(0)
    expect(await redis.publish('채널 1', 'a,b')).toBe(1)
    expect(await redis.publish('채널 1', '금형')).toBe(1)
    expect(await hasHeard).toEqual(['a,b', '금형'])
    await subscriber.unsubscribe()
    await vi.waitFor(async () => expect(await standIn.command('PUBLISH', '채널 1', 'x')).toBe(0))
  })

  test('refuses the whole pipeline when it does not implement one of its commands', async () => {
    const { send } = await openRedis(options)
    const answer = await send('/pipeline', {
      body: [
        ['SET', 'key', 'value'],
        ['GEOADD', 'key', 1, 2, 'member'],
      ],
    })
    expect(answer).toMatchObject({ status: 501, json: { error: expect.stringContaining('GEOADD') } })
    expect((await send('/get/key')).json).toEqual({ result: null })
  })

  test('refuses any format but JSON with 501', async () => {
    const { send } = await openRedis(options)
    const ask = async (format: string) =>
      (await send('/ping', { headers: { 'upstash-response-format': format } })).status
    expect([await ask('resp2'), await ask('xml'), await ask('json')]).toEqual([501, 501, 200])
  })
})
