// Lua scripts on the Redis stand-in: arguments, commands, results, errors, and the keys that they may use.
import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { backends, openRedis } from './world.ts'

/** Writes a document with a time to live, unless the stored one has the same or a later version. */
const writeIfNewer = `
local stored = redis.call('GET', KEYS[1])
if stored then
  local version = string.match(stored, '"version":(%d+)')
  if version and tonumber(version) >= tonumber(ARGV[2]) then return 0 end
end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[3])
return 1`

/** Counts in a fixed window. The second key, if not '', holds another limit. */
const countInWindow = `
local limit = tonumber(ARGV[1])
if KEYS[2] ~= "" then limit = tonumber(redis.call("GET", KEYS[2]) or limit) end
local used = redis.call("INCRBY", KEYS[1], ARGV[3])
if used == tonumber(ARGV[3]) then redis.call("PEXPIRE", KEYS[1], ARGV[2]) end
return {used, limit}`

/** Counts in a sliding window over two fixed ones. Returns what is left, or -1. */
const countInSlidingWindow = `
local limit, now, window, by = tonumber(ARGV[1]), ARGV[2], ARGV[3], tonumber(ARGV[4])
local current = redis.call("GET", KEYS[1])
if current == false then current = 0 end
local previous = redis.call("GET", KEYS[2])
if previous == false then previous = 0 end
previous = math.floor((1 - (now % window) / window) * previous)
if previous + current >= limit then return -1 end
local count = redis.call("INCRBY", KEYS[1], by)
if count == by then redis.call("PEXPIRE", KEYS[1], window * 2 + 1000) end
return limit - (count + previous)`

