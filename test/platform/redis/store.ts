// The data of the in-process Redis: strings, each with an optional expiry, in the order of insertion.

type Entry = { value: string; expiresAtMs: number | null }

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

  get(key: string): string | null {
    return this.#find(key)?.value ?? null
  }

  /** @param expiresAtMs Unix milliseconds; null is never */
  set(key: string, value: string, expiresAtMs: number | null): void {
    const entry = this.#find(key)
    if (entry) Object.assign(entry, { value, expiresAtMs })
    else this.#entries.set(key, { value, expiresAtMs })
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
