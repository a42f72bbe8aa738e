// The commands on keys and on the server.
import { type CommandTable, outsideScripts, type Run, read, write } from './command.ts'
import { compileGlob } from './glob.ts'
import { INT64_MAX, parseInteger } from './number.ts'
import { NotImplemented, OK, RedisError, Status, wrongArity } from './reply.ts'

const removeKeys =
  (...keys: string[]): Run =>
  ({ store }) =>
    keys.filter((key) => store.delete(key)).length

const expire = (key: string, amountText: string, ...options: string[]): Run => {
  if (options.length > 0) throw new NotImplemented(`PEXPIRE with ${options.join(' ')}`)
  const amount = parseInteger(amountText)
  const expiresAt = amount + BigInt(Date.now())
  if (expiresAt > INT64_MAX) throw new RedisError("ERR invalid expire time in 'pexpire' command")
  return ({ store }) => {
    if (amount <= 0n) return store.delete(key) ? 1 : 0
    return store.expire(key, Number(expiresAt)) ? 1 : 0
  }
}

/** Seconds; -2 without the key, -1 without an expiry. */
const timeToLive =
  (key: string): Run =>
  ({ store }) => {
    if (!store.has(key)) return -2
    const expiresAtMs = store.expiresAtMs(key)
    // Redis rounds: its ttlGenericCommand adds half a second.
    return expiresAtMs === null ? -1 : Math.floor((expiresAtMs - Date.now() + 500) / 1000)
  }

const findKeys = (pattern: string): Run => {
  const isMatch = compileGlob(pattern)
  return ({ store }) => store.keys().filter(isMatch)
}

const flush = (...options: string[]): Run => {
  if (options.length > 0) throw new NotImplemented(`FLUSHDB with ${options.join(' ')}`)
  return ({ store }) => {
    store.clear()
    return OK
  }
}

/** How many clients get the message. */
const publish =
  (channel: string, message: string): Run =>
  ({ listeners }) => {
    const receivers = [...(listeners.get(channel) ?? [])]
    for (const receive of receivers) receive(message)
    return receivers.length
  }

const ping = (...words: string[]): Run => {
  if (words.length > 1) throw wrongArity('ping')
  return () => words[0] ?? new Status('PONG')
}

export const keyCommands: CommandTable = {
  del: write(-2, 'all', removeKeys),
  pexpire: write(-3, 'first', expire),
  ttl: read(2, 'first', timeToLive),
  keys: outsideScripts(read(2, 'none', findKeys)),
  flushdb: outsideScripts(write(-1, 'none', flush)),
  // On a real server, the channel gets the prefix of the stand-in like a key.
  publish: read(3, 'first', publish),
  ping: read(-1, 'none', ping),
}
