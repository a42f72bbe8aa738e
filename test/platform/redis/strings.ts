// The commands about strings.
import { type CommandTable, pairs, type Run, read, type World, write } from './command.ts'
import { type ExpiryUnit, parseSetOptions, positiveExpiryMoment } from './expiry.ts'
import { addInteger, INT64_MIN, parseIndex, parseInteger, resolveRange } from './number.ts'
import { integerReply, OK, RedisError, wrongArity } from './reply.ts'
import type { Store } from './store.ts'

const maxStringBytes = 512 * 1024 * 1024
const tooLong = () => new RedisError('ERR string exceeds maximum allowed size (proto-max-bulk-len)')

/** A plain SET forgets the expiry. */
function replace(store: Store, key: string, value: string, expiresAtMs: number | null = null): void {
  store.put(key, value)
  store.setExpiry(key, expiresAtMs)
}

const set = (key: string, value: string, ...words: string[]): Run => {
  const options = parseSetOptions(words, ['EX', 'PX', 'EXAT', 'PXAT', 'KEEPTTL', 'NX', 'XX', 'GET'])
  const { unit, amount, condition } = options
  const expiresAtMs = unit && amount !== undefined ? positiveExpiryMoment(amount, unit, 'set') : null
  return ({ store }) => {
    const old = options.isGet ? (store.string(key) ?? null) : null
    const isWanted = condition === undefined || store.has(key) === (condition === 'XX')
    if (!isWanted) return old
    replace(store, key, value, options.isKeepTtl ? store.expiresAtMs(key) : expiresAtMs)
    return options.isGet ? old : OK
  }
}

function setFor(name: string, unit: ExpiryUnit) {
  return write(4, 'first', (key: string, amount: string, value: string) => {
    const expiresAtMs = positiveExpiryMoment(amount, unit, name)
    return ({ store }) => {
      replace(store, key, value, expiresAtMs)
      return OK
    }
  })
}

const getex = (key: string, ...words: string[]): Run => {
  const { unit, amount, isPersist } = parseSetOptions(words, ['EX', 'PX', 'EXAT', 'PXAT', 'PERSIST'])
  const expiresAtMs = unit && amount !== undefined ? positiveExpiryMoment(amount, unit, 'getex') : null
  return ({ store }) => {
    const value = store.string(key)
    if (isPersist || expiresAtMs !== null) store.setExpiry(key, expiresAtMs)
    return value ?? null
  }
}

/** Counting keeps the expiry; the value is an integer in text. */
const increase =
  (key: string, by: bigint) =>
  ({ store }: World) => {
    const sum = addInteger(parseInteger(store.string(key) ?? '0'), by)
    store.put(key, String(sum))
    return integerReply(sum)
  }

const decreaseBy = (key: string, amount: string): Run => {
  const by = parseInteger(amount)
  if (by === INT64_MIN) throw new RedisError('ERR decrement would overflow')
  return increase(key, -by)
}

const setAll =
  (name: string, isOnlyIfNone: boolean) =>
  (...args: string[]): Run => {
    if (args.length % 2 === 1) throw wrongArity(name)
    const entries = pairs(args)
    return ({ store }) => {
      if (isOnlyIfNone && entries.some(([key]) => store.has(key))) return 0
      for (const [key, value] of entries) replace(store, key, value)
      return isOnlyIfNone ? 1 : OK
    }
  }

const setRange = (key: string, offsetText: string, patch: string): Run => {
  const offset = parseIndex(offsetText)
  if (offset < 0) throw new RedisError('ERR offset is out of range')
  return ({ store }) => {
    const old = store.string(key) ?? ''
    if (patch === '') return old.length
    if (offset + patch.length > maxStringBytes) throw tooLong()
    const padded = old.padEnd(offset, '\0')
    return store.put(key, padded.slice(0, offset) + patch + padded.slice(offset + patch.length)).length
  }
}

const getRange = (key: string, startText: string, stopText: string): Run => {
  const [start, stop] = [parseIndex(startText), parseIndex(stopText)]
  return ({ store }) => {
    const value = store.string(key) ?? ''
    if (start < 0 && stop < 0 && start > stop) return ''
    // Unlike LRANGE, a stop before the first byte means the first byte.
    const last = stop < 0 ? Math.max(value.length + stop, 0) : stop
    return value.slice(...resolveRange(start, last, value.length))
  }
}

export const stringCommands: CommandTable = {
  get: read(
    2,
    'first',
    (key: string) =>
      ({ store }) =>
        store.string(key) ?? null,
  ),
  set: write(-3, 'first', set),
  setex: setFor('setex', 'EX'),
  psetex: setFor('psetex', 'PX'),
  setnx: write(3, 'first', (key: string, value: string) => ({ store }) => {
    if (store.has(key)) return 0
    replace(store, key, value)
    return 1
  }),
  getset: write(3, 'first', (key: string, value: string) => ({ store }) => {
    const old = store.string(key) ?? null
    replace(store, key, value)
    return old
  }),
  getdel: write(2, 'first', (key: string) => ({ store }) => {
    const old = store.string(key) ?? null
    store.delete(key)
    return old
  }),
  getex: write(-2, 'first', getex),
  mget: read(
    -2,
    'all',
    (...keys: string[]) =>
      ({ store }) =>
        keys.map((key) => (store.type(key) === 'string' ? (store.string(key) ?? null) : null)),
  ),
  mset: write(-3, 'everyOther', setAll('mset', false)),
  msetnx: write(-3, 'everyOther', setAll('msetnx', true)),
  incr: write(2, 'first', (key: string) => increase(key, 1n)),
  decr: write(2, 'first', (key: string) => increase(key, -1n)),
  incrby: write(3, 'first', (key: string, amount: string) => increase(key, parseInteger(amount))),
  decrby: write(3, 'first', decreaseBy),
  append: write(3, 'first', (key: string, more: string) => ({ store }) => {
    return store.put(key, (store.string(key) ?? '') + more).length
  }),
  strlen: read(
    2,
    'first',
    (key: string) =>
      ({ store }) =>
        store.string(key)?.length ?? 0,
  ),
  getrange: read(4, 'first', getRange),
  setrange: write(4, 'first', setRange),
}
