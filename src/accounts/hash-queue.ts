// Password hashes run one at a time per isolate: one takes 32 MiB, and the CPU as long as it runs.
import { TiebarError } from '../kernel/error.ts'

const longestQueue = 8
const pollMs = 10
/** Between two hashes the isolate serves other requests: long enough for those that wait for an upstream. */
const restMs = 40
/** A request that was canceled while it waited never removes its ticket; after this time the others remove it. */
const ticketSeconds = 2

type Ticket = { seenAt: number }
let queue: Ticket[] = []

/**
 * Runs one hash at a time. Each request polls in its own I/O context: in the Workers runtime one request cannot wake
 * another, and one that is canceled must not block the rest.
 * @throws TiebarError `rate_limited` if eight are already waiting
 */
export async function runInTurn<Result>(work: () => Promise<Result>): Promise<Result> {
  const ticket: Ticket = { seenAt: Date.now() }
  dropDeadTickets()
  if (queue.length > longestQueue) {
    throw new TiebarError('rate_limited', 'Too many people are signing in right now. Try again in a moment.', {
      retryAfterSeconds: 2,
    })
  }
  queue.push(ticket)
  try {
    const hasToWait = queue[0] !== ticket
    // At least once: in workerd a hash blocks the whole isolate. Requests that arrived meanwhile must join the queue
    // first, or the queue would never be seen to be too long.
    do await keepPlace(ticket, pollMs)
    while (queue[0] !== ticket)
    // Without this pause the next hash would start before any other request runs, and many guesses would block them all.
    if (hasToWait) await keepPlace(ticket, restMs)
    return await work()
  } finally {
    queue = queue.filter((other) => other !== ticket)
  }
}

async function keepPlace(ticket: Ticket, forMs: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, forMs))
  ticket.seenAt = Date.now()
  dropDeadTickets()
  if (!queue.includes(ticket)) queue.push(ticket) // removed by others while a hash blocked the isolate
}

function dropDeadTickets(): void {
  const oldest = Date.now() - ticketSeconds * 1000
  queue = queue.filter((ticket) => ticket.seenAt >= oldest)
}
