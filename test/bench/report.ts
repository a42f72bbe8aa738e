// The results of a bench run, and whether they meet the targets.
import { bundleCeiling } from '../bundle.ts'
import type { FeedFigures } from './change-feed.ts'
import type { JobCost } from './cost.ts'
import type { DispatchFigures } from './dispatch.ts'
import type { Growth } from './growth.ts'
import type { Figures } from './measure.ts'
import type { PullFigures } from './pull-latency.ts'
import type { ReportCost } from './report-cost.ts'
import type { RetentionFigures } from './retention.ts'
import type { RouteName } from './routes.ts'
import type { SweepFigures } from './sweep.ts'

export type RouteFigures = Partial<Record<RouteName, Figures>>

export type Report = {
  /** On the real servers if they answered, otherwise in-process. */
  routes: RouteFigures
  /** The same by backend. */
  backends: Record<string, RouteFigures>
  bundle_gzip_bytes: number
  startup_cpu_ms: number
  dispatch?: DispatchFigures
  pull?: PullFigures
  change_feed?: FeedFigures
  growth: Record<string, Growth>
  sweep?: SweepFigures
  retention?: RetentionFigures
  job_cost?: JobCost
  report_cost?: ReportCost
}

const targets = {
  /** Requests per second relative to the bare worker. */
  ratio: { read_machine: 0.85, list_machines: 0.85, history: 0.85, job_status: 0.9, operation: 0.8, report: 0.8 },
  /** The same relative to the least that a write has to do. */
  floorRatio: { create: 0.75, patch: 0.8, operation: 0.8, refresh: 0.7, report: 0.9 },
  /** Sequential upstream calls. */
  roundTrips: {
    read_machine: 1,
    list_machines: 1,
    board: 1,
    history: 1,
    job_status: 1,
    create: 1,
    patch: 1,
    operation: 2,
    refresh: 1,
    report: 1,
    pull: 2,
  },
  bundleGzipBytes: bundleCeiling,
  startupCpuMs: 60,
  dispatchOverUpstreamsMs: 40,
  /** The interval of a machine that fetches its commands, and 1 s. */
  pullStartMs: 11_000,
  pullStopMs: 3_000,
  /** The p50 of the board relative to that of the list of as many machines. */
  boardToList: 1.5,
  changeMs: 1_000,
  subscriptionSeconds: 20,
  growthRatio: 1.5,
  sweepMs: 50,
  /** 100 jobs of 100,000 due ones against 100 of 1,000. */
  sweepGrowthRatio: 1.5,
} satisfies Record<string, number | Partial<Record<RouteName, number>>>

/** Noise that a shared computer may add to a ratio even when both are measured in turns. */
const noise = 0.15

type Ratio = { what: string; ratio: number; least: number }

/** The ratios of a route that have a target. */
function ratiosOf(name: RouteName, figures: Figures | undefined, isShared: boolean): Ratio[] {
  const { ratio, floorRatio }: Record<'ratio' | 'floorRatio', Partial<Record<RouteName, number>>> = targets
  const margin = isShared ? noise : 0
  const measured = [
    { what: `ratio to bare of ${name}`, ratio: figures?.ratio_to_bare, target: ratio[name] },
    { what: `ratio to the floor of ${name}`, ratio: figures?.ratio_to_floor, target: floorRatio[name] },
  ]
  return measured.flatMap(({ what, ratio, target }) => {
    return ratio === undefined || target === undefined ? [] : [{ what, ratio, least: target - margin }]
  })
}

/** Whether a route misses a ratio. On a shared computer, it is measured again then, for longer. */
export function missesRatio(name: RouteName, figures: Figures, isShared: boolean): boolean {
  return ratiosOf(name, figures, isShared).some(({ ratio, least }) => ratio < least)
}

/**
 * Returns one line per missed target.
 * @param isShared on a computer that does other work too: ratios get a margin for noise, times are not checked
 */
export function findMisses(report: Report, isShared: boolean): string[] {
  const misses: string[] = []
  const check = (name: string, isMet: boolean, value: number, target: string) => {
    if (!isMet) misses.push(`${name}: ${round(value)}, which should be ${target}`)
  }
  for (const name of Object.keys(report.routes) as RouteName[]) {
    for (const { what, ratio, least } of ratiosOf(name, report.routes[name], isShared)) {
      check(what, ratio >= least, ratio, `${round(least)} or more`)
    }
  }
  const { board, list_machines: list } = report.routes
  if (board && list) {
    const ratio = board.p50_ms / list.p50_ms
    check('p50 of the board beside the list', ratio <= targets.boardToList, ratio, `${targets.boardToList} or less`)
  }
  for (const [name, budget] of Object.entries(targets.roundTrips)) {
    const chain = report.routes[name as RouteName]?.upstream_round_trips // as above
    if (chain !== undefined) check(`round trips of ${name}`, chain <= budget, chain, `${budget} or fewer`)
  }
  const most = (name: string, value: number | undefined, target: number) => {
    if (value !== undefined) check(name, value <= target, value, `${target} or less`)
  }
  most('bundle, bytes gzipped', report.bundle_gzip_bytes, targets.bundleGzipBytes)
  if (isShared) return misses
  most('start-up, CPU ms', report.startup_cpu_ms, targets.startupCpuMs)
  most(
    'START to command over the upstreams, ms',
    report.dispatch?.p50_over_upstreams_ms,
    targets.dispatchOverUpstreamsMs,
  )
  most('START to a machine that fetches it, ms (p99)', report.pull?.start_p99_ms, targets.pullStartMs)
  most('STOP to a machine that fetches it, ms (p99)', report.pull?.stop_p99_ms, targets.pullStopMs)
  most('change to event, ms (p99)', report.change_feed?.latency_p99_ms, targets.changeMs)
  most('subscriptions after their clients, s', report.change_feed?.seconds_to_close, targets.subscriptionSeconds)
  for (const [name, { p50_ratio_last_to_first }] of Object.entries(report.growth)) {
    most(`growth of ${name}`, p50_ratio_last_to_first, targets.growthRatio)
  }
  if (report.sweep) {
    const { idle_ms, due_ms } = report.sweep
    const steps = Object.values(due_ms) // by the number of due jobs, ascending
    most('sweep, ms', idle_ms, targets.sweepMs)
    most('growth of a sweep', (steps.at(-1) ?? Number.NaN) / (steps[0] ?? Number.NaN), targets.sweepGrowthRatio)
  }
  return misses
}

export function round(value: number): number {
  return Number(value.toPrecision(3))
}

export function describeRoutes(figures: RouteFigures): Record<string, Record<string, number | string>> {
  return Object.fromEntries(
    Object.entries(figures).map(([name, each]) => [
      name,
      {
        'ratio to bare': round(each.ratio_to_bare),
        'to floor': each.ratio_to_floor === undefined ? '' : round(each.ratio_to_floor),
        'requests/s': Math.round(each.requests_per_second),
        'p50 ms': round(each.p50_ms),
        'p99 ms': round(each.p99_ms),
        'CPU ms: Worker': round(each.cpu_ms.worker),
        bare: round(each.bare_cpu_ms.worker),
        PostgreSQL: round(each.cpu_ms.postgres),
        'bare ': round(each.bare_cpu_ms.postgres),
        Redis: round(each.cpu_ms.redis),
        'stand-ins': round(each.cpu_ms.stand_ins),
        'round trips': each.upstream_round_trips,
      },
    ]),
  )
}
