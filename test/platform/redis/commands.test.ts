// The answers of each command of the Redis stand-in. A real Redis 7 gives the same ones.
import { describe, expect, test } from 'vitest'
import { NotImplemented } from './reply.ts'
import { backends, openRedis } from './world.ts'

const notInteger = 'ERR value is not an integer or out of range'
const fewWords = (command: string) => `ERR wrong number of arguments for '${command}' command`

const wrongType = 'WRONGTYPE Operation against a key holding the wrong kind of value'

const messageOf = (error: unknown) => (error instanceof Error ? error.message : error)

/** Commands in order, split at spaces, each with its answer. The answer of an error is its text. */
const scenarios: Record<string, [command: string, answer: unknown][]> = {
  'SET and its options': [
    ['SET k', fewWords('set')],
    ['SET k v EX', 'ERR syntax error'],
    ['SET k v NX XX', 'ERR syntax error'],
    ['SET k v KEEPTTL EX 10', 'ERR syntax error'],
    ['SET k v EX 10 PX 10', 'ERR syntax error'],
    ['SET k v FOO', 'ERR syntax error'],
    ['SET k v EX abc', notInteger],
    ['SET k v EX 0', "ERR invalid expire time in 'set' command"],
    ['SET k v EX 9223372036854775807', "ERR invalid expire time in 'set' command"],
    ['set k v ex 10', 'OK'],
    ['TTL k', 10],
    ['SET k w GET PX 20000', 'v'],
    ['TTL k', 20],
    ['SET k x NX GET', 'w'],
    ['SET k x KEEPTTL', 'OK'],
    ['TTL k', 20],
    ['SET k y XX', 'OK'],
    ['TTL k', -1],
    ['SET k z EXAT 1', 'OK'],
    ['GET k', null],
    ['SET k z XX', null],
    ['SET k z nx', 'OK'],
    ['SET k z NX', null],
  ],
  'strings and counters': [
    ['GET', fewWords('get')],
    ['INCRBY n 42', 42],
    ['INCRBY n -2', 40],
    ['INCRBY n 1.5', notInteger],
    ['INCRBY n 9223372036854775807', 'ERR increment or decrement would overflow'],
    ['SET n abc', 'OK'],
    ['INCRBY n 1', notInteger],
    ['MGET n z', ['abc', null]],
    ['SET n 1 EX 50', 'OK'],
    ['INCRBY n 1', 2],
    ['TTL n', 50],
  ],
  'keys and their expiry': [
    ['TTL a', -2],
    ['PEXPIRE a 1000', 0],
    ['SET a 1', 'OK'],
    ['TTL a', -1],
    ['PEXPIRE a abc', notInteger],
    ['PEXPIRE a 9223372036854775807', "ERR invalid expire time in 'pexpire' command"],
    ['PEXPIRE a 50000', 1],
    ['TTL a', 50],
    ['PEXPIRE a -1', 1],
    ['GET a', null],
    ['SET b 2', 'OK'],
    ['KEYS *', ['b']],
    ['DEL a b b', 1],
    ['KEYS *', []],
  ],
  streams: [
    ['XADD s * a', fewWords('xadd')],
    ['XADD s * a 1 b', fewWords('xadd')],
    ['XADD s MAXLEN ~ x * a 1', notInteger],
    ['XRANGE s - +', []],
    ['XRANGE s x +', 'ERR Invalid stream ID specified as stream command argument'],
    ['XRANGE s - + COUNT', 'ERR syntax error'],
    ['XRANGE s - + FOO 1', 'ERR syntax error'],
    ['XADD s * a 1', expect.stringMatching(/^\d{13}-0$/)],
    ['XRANGE s - +', [[expect.stringMatching(/^\d+-0$/), ['a', '1']]]],
    ['XADD s MAXLEN = 2 * a 2', expect.any(String)],
    ['XADD s MAXLEN 2 * a 3 b 4', expect.any(String)],
    [
      'XRANGE s - +',
      [
        [expect.any(String), ['a', '2']],
        [expect.any(String), ['a', '3', 'b', '4']],
      ],
    ],
    ['XREVRANGE s + - COUNT 1', [[expect.any(String), ['a', '3', 'b', '4']]]],
    ['XRANGE s 0 1', []],
    ['XRANGE s (0-1 + COUNT 1', [[expect.any(String), ['a', '2']]]],
    ['GET s', wrongType],
    ['INCRBY s 1', wrongType],
    ['MGET s', [null]],
    ['PEXPIRE s 50000', 1],
    ['TTL s', 50],
    ['XADD s * a 5', expect.any(String)],
    ['TTL s', 50],
    ['SET s text', 'OK'],
    ['XADD s * a 1', wrongType],
    ['XRANGE s - +', wrongType],
  ],
  'the server': [
    ['PING', 'PONG'],
    ['PING a', 'a'],
    ['PING a b', fewWords('ping')],
    ['SET a 1', 'OK'],
    ['FLUSHDB', 'OK'],
    ['GET a', null],
    ['EVAL x 2 k', "ERR Number of keys can't be greater than number of args"],
    ['EVAL x -1 k', "ERR Number of keys can't be negative"],
    ['NOSUCH a', "ERR unknown command 'NOSUCH', with args beginning with: 'a' "],
    ['constructor', "ERR unknown command 'constructor', with args beginning with: "],
  ],
}

describe.each(backends)('with $backend,', ({ options }) => {
  test.each(Object.entries(scenarios))('%s: the answers are those of Redis', async (_title, scenario) => {
    const { standIn } = await openRedis(options)
    for (const [command, answer] of scenario) {
      const found = await standIn.command(...command.split(' ')).catch(messageOf)
      expect(found, command).toEqual(answer)
    }
  })

  test.each([
    ['*', ['axb', 'a*b', 'a.b', 'ab', 'a\nb', 'cab']],
    ['a?b', ['axb', 'a*b', 'a.b', 'a\nb']],
    ['a*b', ['axb', 'a*b', 'a.b', 'ab', 'a\nb']],
    ['a.b', ['a.b']],
    ['b', []],
  ])('KEYS %s finds what Redis finds', async (pattern, wanted) => {
    const { standIn } = await openRedis(options)
    for (const key of ['axb', 'a*b', 'a.b', 'ab', 'a\nb', 'cab']) await standIn.command('SET', key, 1)
    const found = (await standIn.command('KEYS', pattern)) as string[] // KEYS answers with an array of strings
    expect(found.sort()).toEqual(wanted.sort())
  })

  test.each([['KEYS a[bc]'], ['KEYS a\\*'], ['FLUSHDB ASYNC'], ['PEXPIRE k 10 NX'], ['XADD s 1-1 a 1']])(
    '%s is refused as not implemented',
    async (command) => {
      const { standIn } = await openRedis(options)
      await expect(standIn.command(...command.split(' '))).rejects.toThrow(NotImplemented)
    },
  )
})
