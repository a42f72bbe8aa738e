// Stops what has been started: newest first, and each one even if another fails.

type Step = () => Promise<void> | void

export class Cleanup {
  readonly #steps: Step[] = []
  #running: Promise<void> | undefined

  add(step: Step): void {
    this.#steps.push(step)
  }

  /** Runs every step once; a second call waits for the first. @throws AggregateError with the errors of the steps */
  run(): Promise<void> {
    this.#running ??= this.#runAll()
    return this.#running
  }

  async #runAll(): Promise<void> {
    const errors: unknown[] = []
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      try {
        await step()
      } catch (error) {
        errors.push(error)
      }
    }
    if (errors.length > 0) throw new AggregateError(errors, `the cleanup failed: ${errors.join('; ')}`)
  }
}
