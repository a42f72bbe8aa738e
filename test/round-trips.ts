// Counts the sequential upstream calls of a request on the wire, without the Worker's own trace.
import type { Answer, World } from './harness.ts'
import type { Exchange } from './platform/http.ts'

export type Span = Pick<Exchange, 'startedAt' | 'endedAt'>

/** The length of the longest chain of exchanges in which each started after the previous one had ended. */
export function longestChain(spans: readonly Span[]): number {
  let length = 0
  let endOfChain = Number.NEGATIVE_INFINITY
  // Greedy: the exchange that ends first leaves most time for the others.
  for (const { startedAt, endedAt } of spans.toSorted((one, other) => one.endedAt - other.endedAt)) {
    if (startedAt < endOfChain) continue
    length += 1
    endOfChain = endedAt
  }
  return length
}

export type RequestCost = {
  answer: Answer
  /** Sequential upstream calls before the answer. */
  chain: number
  /** The services that were called before the answer, in the order of their answers. */
  services: string[]
}

/**
 * Runs `send` and returns the calls that ended meanwhile, in the order of their answers. Before, it waits for the work after
 * earlier answers.
 */
export async function callsOf<Result>(
  world: World,
  send: () => Promise<Result>,
): Promise<{ answer: Result; calls: Exchange[] }> {
  await world.request('GET', '/api/health') // the Worker has begun that work before it answers this
  await world.settle()
  const beganAt = performance.now()
  const answer = await send()
  // Calls are recorded when they end, so calls in progress are not included.
  return { answer, calls: world.exchanges.filter(({ startedAt }) => startedAt >= beganAt) }
}

/** The services that are called until `send` has ended, in the order of their answers. */
export async function servicesOf(world: World, send: () => Promise<unknown>): Promise<string[]> {
  return (await callsOf(world, send)).calls.map(({ service }) => service)
}

/**
 * Sends one request and counts its calls, without the work after the answer. The world must have some latency, for
 * example 100 ms, so that a call that starts in parallel with the answer does not end before it, and parallel calls
 * overlap.
 */
export async function countRoundTrips(world: World, send: () => Promise<Answer>): Promise<RequestCost> {
  const { answer, calls } = await callsOf(world, send)
  return { answer, chain: longestChain(calls), services: calls.map(({ service }) => service) }
}
