// Password hashes run one at a time per isolate: each takes 32 MiB and blocks the CPU while it runs.
import { TiebarError } from '../kernel/error.ts'

const maxWaiting = 8
const pollMs = 10
/**
 * Each hash takes its duration and a rest of this many times its duration, in which other requests run: so hashes take a
 * third of the CPU, and most other requests do not meet one.
 */
const restFactor = 2
/** Limits the rest after a hash of the old system, which can take seconds. */
const maxRestMs = 1_000
/** A request that meets no other one may start this long before the rest has passed: one after the other is no flood. */
const burstMs = 3_000
/** A request that has not run for this long may have been canceled. */
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
  /** Goes before those that are not, and has places of its own: a flood of guesses does not fill them. */
  isUrgent?: boolean
  /** Waits in the I/O context of the request. It never ends after the request is canceled. */
  sleep?: Sleep
}

/**
 * Each request polls in its own I/O context: in the Workers runtime a request cannot wake another one, and a canceled
 * request cannot give back its place.
 */
export function createHashQueue(): HashQueue {
  let running: Ticket | undefined
  let waiting: Ticket[] = []
  /** When the rests of all hashes so far will have passed. */
  let restedAt = 0

  /**
   * Removes the places of canceled requests. A hash can block the isolate for longer than `silenceMs`. Then all requests
   * look silent, so a place is removed only if its request stays silent while others run.
   */
  function removeCanceled(): void {
    const now = Date.now()
    const isLeft = (ticket: Ticket) => {
      if (now - ticket.seenAt < silenceMs) return false
      ticket.suspectedAt ??= now
      return now - ticket.suspectedAt >= silenceMs
    }
    if (running && isLeft(running)) running = undefined
    waiting = waiting.filter((ticket) => !isLeft(ticket))
  }

  function enqueue(ticket: Ticket): void {
    const firstOther = ticket.isUrgent ? waiting.findIndex(({ isUrgent }) => !isUrgent) : -1
    waiting.splice(firstOther === -1 ? waiting.length : firstOther, 0, ticket)
  }

  return {
    async run(work, { isUrgent = false, sleep = sleepInRequest } = {}) {
      removeCanceled()
      const rivals = [...(running ? [running] : []), ...waiting].filter((other) => other.isUrgent || !isUrgent)
      if (rivals.length > maxWaiting) throw tooManyWaiting()
      const ticket: Ticket = { isUrgent, seenAt: Date.now() }
      const mayStartEarlyMs = running === undefined && waiting.length === 0 ? burstMs : 0
      enqueue(ticket)
      const pause = async (forMs: number) => {
        await sleep(forMs)
        ticket.seenAt = Date.now()
        ticket.suspectedAt = undefined
        removeCanceled()
      }
      let isDone = false
      const showLife = async () => {
        while (!isDone) await pause(pollMs)
      }
      try {
        // Wait at least once: in workerd a hash blocks the whole isolate. Requests that arrived meanwhile must join the
        // queue first; otherwise the check of its length never sees them.
        do {
          await pause(pollMs)
          if (!waiting.includes(ticket)) enqueue(ticket) // another request took it for canceled
        } while (running !== undefined || waiting[0] !== ticket || Date.now() < restedAt - mayStartEarlyMs)
        running = waiting.shift()
        const startedAt = Date.now()
        void showLife()
        try {
          return await work()
        } finally {
          await sleep(0) // the clock of the Workers runtime stands still while code runs
          const tookMs = Date.now() - startedAt
          restedAt = Math.max(restedAt, startedAt) + tookMs + Math.min(restFactor * tookMs, maxRestMs)
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
  return new TiebarError('rate_limited', 'Too many people are signing in right now. Try again in a moment.', {
    retryAfterSeconds: 2,
  })
}
