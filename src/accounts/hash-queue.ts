// Password hashes run one at a time per isolate: each takes 32 MiB and blocks the CPU while it runs.
import { TiebarError } from '../kernel/error.ts'

const maxWaiting = 8
const pollMs = 10
/** Pause between two hashes, in which the isolate serves other requests, also those that wait for an upstream. */
const pauseMs = 40
/** A canceled request cannot remove its ticket. The other requests remove it after this time. */
const ticketSeconds = 2

type Ticket = { seenAt: number }
let queue: Ticket[] = []

/**
 * Runs one hash at a time. Each request polls in its own I/O context: in the Workers runtime a request cannot wake
 * another one, and a canceled request must not block the others.
 * @throws TiebarError `rate_limited` if eight are already waiting
 */
export async function runInTurn<Result>(work: () => Promise<Result>): Promise<Result> {
  const ticket: Ticket = { seenAt: Date.now() }
  removeStaleTickets()
  if (queue.length > maxWaiting) {
    throw new TiebarError('rate_limited', 'Too many people are signing in right now. Try again in a moment.', {
      retryAfterSeconds: 2,
    })
  }
  queue.push(ticket)
  try {
    const hasToWait = queue[0] !== ticket
    // Wait at least once: in workerd a hash blocks the whole isolate. Requests that arrived meanwhile must join the
    // queue first; otherwise the check of its length never sees them.
    do await waitInQueue(ticket, pollMs)
    while (queue[0] !== ticket)
    // Without this pause the next hash starts before any other request runs, and many guesses block all requests.
    if (hasToWait) await waitInQueue(ticket, pauseMs)
    return await work()
  } finally {
    queue = queue.filter((other) => other !== ticket)
  }
}

async function waitInQueue(ticket: Ticket, forMs: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, forMs))
  ticket.seenAt = Date.now()
  removeStaleTickets()
  if (!queue.includes(ticket)) queue.push(ticket) // another request removed it while a hash blocked the isolate
}

function removeStaleTickets(): void {
  const staleBefore = Date.now() - ticketSeconds * 1000
  queue = queue.filter((ticket) => ticket.seenAt >= staleBefore)
}
