// Times to live: how commands name them, and the commands that read and change them.
import { type CommandTable, type Run, read, write } from './command.ts'
import { INT64_MAX, INT64_MIN, parseInteger } from './number.ts'
import { RedisError, syntaxError } from './reply.ts'

export type ExpiryUnit = 'EX' | 'PX' | 'EXAT' | 'PXAT'

/**
 * The moment that is meant, in Unix milliseconds.
 * @throws RedisError when it is no integer or beyond 64 bits.
 */
function expiryMoment(text: string, unit: ExpiryUnit, command: string): number {
  const given = parseInteger(text)
  const inMs = unit === 'EX' || unit === 'EXAT' ? given * 1000n : given
  const moment = unit === 'EX' || unit === 'PX' ? inMs + BigInt(Date.now()) : inMs
  if (inMs > INT64_MAX || inMs < INT64_MIN || moment > INT64_MAX) throw invalidExpiry(command)
  return Number(moment)
}

/** The same where only a time to come makes sense: SET, SETEX, GETEX. */
export function positiveExpiryMoment(text: string, unit: ExpiryUnit, command: string): number {
  if (parseInteger(text) <= 0n) throw invalidExpiry(command)
  return expiryMoment(text, unit, command)
}

const invalidExpiry = (command: string) => new RedisError(`ERR invalid expire time in '${command}' command`)

export type SetOptions = {
  unit?: ExpiryUnit
  amount?: string
  isKeepTtl?: boolean
  isPersist?: boolean
  condition?: 'NX' | 'XX'
  isGet?: boolean
}

/** The options of SET and GETEX. @throws RedisError for any but `allowed`, and for two that exclude each other. */
export function parseSetOptions(words: string[], allowed: string[]): SetOptions {
  const options: SetOptions = {}
  for (let at = 0; at < words.length; at += 1) {
    const word = (words[at] ?? '').toUpperCase()
    if (!allowed.includes(word)) throw syntaxError()
    if (word === 'NX' || word === 'XX') {
      if (options.condition && options.condition !== word) throw syntaxError()
      options.condition = word
    } else if (word === 'GET') options.isGet = true
    else if (word === 'KEEPTTL' && options.unit === undefined) options.isKeepTtl = true
    else if (word === 'PERSIST' && options.unit === undefined) options.isPersist = true
    else if (word === 'EX' || word === 'PX' || word === 'EXAT' || word === 'PXAT') {
      at += 1
      const amount = words[at]
      // The same unit twice is no contradiction to Redis: the last one counts.
      const isOther = options.unit !== undefined && options.unit !== word
      if (isOther || options.isKeepTtl || options.isPersist || amount === undefined) throw syntaxError()
      Object.assign(options, { unit: word, amount })
    } else throw syntaxError()
  }
  return options
}

type Condition = (current: number | null, next: number) => boolean

/** NX XX GT LT; a key without expiry counts as one that lives for ever. */
function parseConditions(words: string[]): Condition {
  const flags = new Set(words.map((word) => word.toUpperCase()))
  const strange = words.find((word) => !['NX', 'XX', 'GT', 'LT'].includes(word.toUpperCase()))
  if (strange !== undefined) throw new RedisError(`ERR Unsupported option ${strange}`)
  if (flags.has('NX') && flags.size > 1) {
    throw new RedisError('ERR NX and XX, GT or LT options at the same time are not compatible')
  }
  if (flags.has('GT') && flags.has('LT')) {
    throw new RedisError('ERR GT and LT options at the same time are not compatible')
  }
  return (current, next) =>
    !(flags.has('NX') && current !== null) &&
    !(flags.has('XX') && current === null) &&
    !(flags.has('GT') && next <= (current ?? Infinity)) &&
    !(flags.has('LT') && next >= (current ?? Infinity))
}

function expire(name: string, unit: ExpiryUnit) {
  return write(-3, 'first', (key: string, amount: string, ...words: string[]): Run => {
    const isAllowed = parseConditions(words)
    const moment = expiryMoment(amount, unit, name)
    return ({ store }) => {
      if (!store.has(key) || !isAllowed(store.expiresAtMs(key), moment)) return 0
      if (moment <= Date.now()) store.delete(key)
      else store.setExpiry(key, moment)
      return 1
    }
  })
}

/** -2 without the key, -1 without an expiry. */
function reportExpiry(report: (expiresAtMs: number) => number) {
  return read(
    2,
    'first',
    (key: string): Run =>
      ({ store }) => {
        if (!store.has(key)) return -2
        const expiresAtMs = store.expiresAtMs(key)
        return expiresAtMs === null ? -1 : report(expiresAtMs)
      },
  )
}

// Seconds are rounded, not cut: Redis' ttlGenericCommand adds half a second.
const inSeconds = (ms: number) => Math.floor((ms + 500) / 1000)

export const expiryCommands: CommandTable = {
  expire: expire('expire', 'EX'),
  pexpire: expire('pexpire', 'PX'),
  expireat: expire('expireat', 'EXAT'),
  pexpireat: expire('pexpireat', 'PXAT'),
  ttl: reportExpiry((at) => inSeconds(at - Date.now())),
  pttl: reportExpiry((at) => at - Date.now()),
  expiretime: reportExpiry(inSeconds),
  pexpiretime: reportExpiry((at) => at),
  persist: write(2, 'first', (key) => ({ store }) => {
    if (store.expiresAtMs(key) === null) return 0
    store.setExpiry(key, null)
    return 1
  }),
}
