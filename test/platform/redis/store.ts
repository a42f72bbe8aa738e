// The data of the in-process Redis: typed values with an expiry, in the order in which their keys came.
import { wrongType } from './reply.ts'

export class Hash extends Map<string, string> {}
export class SortedSet extends Map<string, number> {}
export class List {
  items: string[] = []
}
export type Value = string | Hash | List | Set<string> | SortedSet

type Entry = { id: number; value: Value; expiresAtMs: number | null }

export class Store {
  #entries = new Map<string, Entry>()
  #lastId = 0

  /** An expired entry is gone the moment somebody looks. */
  #find(key: string): Entry | undefined {
    const entry = this.#entries.get(key)
    if (entry?.expiresAtMs == null || entry.expiresAtMs > Date.now()) return entry
    this.#entries.delete(key)
    return undefined
  }

  has(key: string): boolean {
    return this.#find(key) !== undefined
  }

  value(key: string): Value | undefined {
    return this.#find(key)?.value
  }

  type(key: string): string {
    const value = this.value(key)
    if (value === undefined) return 'none'
    if (typeof value === 'string') return 'string'
    if (value instanceof Hash) return 'hash'
    if (value instanceof List) return 'list'
    return value instanceof SortedSet ? 'zset' : 'set'
  }

  /** @throws RedisError WRONGTYPE, as do all the typed look-ups. */
  string(key: string): string | undefined {
    const value = this.value(key)
    if (value === undefined || typeof value === 'string') return value
    throw wrongType()
  }

  hash(key: string): Hash | undefined {
    const value = this.value(key)
    if (value === undefined || value instanceof Hash) return value
    throw wrongType()
  }

  list(key: string): List | undefined {
    const value = this.value(key)
    if (value === undefined || value instanceof List) return value
    throw wrongType()
  }

  set(key: string): Set<string> | undefined {
    const value = this.value(key)
    if (value === undefined || value instanceof Set) return value
    throw wrongType()
  }

  sortedSet(key: string): SortedSet | undefined {
    const value = this.value(key)
    if (value === undefined || value instanceof SortedSet) return value
    throw wrongType()
  }

  /** Stores the value; the key's expiry stays as it is, a new key has none. Returns the value. */
  put<T extends Value>(key: string, value: T): T {
    const entry = this.#find(key)
    if (entry) entry.value = value
    else {
      this.#lastId += 1
      this.#entries.set(key, { id: this.#lastId, value, expiresAtMs: null })
    }
    return value
  }

  delete(key: string): boolean {
    return this.#find(key) !== undefined && this.#entries.delete(key)
  }

  /** Redis knows no empty collections: the last element takes the key with it. */
  deleteIfEmpty(key: string): void {
    const value = this.value(key)
    if (value === undefined || typeof value === 'string') return
    if ((value instanceof List ? value.items.length : value.size) === 0) this.#entries.delete(key)
  }

  /** When the key expires, in Unix milliseconds; null is never. */
  expiresAtMs(key: string): number | null {
    return this.#find(key)?.expiresAtMs ?? null
  }

  setExpiry(key: string, expiresAtMs: number | null): void {
    const entry = this.#find(key)
    if (entry) entry.expiresAtMs = expiresAtMs
  }

  keys(): string[] {
    return [...this.#entries.keys()].filter((key) => this.has(key))
  }

  /** Up to `count` keys that came after the cursor, and the cursor of the next call; 0 starts, and ends. */
  scan(cursor: number, count: number): { cursor: number; keys: string[] } {
    const later = this.keys().filter((key) => (this.#entries.get(key)?.id ?? 0) > cursor)
    const keys = later.slice(0, count)
    const last = keys.at(-1)
    return {
      cursor: last === undefined || later.length <= count ? 0 : (this.#entries.get(last)?.id ?? 0),
      keys,
    }
  }

  clear(): void {
    this.#entries.clear()
  }
}
