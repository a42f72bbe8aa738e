// The commands about keys whatever they hold, and about the server.
import { type CommandTable, type Run, read, write } from './command.ts'
import { compileGlob } from './glob.ts'
import { parseInteger } from './number.ts'
import { NotSpoken, OK, RedisError, Status, syntaxError, wrongArity } from './reply.ts'
import type { Store } from './store.ts'

const countKeys = (keys: string[], isCounted: (key: string) => boolean) => keys.filter(isCounted).length

function move(store: Store, from: string, to: string): void {
  const value = store.value(from)
  if (value === undefined) throw new RedisError('ERR no such key')
  if (from === to) return
  const expiresAtMs = store.expiresAtMs(from)
  store.delete(from)
  store.delete(to)
  store.put(to, value)
  store.setExpiry(to, expiresAtMs)
}

type ScanOptions = {
  isMatch: (key: string) => boolean
  count: number
  type?: string
}

function parseScanOptions(words: string[]): ScanOptions {
  const options: ScanOptions = { isMatch: () => true, count: 10 }
  for (let at = 0; at < words.length; at += 2) {
    const word = (words[at] ?? '').toUpperCase()
    const value = words[at + 1]
    if (word === 'WITHTYPE') throw new NotSpoken('SCAN … WITHTYPE')
    if (value === undefined) throw syntaxError()
    if (word === 'MATCH') options.isMatch = compileGlob(value)
    else if (word === 'TYPE') options.type = value.toLowerCase()
    else if (word === 'COUNT') {
      options.count = Number(parseInteger(value))
      if (options.count < 1) throw syntaxError()
    } else throw syntaxError()
  }
  return options
}

const scan = (cursorText: string, ...words: string[]): Run => {
  if (!/^\d+$/.test(cursorText)) throw new RedisError('ERR invalid cursor')
  const { isMatch, count, type } = parseScanOptions(words)
  return ({ store }) => {
    const { cursor, keys } = store.scan(Number(cursorText), count)
    return [String(cursor), keys.filter((key) => isMatch(key) && (!type || store.type(key) === type))]
  }
}

const flush = (...words: string[]): Run => {
  const word = words[0]?.toUpperCase()
  if (words.length > 1 || (word !== undefined && word !== 'ASYNC' && word !== 'SYNC')) throw syntaxError()
  return ({ store }) => {
    store.clear()
    return OK
  }
}

const removeKeys =
  (...keys: string[]): Run =>
  ({ store }) =>
    countKeys(keys, (key) => store.delete(key))
const countExisting =
  (...keys: string[]): Run =>
  ({ store }) =>
    countKeys(keys, (key) => store.has(key))

export const keyCommands: CommandTable = {
  del: write(-2, 'all', removeKeys),
  unlink: write(-2, 'all', removeKeys),
  exists: read(-2, 'all', countExisting),
  touch: read(-2, 'all', countExisting),
  type: read(
    2,
    'first',
    (key: string) =>
      ({ store }) =>
        new Status(store.type(key)),
  ),
  keys: read(2, 'none', (pattern: string) => {
    const isMatch = compileGlob(pattern)
    return ({ store }) => store.keys().filter(isMatch)
  }),
  scan: read(-2, 'none', scan),
  rename: write(3, 'firstTwo', (from: string, to: string) => ({ store }) => {
    move(store, from, to)
    return OK
  }),
  renamenx: write(3, 'firstTwo', (from: string, to: string) => ({ store }) => {
    if (!store.has(from)) throw new RedisError('ERR no such key')
    if (store.has(to)) return 0
    move(store, from, to)
    return 1
  }),
  dbsize: read(
    1,
    'none',
    () =>
      ({ store }) =>
        store.keys().length,
  ),
  flushdb: write(-1, 'none', flush),
  flushall: write(-1, 'none', flush),
  ping: read(-1, 'none', (...words: string[]) => {
    if (words.length > 1) throw wrongArity('ping')
    return () => words[0] ?? new Status('PONG')
  }),
  echo: read(2, 'none', (message: string) => () => message),
  time: read(1, 'none', () => () => {
    const ms = Date.now()
    return [String(Math.floor(ms / 1000)), String((ms % 1000) * 1000)]
  }),
}
