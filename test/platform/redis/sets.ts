// The commands about sets.
import { type CommandTable, read, write } from './command.ts'
import type { Store } from './store.ts'

const setOf = (store: Store, key: string) => store.set(key) ?? store.put(key, new Set<string>())

type Combine = (left: Set<string>, right: Set<string>) => Set<string>

const combine = (store: Store, keys: string[], by: Combine) =>
  keys.map((key) => new Set(store.set(key) ?? [])).reduce(by)

function combined(by: Combine) {
  return read(-2, 'all', (...keys: string[]) => ({ store }) => [...combine(store, keys, by)])
}

function storeCombined(by: Combine) {
  return write(-3, 'all', (target: string, ...keys: string[]) => ({ store }) => {
    const result = combine(store, keys, by)
    store.delete(target)
    if (result.size > 0) store.put(target, result)
    return result.size
  })
}

const union: Combine = (left, right) => new Set([...left, ...right])
const intersection: Combine = (left, right) => new Set([...left].filter((member) => right.has(member)))
const difference: Combine = (left, right) => new Set([...left].filter((member) => !right.has(member)))

export const setCommands: CommandTable = {
  sadd: write(-3, 'first', (key: string, ...members: string[]) => ({ store }) => {
    const set = setOf(store, key)
    const before = set.size
    for (const member of members) set.add(member)
    return set.size - before
  }),
  srem: write(-3, 'first', (key: string, ...members: string[]) => ({ store }) => {
    const set = store.set(key)
    const removed = members.filter((member) => set?.delete(member)).length
    store.deleteIfEmpty(key)
    return removed
  }),
  smembers: read(2, 'first', (key: string) => ({ store }) => [...(store.set(key) ?? [])]),
  sismember: read(
    3,
    'first',
    (key: string, member: string) =>
      ({ store }) =>
        store.set(key)?.has(member) ? 1 : 0,
  ),
  smismember: read(-3, 'first', (key: string, ...members: string[]) => ({ store }) => {
    const set = store.set(key)
    return members.map((member) => (set?.has(member) ? 1 : 0))
  }),
  scard: read(
    2,
    'first',
    (key: string) =>
      ({ store }) =>
        store.set(key)?.size ?? 0,
  ),
  sunion: combined(union),
  sinter: combined(intersection),
  sdiff: combined(difference),
  sunionstore: storeCombined(union),
  sinterstore: storeCombined(intersection),
  sdiffstore: storeCombined(difference),
}
