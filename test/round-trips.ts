// How many upstream calls a request made one after the other, counted on the wire and not by the Worker's own word.
import type { Answer, World } from './harness.ts'
import type { Exchange } from './platform/http.ts'

export type Span = Pick<Exchange, 'startedAt' | 'endedAt'>

/** The most exchanges of which each began when the one before had ended. */
export function longestChain(spans: readonly Span[]): number {
  let length = 0
  let endOfChain = Number.NEGATIVE_INFINITY
  // Whatever ends first leaves most room for the rest.
  for (const { startedAt, endedAt } of spans.toSorted((one, other) => one.endedAt - other.endedAt)) {
    if (startedAt < endOfChain) continue
    length += 1
    endOfChain = endedAt
  }
  return length
}

export type RequestCost = {
  answer: Answer
  /** Upstream calls one after the other, before the answer came. */
  chain: number
  /** The services that were called before the answer came, in the order in which their answers were given. */
  services: string[]
}

/**
 * Sends one request and counts what it cost, without the work that went on after the answer. For that the world must
 * have some latency, 100 ms say: so a call that is begun beside the answer is not over before it, and calls that are
 * made side by side overlap.
 */
export async function countRoundTrips(world: World, send: () => Promise<Answer>): Promise<RequestCost> {
  const beganAt = performance.now()
  const answer = await send()
  // Recorded when they are over: what still runs is not among them.
  const caused = world.exchanges.filter(({ startedAt }) => startedAt >= beganAt)
  return { answer, chain: longestChain(caused), services: caused.map(({ service }) => service) }
}
