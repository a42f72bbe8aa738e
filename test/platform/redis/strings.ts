// The commands on strings.
import { type CommandTable, type Run, read, write } from './command.ts'
import { addInteger, INT64_MAX, parseInteger } from './number.ts'
import { integerReply, OK, RedisError, syntaxError } from './reply.ts'

const units = ['EX', 'PX', 'EXAT', 'PXAT'] as const
type Unit = (typeof units)[number]
const isUnit = (word: string): word is Unit => units.some((unit) => unit === word)

type SetOptions = {
  /** Unix milliseconds; null is never. */
  expiresAtMs: number | null
  isKeepTtl: boolean
  isGet: boolean
  condition?: 'NX' | 'XX'
}

/** In Unix milliseconds. @throws RedisError unless it is a positive 64-bit integer */
function parseExpiry(text: string, unit: Unit): number {
  const given = parseInteger(text)
  const inMs = unit.startsWith('EX') ? given * 1000n : given
  const moment = unit.endsWith('AT') ? inMs : inMs + BigInt(Date.now())
  if (given <= 0n || inMs > INT64_MAX || moment > INT64_MAX) {
    throw new RedisError("ERR invalid expire time in 'set' command")
  }
  return Number(moment)
}

/** @throws RedisError for an unknown option, and for two that exclude each other */
function parseSetOptions(words: string[]): SetOptions {
  const options: SetOptions = { expiresAtMs: null, isKeepTtl: false, isGet: false }
  let unit: Unit | undefined
  for (let at = 0; at < words.length; at += 1) {
    const word = (words[at] ?? '').toUpperCase()
    if (word === 'NX' || word === 'XX') {
      if (options.condition && options.condition !== word) throw syntaxError()
      options.condition = word
    } else if (word === 'GET') options.isGet = true
    else if (word === 'KEEPTTL' && unit === undefined) options.isKeepTtl = true
    else if (isUnit(word)) {
      at += 1
      const amount = words[at]
      // Redis accepts the same unit twice, and uses the last one.
      if ((unit ?? word) !== word || options.isKeepTtl || amount === undefined) throw syntaxError()
      unit = word
      options.expiresAtMs = parseExpiry(amount, unit)
    } else throw syntaxError()
  }
  return options
}

const set = (key: string, value: string, ...words: string[]): Run => {
  const { expiresAtMs, isKeepTtl, isGet, condition } = parseSetOptions(words)
  return ({ store }) => {
    const old = isGet ? store.get(key) : null
    const isWanted = condition === undefined || store.has(key) === (condition === 'XX')
    if (isWanted) store.set(key, value, isKeepTtl ? store.expiresAtMs(key) : expiresAtMs)
    if (isGet) return old
    return isWanted ? OK : null
  }
}

/** The value is an integer in text. Its expiry stays. */
const increase = (key: string, amount: string): Run => {
  const by = parseInteger(amount)
  return ({ store }) => {
    const sum = addInteger(parseInteger(store.get(key) ?? '0'), by)
    store.set(key, String(sum), store.expiresAtMs(key))
    return integerReply(sum)
  }
}

const get =
  (key: string): Run =>
  ({ store }) =>
    store.get(key)

const getMany =
  (...keys: string[]): Run =>
  ({ store }) =>
    keys.map((key) => (store.isString(key) ? store.get(key) : null))

export const stringCommands: CommandTable = {
  get: read(2, 'first', get),
  mget: read(-2, 'all', getMany),
  set: write(-3, 'first', set),
  incrby: write(3, 'first', increase),
}