describe.each(backends)('a Lua script, with $backend,', ({ options }) => {
  test('writes a document only if the stored version is smaller', async () => {
    const { redis } = await openRedis(options)
    const write = (version: number, state: string, seconds: number) => {
      const document = JSON.stringify({ id: '018f', detail: '한글 "version"', version, state })
      return redis.eval(writeIfNewer, ['job:018f'], [document, version, seconds])
    }
    expect(await write(9, 'SENT', 5)).toBe(1)
    expect(await redis.ttl('job:018f')).toBe(5)
    expect(await write(8, 'QUEUED', 50)).toBe(0)
    expect(await write(9, 'QUEUED', 50)).toBe(0)
    expect(await redis.get('job:018f')).toMatchObject({ version: 9, state: 'SENT', detail: '한글 "version"' })
    expect(await redis.ttl('job:018f')).toBe(5)
    expect(await write(10, 'SUCCEEDED', 86_400)).toBe(1)
    expect(await redis.get('job:018f')).toMatchObject({ version: 10, state: 'SUCCEEDED' })
    expect(await redis.ttl('job:018f')).toBe(86_400)
  })

  test('is called by its hash first, and sent in full when the server does not have it', async () => {
    const bodies: number[] = []
    const { redis, send } = await openRedis({ ...options, onExchange: ({ status }) => bodies.push(status) })
    // A script that no other test sends: a server keeps all scripts.
    const script = redis.createScript<string>(`return ARGV[1] .. '${crypto.randomUUID()}'`)
    const unknown = await send('/', { body: ['EVALSHA', 'f'.repeat(40), 0] })
    expect(unknown).toMatchObject({ status: 400, json: { error: 'NOSCRIPT No matching script. Please use EVAL.' } })
    bodies.length = 0
    expect(await script.exec([], ['first '])).toMatch(/^first /)
    expect(bodies).toHaveLength(2)
    expect(await script.exec([], ['second '])).toMatch(/^second /)
    expect(bodies).toHaveLength(3)
  })

  test("may have Upstash's own flag, by its text and by its hash, and keeps its line numbers", async () => {
    const { redis, standIn } = await openRedis(options)
    // A script that no other test sends: a server keeps all scripts.
    const script = `#!lua flags=allow-key-locking\nlocal mark = '${crypto.randomUUID()}'\nreturn redis.call('INCRBY', KEYS[1], ARGV[1] + 0)`
    const sha = createHash('sha1').update(script).digest('hex')
    await expect(redis.evalsha(sha, ['key'], [1])).rejects.toThrow('NOSCRIPT')
    expect(await redis.eval(script, ['key'], [1])).toBe(1)
    expect(await redis.evalsha(sha.toUpperCase(), ['key'], [1])).toBe(2)
    await expect(standIn.command('EVALSHA', sha, 1, 'key', 'x')).rejects.toThrow(/@user_script:3\.$/)
    await expect(standIn.command('EVAL', '#!lua flags=no-writes\nreturn 1', 0)).rejects.toThrow('shebang')
  })

  test('counts in a fixed window that begins with the first request', async () => {
    const { redis } = await openRedis(options)
    const count = (limitKey: string) => redis.eval(countInWindow, ['limit:a', limitKey], [10, 60_000, 1])
    expect(await count('')).toEqual([1, 10])
    expect(await redis.ttl('limit:a')).toBe(60)
    expect(await count('')).toEqual([2, 10])
    await redis.set('own-limit', 3)
    expect(await count('own-limit')).toEqual([3, 3])
  })

  test('counts in a sliding window, with times in milliseconds and windows of weeks', async () => {
    const { redis } = await openRedis(options)
    await redis.set('previous', 10)
    const count = (now: number, window: number) =>
      redis.eval(countInSlidingWindow, ['current', 'previous'], [8, now, window, 1])
    expect(await count(1_763_855_005_000, 10_000)).toBe(2)
    expect([await count(1_763_855_005_000, 10_000), await count(1_763_855_005_000, 10_000)]).toEqual([1, 0])
    expect(await count(1_763_855_005_000, 10_000)).toBe(-1)
    await redis.del('current', 'previous')
    expect(await count(1_763_855_005_000, 2_592_000_000)).toBe(7)
    expect(await redis.ttl('current')).toBe(5_184_001)
  })

  test.each([
    ['integers without their fractions', 'return {1, 2.9, -2.9, 7 / 2}', [1, 2, -2, 3]],
    ['integers above 32 bits', 'return {2000000000 * 2, math.floor(3e9) + 1, 2 ^ 40}', [4e9, 3e9 + 1, 2 ** 40]],
    ['booleans and nil, which ends an array', 'return {true, false, nil, 3}', [1, null]],
    ['an array that grew', "local t = {} for i = 1, 3 do t[#t + 1] = 'i' .. i end return t", ['i1', 'i2', 'i3']],
    ['a status', "return redis.call('SET', KEYS[1], '')", 'OK'],
    ['the text of a status', "return redis.call('SET', KEYS[1], '').ok", 'OK'],
    ['an empty string, which is not nil', "redis.call('SET', KEYS[1], '') return redis.call('GET', KEYS[1]) == ''", 1],
    ['false for a missing key', "return type(redis.call('GET', KEYS[1]))", 'boolean'],
    ['whole numbers without a point', "return 'n' .. 10 / 2", 'n5'],
    ['large numbers as Lua 5.1 writes them', "return tostring(1763855005000) .. ' ' .. 1e15", '1763855005000 1e+15'],
    ['lengths in bytes', 'return #ARGV[1]', 6],
    ['nothing', 'return nil', null],
  ])('answers with %s', async (_what, script, wanted) => {
    const { standIn } = await openRedis(options)
    expect(await standIn.command('EVAL', script, 1, 'key', '한글')).toEqual(wanted)
  })

  test.each([
    [
      'a command fails',
      "return redis.call('INCRBY', KEYS[1], 1)",
      /^ERR value is not an integer .*script: [0-9a-f]{40}, on @user_script:1\.$/,
    ],
    ['Lua fails in its second line', '\nreturn {} .. 1', /^ERR user_script:2: .* on @user_script:2\.$/],
    [
      'it returns an error of a command',
      "return redis.pcall('INCRBY', KEYS[1], 1)",
      /^ERR value is not an integer or out of range$/,
    ],
    ['it returns an error of its own', "return {err = 'MINE is this'}", /^MINE is this$/],
    ['it raises one', "error('boom')", /^ERR user_script:1: boom script: /],
    ['Lua fails', 'return nil + 1', /^ERR user_script:1: attempt to perform arithmetic on a nil value/],
    ['it does not compile', 'return return', /^ERR Error compiling script \(new function\): user_script:1: /],
    ['it sets a global', 'count = 1', /^ERR user_script:1: Attempt to modify a readonly table script: /],
    ['it reads an undefined global', 'return nothing', /nonexistent global variable 'nothing'/],
    ['an argument is missing', "redis.call('GET')", /^ERR Wrong number of args calling Redis command from script/],
  ])('answers with an error when %s', async (_what, script, message) => {
    const { standIn } = await openRedis(options)
    await standIn.command('SET', 'key', 'text')
    await expect(standIn.command('EVAL', script, 1, 'key')).rejects.toThrow(message)
  })

  test('does not undo what it wrote before it failed', async () => {
    const { standIn } = await openRedis(options)
    await expect(standIn.command('EVAL', "redis.call('SET', KEYS[1], 'x') error('late')", 1, 'key')).rejects.toThrow(
      'late',
    )
    expect(await standIn.command('GET', 'key')).toBe('x')
  })

  test('can continue after an error of redis.pcall', async () => {
    const { redis } = await openRedis(options)
    await redis.set('key', 'text')
    const script = "local r = redis.pcall('INCRBY', KEYS[1], 1) if r.err then return redis.call('GET', KEYS[1]) end"
    expect(await redis.eval(script, ['key'], [])).toBe('text')
  })

  test.each([
    ['writes another key', "redis.call('SET', 'other', 1)"],
    ['reads another key', "return redis.call('GET', 'other')"],
    ['makes a key of a declared one', "redis.call('SET', KEYS[1] .. ':1', 1)"],
    ['adds a key to KEYS', "KEYS[3] = 'other' redis.call('SET', KEYS[3], 1)"],
    ['uses the empty key', "redis.call('SET', KEYS[2], 1)"],
    ['deletes another key with its own', "redis.call('DEL', KEYS[1], 'other')"],
    ['uses a number as a key', "redis.call('INCRBY', 7, 1)"],
    ['ignores the refusal', "redis.pcall('SET', 'other', 1) return 1"],
    [
      'catches the refusal and continues',
      "pcall(redis.call, 'SET', 'other', 1) redis.pcall('SET', KEYS[1], 2) return 1",
    ],
    ['looks for keys', "return redis.call('KEYS', '*')"],
    ['removes everything', "redis.call('FLUSHDB')"],
    ['runs a script', "redis.call('EVAL', 'return 1', 0)"],
    ['uses a command that the stand-in does not implement', "redis.call('GEOADD', KEYS[1], 1, 2, 'member')"],
    ['uses a function of Redis that it does not implement', "return redis.sha1hex('')"],
  ])('that %s is refused with 501, and changes nothing', async (_what, script) => {
    const { standIn, send } = await openRedis(options)
    await standIn.command('SET', 'key', 'kept')
    expect(await send('/', { body: ['EVAL', script, 2, 'key', ''] })).toMatchObject({ status: 501 })
    expect(await standIn.command('MGET', 'key', 'other', 'key:1', '7')).toEqual(['kept', null, null, null])
  })
})

test('a script that uses a library that is not implemented is refused with 501, also inside pcall', async () => {
  const { send } = await openRedis({})
  const scripts = ['return cjson.encode({})', 'pcall(function() return bit.band(1, 1) end) return 1', 'redis.log(1, 2)']
  for (const script of scripts) expect((await send('/', { body: ['EVAL', script, 0] })).status, script).toBe(501)
})
