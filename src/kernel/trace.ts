// The trace of one request or one sweep: its id, its log lines and its round trips to other services.
import { type LogChannel, log } from './log.ts'

export type Upstream = 'postgres' | 'redis' | 'qstash' | 'controller'

/** `startMs` counts from the start of the request. A Worker's clock advances only during I/O, so only I/O is measured. */
export type RoundTrip = {
  upstream: Upstream
  /** The name of the SQL statement; only for `postgres`. */
  statement?: string
  startMs: number
  durationMs: number
}

export class Trace {
  /** Sent as X-Request-Id, and part of every log line of the request. */
  readonly id: string = crypto.randomUUID()
  readonly roundTrips: RoundTrip[] = []
  readonly #startedAt = Date.now()

  elapsedMs(): number {
    return Date.now() - this.#startedAt
  }

  log(channel: LogChannel, fields: Record<string, unknown>): void {
    log(channel, { request_id: this.id, ...fields })
  }

  /** Runs `call` and records it as one round trip, even if it fails. */
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
