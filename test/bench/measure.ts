// Measures the Worker and the bare worker in turns, so that other load on the computer affects both.
import { longestChain } from '../round-trips.ts'
import type { Clients } from './clients.ts'
import type { Outcome } from './load.ts'
import type { BenchPlatform } from './platform.ts'
import type { Route } from './routes.ts'
import { clientCount } from './scene.ts'
import { median, percentile } from './statistics.ts'
import type { RunningWorkerd } from './workerd.ts'

export type Figures = {
  /** Requests per second relative to the bare worker, median of the rounds. */
  ratio_to_bare: number
  requests_per_second: number
  bare_requests_per_second: number
  p50_ms: number
  p99_ms: number
  bare_p50_ms: number
  /** CPU time of the runtime per request. */
  cpu_ms: number
  bare_cpu_ms: number
  /** Sequential calls before the answer. */
  upstream_round_trips: number
}

export type Stage = { platform: BenchPlatform; clients: Clients; ours: RunningWorkerd; bare: RunningWorkerd }
export type Pace = { rounds: number; roundMs: number }

/**
 * Until the runtime has compiled what runs often: the larger worker would otherwise still be compiling when it is timed.
 * The runtime counts calls, so a slow route needs more time.
 */
const warmUp = { durationMs: Number.POSITIVE_INFINITY, maxRequests: 2_000 }

export async function measure(stage: Stage, route: Route, { rounds, roundMs }: Pace): Promise<Figures> {
  const timed = { durationMs: roundMs, maxRequests: Number.POSITIVE_INFINITY }
  const run = async (worker: RunningWorkerd, { durationMs, maxRequests } = timed) => {
    const isOurs = worker === stage.ours
    const shots = isOurs ? route.ours : route.bare
    const cpuBefore = worker.cpuMs()
    const outcome = await stage.clients.fire({
      port: worker.port,
      connections: clientCount,
      durationMs,
      shots,
      maxRequests: route.isOnce ? Math.min(shots.length, maxRequests) : maxRequests,
      expectedStatus: isOurs ? route.status : 200,
    })
    const cpuMs = worker.cpuMs() - cpuBefore
    await route.reset?.(stage.platform)
    return { ...outcome, cpuMs }
  }
  await run(stage.ours, warmUp)
  await run(stage.bare, warmUp)
  const chain = await countRoundTrips(stage, route)
  const turns = []
  for (let round = 0; round < rounds; round++) {
    // The order alternates: a computer that slows down favours the first.
    const first = await run(round % 2 === 0 ? stage.ours : stage.bare)
    const second = await run(round % 2 === 0 ? stage.bare : stage.ours)
    turns.push(round % 2 === 0 ? { ours: first, bare: second } : { ours: second, bare: first })
  }
  const ours = turns.map((turn) => turn.ours)
  const bare = turns.map((turn) => turn.bare)
  const latencies = ours.flatMap(({ latenciesMs }) => latenciesMs)
  return {
    ratio_to_bare: median(turns.map((turn) => rate(turn.ours) / rate(turn.bare))),
    requests_per_second: median(ours.map(rate)),
    bare_requests_per_second: median(bare.map(rate)),
    p50_ms: percentile(latencies, 50),
    p99_ms: percentile(latencies, 99),
    bare_p50_ms: percentile(
      bare.flatMap(({ latenciesMs }) => latenciesMs),
      50,
    ),
    cpu_ms: median(ours.map(cpuOfOne)),
    bare_cpu_ms: median(bare.map(cpuOfOne)),
    upstream_round_trips: chain,
  }
}

const rate = ({ latenciesMs, elapsedMs }: Outcome) => (latenciesMs.length * 1000) / elapsedMs
const cpuOfOne = ({ latenciesMs, cpuMs }: Outcome & { cpuMs: number }) => cpuMs / latenciesMs.length

const probeLatencyMs = 40
const probes = 3

/**
 * The minimum of several samples: sequential calls of a request never overlap, but on a busy computer the work after an
 * answer, of this request or the previous one, may be counted too.
 */
async function countRoundTrips(stage: Stage, route: Route): Promise<number> {
  const chains: number[] = []
  for (let probe = 0; probe < probes; probe++) chains.push(await probeRoundTrips(stage, route))
  return Math.min(...chains)
}

/** With some latency, a call that starts in parallel with the answer does not end before it. */
async function probeRoundTrips({ platform, clients, ours }: Stage, route: Route): Promise<number> {
  const salvo = { port: ours.port, connections: 1, durationMs: 1, shots: route.ours, expectedStatus: route.status }
  platform.setLatency(probeLatencyMs)
  platform.record(true)
  await clients.fire(salvo)
  platform.record(false)
  platform.setLatency(0)
  await route.reset?.(platform)
  return longestChain(platform.exchanges)
}
