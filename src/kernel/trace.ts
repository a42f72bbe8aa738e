// What one request cost upstream: which service was called, when, for how long. Logs and Server-Timing are read off it.

export type Upstream = 'postgres' | 'redis' | 'qstash' | 'controller'

/** Times are milliseconds since the request began; the clock of a Worker moves only at I/O, which is what is measured. */
export type RoundTrip = {
  upstream: Upstream
  startMs: number
  durationMs: number
}

export class Trace {
  readonly roundTrips: RoundTrip[] = []
  readonly #beganAt = Date.now()

  elapsedMs(): number {
    return Date.now() - this.#beganAt
  }

  /** Runs `call` and records it as one round trip, also when it fails. */
  async measure<Result>(upstream: Upstream, call: () => Promise<Result>): Promise<Result> {
    const startMs = this.elapsedMs()
    try {
      return await call()
    } finally {
      this.roundTrips.push({
        upstream,
        startMs,
        durationMs: this.elapsedMs() - startMs,
      })
    }
  }
}
