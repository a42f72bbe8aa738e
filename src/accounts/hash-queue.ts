// Password hashes run one at a time per isolate: each takes 32 MiB and blocks the CPU while it runs.
import { TiebarError } from '../kernel/error.ts'

const maxWaiting = 8
const pollMs = 10
/**
 * After each hash, no other one starts for this many times its duration, so that other requests can run. Hashes then use a
 * third of the CPU.
 */
const idleFactor = 2
/** Limits the idle time after a hash of the old system, which can take seconds. */
const maxIdleMs = 1_000
/** A request that finds the queue empty may start this long before the idle time ends: a few log-ins need not wait. */
const burstMs = 3_000
/** A request that has not run for this long may have been cancelled. */
const silenceMs = 2_000

/** The place of one request. */
type Ticket = {
  isUrgent: boolean
  /** When its request last ran. */
  seenAt: number
  /** When it was first found silent. Its own request clears this. */
  suspectedAt?: number | undefined
}

type Sleep = (forMs: number) => Promise<void>

const sleepInRequest: Sleep = (forMs) => new Promise((resolve) => setTimeout(resolve, forMs))

export type HashQueue = {
  /**
   * Runs `work` when it is its turn.
   * @throws TiebarError `rate_limited` if eight are already waiting
   */
  run<Result>(work: () => Promise<Result>, options?: HashOptions): Promise<Result>
}

export type HashOptions = {
  /** Runs before requests that are not urgent, which cannot fill its places: many guesses do not block a known person. */
  isUrgent?: boolean
  /** Waits in the I/O context of the request. It never ends after the request is cancelled. */
  sleep?: Sleep
}

/**
 * Each request polls in its own I/O context: in the Workers runtime a request cannot wake another one, and a cancelled
 * request cannot give back its place.
 */
export function createHashQueue(): HashQueue {
  let running: Ticket | undefined
  let waiting: Ticket[] = []
  /** When the idle times after all hashes so far end. */
  let idleUntil = 0

  /**
   * Removes the places of cancelled requests. A hash can block the isolate for longer than `silenceMs`. Then all requests
   * look silent, so a place is removed only if its request stays silent while others run.
   */
  function removeCancelled(): void {
    const now = Date.now()
    const isAbandoned = (ticket: Ticket) => {
      if (now - ticket.seenAt < silenceMs) return false
      ticket.suspectedAt ??= now
      return now - ticket.suspectedAt >= silenceMs
    }
    if (running && isAbandoned(running)) running = undefined
    waiting = waiting.filter((ticket) => !isAbandoned(ticket))
  }

  function enqueue(ticket: Ticket): void {
    const firstOther = ticket.isUrgent ? waiting.findIndex(({ isUrgent }) => !isUrgent) : -1
    waiting.splice(firstOther === -1 ? waiting.length : firstOther, 0, ticket)
  }

  return {
    async run(work, { isUrgent = false, sleep = sleepInRequest } = {}) {
      removeCancelled()
      const ahead = [...(running ? [running] : []), ...waiting].filter((other) => other.isUrgent || !isUrgent)
      if (ahead.length > maxWaiting) throw tooManyWaiting()
      const ticket: Ticket = { isUrgent, seenAt: Date.now() }
      const mayStartEarlyMs = running === undefined && waiting.length === 0 ? burstMs : 0
      enqueue(ticket)
      const pause = async (forMs: number) => {
        await sleep(forMs)
        ticket.seenAt = Date.now()
        ticket.suspectedAt = undefined
        removeCancelled()
      }
      let isDone = false
      const markSeen = async () => {
        while (!isDone) await pause(pollMs)
      }
      try {
        // Wait at least once: in workerd a hash blocks the whole isolate. Requests that arrived meanwhile must join the
        // queue first; otherwise the check of its length never sees them.
        do {
          await pause(pollMs)
          if (!waiting.includes(ticket)) enqueue(ticket) // another request had removed it as cancelled
        } while (running !== undefined || waiting[0] !== ticket || Date.now() < idleUntil - mayStartEarlyMs)
        running = waiting.shift()
        const startedAt = Date.now()
        void markSeen()
        try {
          return await work()
        } finally {
          await sleep(0) // the clock of the Workers runtime does not advance while code runs
          const tookMs = Date.now() - startedAt
          idleUntil = Math.max(idleUntil, startedAt) + tookMs + Math.min(idleFactor * tookMs, maxIdleMs)
        }
      } finally {
        isDone = true
        if (running === ticket) running = undefined
        waiting = waiting.filter((other) => other !== ticket)
      }
    },
  }
}

function tooManyWaiting(): TiebarError {
  return new TiebarError('rate_limited', 'Too many people are logging in right now. Try again in a moment.', {
    retryAfterSeconds: 2,
  })
}
