// What each command of the Redis stand-in answers, in Redis' own words: the same list holds on a real Redis 7.
import { describe, expect, test } from 'vitest'
import { openRedis, places } from './world.ts'

const notInteger = 'ERR value is not an integer or out of range'
const wrongType = 'WRONGTYPE Operation against a key holding the wrong kind of value'
const fewWords = (command: string) => `ERR wrong number of arguments for '${command}' command`

const messageOf = (error: unknown) => (error instanceof Error ? error.message : error)

/** Commands one after another, split at spaces, each with its answer; errors answer with their text. */
const stories: Record<string, [command: string, answer: unknown][]> = {
  'SET and its options': [
    ['SET k', fewWords('set')],
    ['SET k v EX', 'ERR syntax error'],
    ['SET k v NX XX', 'ERR syntax error'],
    ['SET k v KEEPTTL EX 10', 'ERR syntax error'],
    ['SET k v EX 10 PX 10', 'ERR syntax error'],
    ['SET k v EX abc', notInteger],
    ['SET k v EX 0', "ERR invalid expire time in 'set' command"],
    ['SET k v EX 9223372036854775807', "ERR invalid expire time in 'set' command"],
    ['set k v ex 10', 'OK'],
    ['TTL k', 10],
    ['SET k w GET PX 20000', 'v'],
    ['TTL k', 20],
    ['SET k x NX GET', 'w'],
    ['GETEX k PERSIST', 'w'],
    ['TTL k', -1],
    ['SETEX k 0 v', "ERR invalid expire time in 'setex' command"],
    ['SETEX k 30 v', 'OK'],
    ['TTL k', 30],
    ['LPUSH l a', 1],
    ['SET l v GET', wrongType],
    ['SET l v', 'OK'],
  ],
  'strings and counters': [
    ['GET', fewWords('get')],
    ['INCR n', 1],
    ['INCRBY n 41', 42],
    ['DECRBY n 2', 40],
    ['DECR n', 39],
    ['INCRBY n 1.5', notInteger],
    ['DECRBY n -9223372036854775808', 'ERR decrement would overflow'],
    ['SETNX n 1', 0],
    ['GETSET n abc', '39'],
    ['INCR n', notInteger],
    ['APPEND n def', 6],
    ['GETRANGE n 1 -2', 'bcde'],
    ['SETRANGE n 4 XYZ', 7],
    ['GETDEL n', 'abcdXYZ'],
    ['MSET a 1 b', fewWords('mset')],
    ['MSET a 1 b 2', 'OK'],
    ['MSETNX b 3 c 4', 0],
    ['MGET a b c', ['1', '2', null]],
    ['STRLEN a', 1],
  ],
  'keys and their expiry': [
    ['MSET a 1 b 2 c 3', 'OK'],
    ['EXISTS a a z', 2],
    ['TYPE a', 'string'],
    ['TYPE z', 'none'],
    ['EXPIRE a 100 XX', 0],
    ['EXPIRE a 100 NX', 1],
    ['EXPIRE a 50 GT', 0],
    ['EXPIRE a 50 LT', 1],
    ['TTL a', 50],
    ['EXPIRE a 50 NX GT', 'ERR NX and XX, GT or LT options at the same time are not compatible'],
    ['EXPIRE a 50 SOON', 'ERR Unsupported option SOON'],
    ['EXPIRE a abc', notInteger],
    ['EXPIREAT a 4102444800', 1],
    ['EXPIRETIME a', 4102444800],
    ['PEXPIRETIME a', 4102444800000],
    ['RENAME a b', 'OK'],
    ['EXPIRETIME b', 4102444800],
    ['RENAME a b', 'ERR no such key'],
    ['RENAMENX b c', 0],
    ['EXPIRE b -1', 1],
    ['KEYS *', ['c']],
    ['DEL b c', 1],
    ['DBSIZE', 0],
    ['SCAN abc', 'ERR invalid cursor'],
    ['SCAN 0 COUNT 0', 'ERR syntax error'],
    ['SCAN 0', ['0', []]],
  ],
  hashes: [
    ['HSET h a 1 b', fewWords('hset')],
    ['HSET h a 1 b 2', 2],
    ['HSET h b 3 c 4', 1],
    ['HGETALL h', ['a', '1', 'b', '3', 'c', '4']],
    ['HMGET h a z', ['1', null]],
    ['HINCRBY h a 5', 6],
    ['HINCRBY h a x', notInteger],
    ['HSETNX h a 9', 0],
    ['HSET h t text', 1],
    ['HINCRBY h t 1', 'ERR hash value is not an integer'],
    ['HSTRLEN h t', 4],
    ['HDEL h a b z', 2],
    ['HKEYS h', ['c', 't']],
    ['HVALS h', ['4', 'text']],
    ['GET h', wrongType],
    ['HDEL h c t', 2],
    ['EXISTS h', 0],
  ],
  lists: [
    ['RPUSH l a b c', 3],
    ['LPUSH l x y', 5],
    ['LRANGE l 0 -1', ['y', 'x', 'a', 'b', 'c']],
    ['LINDEX l -1', 'c'],
    ['LSET l 9 z', 'ERR index out of range'],
    ['LSET z 0 a', 'ERR no such key'],
    ['LSET l 0 b', 'OK'],
    ['LREM l -1 b', 1],
    ['LPOP l 2', ['b', 'x']],
    ['RPOP l', 'c'],
    ['LPOP l -1', 'ERR value is out of range, must be positive'],
    ['LPUSHX z a', 0],
    ['HSET l f v', wrongType],
    ['LTRIM l 1 0', 'OK'],
    ['EXISTS l', 0],
    ['LPOP l', null],
  ],
  sets: [
    ['SADD s a b a', 2],
    ['SADD t b c', 2],
    ['SISMEMBER s a', 1],
    ['SMISMEMBER s a z', [1, 0]],
    ['SINTER s t', ['b']],
    ['SDIFF s t', ['a']],
    ['SUNIONSTORE u s t', 3],
    ['SINTERSTORE u s z', 0],
    ['EXISTS u', 0],
    ['SREM s a b', 2],
    ['SCARD s', 0],
    ['ZADD t 1 a', wrongType],
  ],
  'sorted sets': [
    ['ZADD z 1 a 2 b', 2],
    ['ZADD z NX XX 1 a', 'ERR XX and NX options at the same time are not compatible'],
    ['ZADD z x a', 'ERR value is not a valid float'],
    ['ZADD z GT CH 3 a 1 b 1 c', 2],
    ['ZADD z INCR 2 b', '4'],
    ['ZADD z XX INCR 2 q', null],
    ['ZRANGE z 0 -1 WITHSCORES', ['c', '1', 'a', '3', 'b', '4']],
    ['ZRANGE z (1 +inf BYSCORE LIMIT 0 1', ['a']],
    ['ZRANGE z +inf -inf BYSCORE REV', ['b', 'a', 'c']],
    ['ZRANGE z 0 1 LIMIT 0 1', 'ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX'],
    ['ZRANGEBYSCORE z x 1', 'ERR min or max is not a float'],
    ['ZREVRANGE z 0 0', ['b']],
    ['ZCOUNT z 1 3', 2],
    ['ZRANK z b', 2],
    ['ZREVRANK z b', 0],
    ['ZINCRBY z 0.5 c', '1.5'],
    ['ZMSCORE z c q', ['1.5', null]],
    ['ZREMRANGEBYSCORE z -inf (3', 1],
    ['ZPOPMAX z', ['b', '4']],
    ['ZREM z a', 1],
    ['EXISTS z', 0],
  ],
  'the server': [
    ['PING', 'PONG'],
    ['PING a', 'a'],
    ['PING a b', fewWords('ping')],
    ['ECHO a', 'a'],
    ['DBSIZE x', fewWords('dbsize')],
    ['SET a 1', 'OK'],
    ['FLUSHDB NOW', 'ERR syntax error'],
    ['FLUSHALL', 'OK'],
    ['EXISTS a', 0],
    ['SCRIPT', fewWords('script')],
    ['SCRIPT LOAD', fewWords('script|load')],
    ['SCRIPT foo', "ERR unknown subcommand 'foo'. Try SCRIPT HELP."],
    ['EVAL x 2 k', "ERR Number of keys can't be greater than number of args"],
    ['NOSUCH a', "ERR unknown command 'NOSUCH', with args beginning with: 'a' "],
    ['constructor', "ERR unknown command 'constructor', with args beginning with: "],
  ],
}

