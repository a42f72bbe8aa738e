// The data of the in-process Redis: strings and streams, each with an optional expiry, in the order of insertion.
import { RedisError } from './reply.ts'

export type StreamEntry = { id: readonly [ms: bigint, seq: bigint]; fields: string[] }
/** `last`: the highest id that was given, also to an entry that is not kept any more. */
export type Stream = { entries: StreamEntry[]; last: readonly [ms: bigint, seq: bigint] }

type Entry = { value: string | Stream; expiresAtMs: number | null }

const wrongType = () => new RedisError('WRONGTYPE Operation against a key holding the wrong kind of value')

export class Store {
  #entries = new Map<string, Entry>()

  /** Deletes the entry if it has expired. */
  #find(key: string): Entry | undefined {
    const entry = this.#entries.get(key)
    if (entry?.expiresAtMs == null || entry.expiresAtMs > Date.now()) return entry
    this.#entries.delete(key)
    return undefined
  }

  has(key: string): boolean {
    return this.#find(key) !== undefined
  }

  /** @throws RedisError if the key is a stream */
  get(key: string): string | null {
    const value = this.#find(key)?.value ?? null
    if (value !== null && typeof value !== 'string') throw wrongType()
    return value
  }

  isString(key: string): boolean {
    return typeof this.#find(key)?.value === 'string'
  }

  /** @throws RedisError if the key is a string */
  stream(key: string): Stream | null {
    const value = this.#find(key)?.value ?? null
    if (typeof value === 'string') throw wrongType()
    return value
  }

  /** Keeps the expiry. */
  setStream(key: string, value: Stream): void {
    this.#set(key, value, this.expiresAtMs(key))
  }

  /** @param expiresAtMs Unix milliseconds; null is never */
  set(key: string, value: string, expiresAtMs: number | null): void {
    this.#set(key, value, expiresAtMs)
  }

  #set(key: string, value: string | Stream, expiresAtMs: number | null): void {
    const entry = this.#find(key)
    if (entry) Object.assign(entry, { value, expiresAtMs })
    else this.#entries.set(key, { value, expiresAtMs })
  }

  /** Unix milliseconds. @returns false without the key */
  expire(key: string, expiresAtMs: number): boolean {
    const entry = this.#find(key)
    if (entry) entry.expiresAtMs = expiresAtMs
    return entry !== undefined
  }

  delete(key: string): boolean {
    return this.has(key) && this.#entries.delete(key)
  }

  /** Unix milliseconds; null is never. */
  expiresAtMs(key: string): number | null {
    return this.#find(key)?.expiresAtMs ?? null
  }

  keys(): string[] {
    return [...this.#entries.keys()].filter((key) => this.has(key))
  }

  clear(): void {
    this.#entries.clear()
  }
}
