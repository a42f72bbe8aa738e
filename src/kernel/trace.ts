// One request, or one run of the sweep, from our side: its id, what it logs, and what it cost upstream.
import { type LogChannel, log } from './log.ts'

export type Upstream = 'postgres' | 'redis' | 'qstash' | 'controller'

/** Times are milliseconds since the request began; the clock of a Worker moves only at I/O, which is what is measured. */
export type RoundTrip = {
  upstream: Upstream
  /** The name of the statement, for PostgreSQL. */
  statement?: string
  startMs: number
  durationMs: number
}

export class Trace {
  /** Goes out as X-Request-Id and stands in every line that the request logs. */
  readonly id: string = crypto.randomUUID()
  readonly roundTrips: RoundTrip[] = []
  readonly #beganAt = Date.now()

  elapsedMs(): number {
    return Date.now() - this.#beganAt
  }

  log(channel: LogChannel, fields: Record<string, unknown>): void {
    log(channel, { request_id: this.id, ...fields })
  }

  /** Runs `call` and records it as one round trip, also when it fails. */
  async measure<Result>(upstream: Upstream, call: () => Promise<Result>, statement?: string): Promise<Result> {
    const startMs = this.elapsedMs()
    try {
      return await call()
    } finally {
      this.roundTrips.push({
        upstream,
        ...(statement !== undefined && { statement }),
        startMs,
        durationMs: this.elapsedMs() - startMs,
      })
    }
  }
}
