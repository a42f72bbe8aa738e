// What has been started has to be ended: newest first, each one even when another fails.

export class Cleanup {
  readonly #cleanup: (() => Promise<void> | void)[] = []
  #running: Promise<void> | undefined

  add(ending: () => Promise<void> | void): void {
    this.#cleanup.push(ending)
  }

  /** Ends everything once; a second call waits for the first. @throws AggregateError of what failed. */
  run(): Promise<void> {
    this.#running ??= this.#runAll()
    return this.#running
  }

  async #runAll(): Promise<void> {
    const failures: unknown[] = []
    for (let end = this.#cleanup.pop(); end !== undefined; end = this.#cleanup.pop()) {
      try {
        await end()
      } catch (error) {
        failures.push(error)
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, `not everything ended well: ${failures.join('; ')}`)
  }
}
