// Measures the Worker and the bare worker in turns, so that other load on the computer affects both.
import { longestChain } from '../round-trips.ts'
import type { Clients } from './clients.ts'
import type { Outcome, Shot } from './load.ts'
import type { BenchPlatform } from './platform.ts'
import { type CpuMs, readCpuMs, spentPerRequest } from './processes.ts'
import type { Route, RouteName } from './routes.ts'
import { clientCount } from './scene.ts'
import { median, percentile } from './statistics.ts'
import type { RunningWorkerd } from './workerd.ts'

export type Figures = {
  /** Requests per second relative to the floor of a write (floors.ts). */
  ratio_to_floor?: number
  /** Requests per second relative to the bare worker, median of the rounds. */
  ratio_to_bare: number
  requests_per_second: number
  bare_requests_per_second: number
  p50_ms: number
  p99_ms: number
  bare_p50_ms: number
  /** CPU time per request, by process. */
  cpu_ms: CpuMs
  bare_cpu_ms: CpuMs
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

/** The path of the floor's requests at the bare worker, as the path of the route's own is its name. */
export const floorOf = (name: RouteName) => `floor_${name}`

type Who = 'ours' | 'bare' | 'floor'
type Turn = Outcome & { cpuMs: CpuMs }

export async function measure(stage: Stage, route: Route, { rounds, roundMs }: Pace): Promise<Figures> {
  const timed = { durationMs: roundMs, maxRequests: Number.POSITIVE_INFINITY }
  const toFloor = (shot: Shot) => ({ ...shot, path: shot.path.replace(route.name, floorOf(route.name)) })
  const shotsOf = { ours: route.ours, bare: route.bare, floor: route.bare.map(toFloor) }
  const run = async (who: Who, { durationMs, maxRequests } = timed): Promise<Turn> => {
    const [worker, shots] = [who === 'ours' ? stage.ours : stage.bare, shotsOf[who]]
    const before = await readCpuMs(stage.platform, worker.cpuMs())
    const outcome = await stage.clients.fire({
      port: worker.port,
      connections: clientCount,
      durationMs,
      shots,
      maxRequests: route.isOnce ? Math.min(shots.length, maxRequests) : maxRequests,
      expectedStatus: who === 'ours' ? route.status : 200,
    })
    const after = await readCpuMs(stage.platform, worker.cpuMs())
    await route.reset?.(stage.platform)
    return { ...outcome, cpuMs: spentPerRequest(before, after, outcome.latenciesMs.length) }
  }
  const everybody: Who[] = ['ours', 'bare', ...(route.floor ? (['floor'] as const) : [])]
  for (const who of everybody) await run(who, warmUp)
  const chain = await countRoundTrips(stage, route)
  const turns: Record<Who, Turn[]> = { ours: [], bare: [], floor: [] }
  for (let round = 0; round < rounds; round++) {
    // The order alternates: a computer that slows down favours the first.
    for (const who of round % 2 === 0 ? everybody : everybody.toReversed()) turns[who].push(await run(who))
  }
  return { ...describeTurns(turns), upstream_round_trips: chain }
}

function describeTurns({ ours, bare, floor }: Record<Who, Turn[]>): Omit<Figures, 'upstream_round_trips'> {
  const ratioTo = (others: Turn[]) => median(others.map((other, round) => rate(ours[round] ?? other) / rate(other)))
  const latencies = ours.flatMap(({ latenciesMs }) => latenciesMs)
  return {
    ratio_to_bare: ratioTo(bare),
    ...(floor.length > 0 && { ratio_to_floor: ratioTo(floor) }),
    requests_per_second: median(ours.map(rate)),
    bare_requests_per_second: median(bare.map(rate)),
    p50_ms: percentile(latencies, 50),
    p99_ms: percentile(latencies, 99),
    bare_p50_ms: percentile(
      bare.flatMap(({ latenciesMs }) => latenciesMs),
      50,
    ),
    cpu_ms: medianCpu(ours),
    bare_cpu_ms: medianCpu(bare),
  }
}

const rate = ({ latenciesMs, elapsedMs }: Outcome) => (latenciesMs.length * 1000) / elapsedMs

function medianCpu(turns: { cpuMs: CpuMs }[]): CpuMs {
  const of = (name: keyof CpuMs) => median(turns.map(({ cpuMs }) => cpuMs[name]))
  return { worker: of('worker'), postgres: of('postgres'), redis: of('redis'), stand_ins: of('stand_ins') }
}

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