describe.each(places)('with the data $place,', ({ options }) => {
  test.each(Object.entries(stories))('%s answer as Redis does', async (_what, story) => {
    const { standIn } = await openRedis(options)
    for (const [command, answer] of story) {
      const found = await standIn.command(...command.split(' ')).catch(messageOf)
      expect(found, command).toEqual(answer)
    }
  })

  test.each([
    ['*', ['axb', 'a*b', 'a-b', 'a[b', 'ab', 'a\nb', 'cab']],
    ['a?b', ['axb', 'a*b', 'a-b', 'a[b', 'a\nb']],
    ['a*b', ['axb', 'a*b', 'a-b', 'a[b', 'ab', 'a\nb']],
    ['a\\*b', ['a*b']],
    ['a[^x]b', ['a*b', 'a-b', 'a[b', 'a\nb']],
    ['a[w-z]b', ['axb']],
    ['a[-*]b', ['a*b', 'a-b']],
    ['a[*-]b', ['ab']], // a range from * to ], open at its end
    ['a[\\[]b', ['a[b']],
    ['a.b', []],
  ])('KEYS %s finds what Redis finds', async (pattern, wanted) => {
    const { standIn } = await openRedis(options)
    for (const key of ['axb', 'a*b', 'a-b', 'a[b', 'ab', 'a\nb', 'cab']) await standIn.command('SET', key, 1)
    const found = (await standIn.command('KEYS', pattern)) as string[] // KEYS answers with an array of strings
    expect(found.sort()).toEqual(wanted.sort())
  })

  test('TIME tells the time in seconds and microseconds', async () => {
    const { standIn } = await openRedis(options)
    const [seconds, micros] = (await standIn.command('TIME')) as [string, string] // as Redis documents it
    expect(Math.abs(Number(seconds) - Date.now() / 1000)).toBeLessThan(10)
    expect(micros).toMatch(/^\d{1,6}$/)
  })
})
