// The commands about hashes.
import { type CommandTable, pairs, type Run, read, write } from './command.ts'
import { addInteger, parseInteger } from './number.ts'
import { integerReply, OK, RedisError, type Reply, wrongArity } from './reply.ts'
import { Hash, type Store } from './store.ts'

const hashOf = (store: Store, key: string) => store.hash(key) ?? store.put(key, new Hash())

const setFields =
  (name: string, reply: (added: number) => Reply) =>
  (key: string, ...args: string[]): Run => {
    if (args.length % 2 === 1) throw wrongArity(name)
    return ({ store }) => {
      const hash = hashOf(store, key)
      const before = hash.size
      for (const [field, value] of pairs(args)) hash.set(field, value)
      return reply(hash.size - before)
    }
  }

function parseHashInteger(text: string): bigint {
  try {
    return parseInteger(text)
  } catch {
    throw new RedisError('ERR hash value is not an integer')
  }
}

const increaseField = (key: string, field: string, amount: string): Run => {
  const by = parseInteger(amount)
  return ({ store }) => {
    const sum = addInteger(parseHashInteger(store.hash(key)?.get(field) ?? '0'), by)
    hashOf(store, key).set(field, String(sum))
    return integerReply(sum)
  }
}

const removeFields =
  (key: string, ...fields: string[]): Run =>
  ({ store }) => {
    const hash = store.hash(key)
    const removed = fields.filter((field) => hash?.delete(field)).length
    store.deleteIfEmpty(key)
    return removed
  }

export const hashCommands: CommandTable = {
  hset: write(
    -4,
    'first',
    setFields('hset', (added) => added),
  ),
  hmset: write(
    -4,
    'first',
    setFields('hmset', () => OK),
  ),
  hsetnx: write(4, 'first', (key: string, field: string, value: string) => ({ store }) => {
    if (store.hash(key)?.has(field)) return 0
    hashOf(store, key).set(field, value)
    return 1
  }),
  hget: read(
    3,
    'first',
    (key: string, field: string) =>
      ({ store }) =>
        store.hash(key)?.get(field) ?? null,
  ),
  hmget: read(-3, 'first', (key: string, ...fields: string[]) => ({ store }) => {
    const hash = store.hash(key)
    return fields.map((field) => hash?.get(field) ?? null)
  }),
  hgetall: read(
    2,
    'first',
    (key: string) =>
      ({ store }) =>
        [...(store.hash(key) ?? [])].flat(),
  ),
  hkeys: read(2, 'first', (key: string) => ({ store }) => [...(store.hash(key)?.keys() ?? [])]),
  hvals: read(2, 'first', (key: string) => ({ store }) => [...(store.hash(key)?.values() ?? [])]),
  hlen: read(
    2,
    'first',
    (key: string) =>
      ({ store }) =>
        store.hash(key)?.size ?? 0,
  ),
  hexists: read(
    3,
    'first',
    (key: string, field: string) =>
      ({ store }) =>
        store.hash(key)?.has(field) ? 1 : 0,
  ),
  hstrlen: read(
    3,
    'first',
    (key: string, field: string) =>
      ({ store }) =>
        store.hash(key)?.get(field)?.length ?? 0,
  ),
  hdel: write(-3, 'first', removeFields),
  hincrby: write(4, 'first', increaseField),
}
