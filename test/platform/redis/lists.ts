// The commands about lists.
import { type CommandTable, type Run, read, write } from './command.ts'
import { INT64_MAX, parseIndex, resolveRange } from './number.ts'
import { OK, RedisError, wrongArity } from './reply.ts'
import { List, type Store } from './store.ts'

const listOf = (store: Store, key: string) => store.list(key) ?? store.put(key, new List())

function push(isLeft: boolean, isOnlyIfThere: boolean) {
  return write(-3, 'first', (key: string, ...items: string[]) => ({ store }) => {
    if (isOnlyIfThere && !store.list(key)) return 0
    const list = listOf(store, key)
    list.items = isLeft ? [...items.toReversed(), ...list.items] : [...list.items, ...items]
    return list.items.length
  })
}

function pop(name: string, isLeft: boolean) {
  return write(-2, 'first', (key: string, ...words: string[]): Run => {
    if (words.length > 1) throw wrongArity(name)
    const count = words[0] === undefined ? null : parsePopCount(words[0])
    return ({ store }) => {
      const list = store.list(key)
      if (!list) return null
      const taken = isLeft ? list.items.splice(0, count ?? 1) : list.items.splice(-(count ?? 1) || Infinity).reverse()
      store.deleteIfEmpty(key)
      return count === null ? (taken[0] ?? null) : taken
    }
  })
}

/** @throws RedisError, one text for all that is no count. */
export function parsePopCount(text: string): number {
  const isInteger = /^(0|-?[1-9]\d{0,18})$/.test(text)
  const value = isInteger ? BigInt(text) : -1n
  if (value < 0n || value > INT64_MAX) throw new RedisError('ERR value is out of range, must be positive')
  return Number(value)
}

const setItem =
  (key: string, indexText: string, item: string): Run =>
  ({ store }) => {
    const list = store.list(key)
    if (!list) throw new RedisError('ERR no such key')
    const index = parseIndex(indexText)
    const at = index < 0 ? list.items.length + index : index
    if (at < 0 || at >= list.items.length) throw new RedisError('ERR index out of range')
    list.items[at] = item
    return OK
  }

const removeItems = (key: string, countText: string, item: string): Run => {
  const count = parseIndex(countText)
  const most = count === 0 ? Infinity : Math.abs(count)
  return ({ store }) => {
    const list = store.list(key)
    if (!list) return 0
    let removed = 0
    const isKept = (candidate: string) => {
      if (candidate !== item || removed >= most) return true
      removed += 1
      return false
    }
    list.items = count < 0 ? list.items.toReversed().filter(isKept).reverse() : list.items.filter(isKept)
    store.deleteIfEmpty(key)
    return removed
  }
}

const trim = (key: string, start: string, stop: string): Run => {
  const [first, last] = [parseIndex(start), parseIndex(stop)]
  return ({ store }) => {
    const list = store.list(key)
    if (list) list.items = list.items.slice(...resolveRange(first, last, list.items.length))
    store.deleteIfEmpty(key)
    return OK
  }
}

export const listCommands: CommandTable = {
  lpush: push(true, false),
  rpush: push(false, false),
  lpushx: push(true, true),
  rpushx: push(false, true),
  lpop: pop('lpop', true),
  rpop: pop('rpop', false),
  llen: read(
    2,
    'first',
    (key: string) =>
      ({ store }) =>
        store.list(key)?.items.length ?? 0,
  ),
  lrange: read(4, 'first', (key: string, start: string, stop: string) => {
    const [first, last] = [parseIndex(start), parseIndex(stop)]
    return ({ store }) => {
      const items = store.list(key)?.items ?? []
      return items.slice(...resolveRange(first, last, items.length))
    }
  }),
  lindex: read(3, 'first', (key: string, index: string) => ({ store }) => {
    return store.list(key)?.items.at(parseIndex(index)) ?? null
  }),
  lset: write(4, 'first', setItem),
  lrem: write(4, 'first', removeItems),
  ltrim: write(4, 'first', trim),
}
