// npm run bench: measures the deployed Worker on the real runtime, in turns with a bare worker that sends the same
// statements, and counts costs. Options: see `usage`.
import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { runProgram, UsageError } from '../../src/tools/program.ts'
import { buildWorker } from '../build.ts'
import { gzipSize } from '../bundle.ts'
import { findServers } from './backends.ts'
import { buildBare } from './bare-build.ts'
import { measureFeed } from './change-feed.ts'
import { type Clients, startClients } from './clients.ts'
import { measureCost } from './cost.ts'
import { measureDispatch } from './dispatch.ts'
import { measureGrowth } from './growth.ts'
import { floorOf, measure, type Pace } from './measure.ts'
import { drawPage } from './page.ts'
import { type Servers, startPlatform } from './platform.ts'
import { measurePull } from './pull-latency.ts'
import { describeRoutes, findMisses, missesRatio, type Report, type RouteFigures } from './report.ts'
import { measureReportCost } from './report-cost.ts'
import { planRoutes } from './routes.ts'
import { setScene } from './scene.ts'
import { measureStartup } from './startup.ts'
import { serve } from './workerd.ts'

type Builds = { dir: string; bareDir: string; date: string }

const usage = `usage: npm run bench -- [--quick | --jobs N] [--json FILE] [--html FILE]

  --quick       two to three minutes: routes only, with a margin for noise
  --jobs N      measures how pages, the claim and the sweep grow up to N jobs, instead of a million
  --json FILE   all figures
  --html FILE   a page with pictures of them

Behind the Worker are PGlite and a Redis in the process, and then, where they answer, real ones: those that
LOCAL_POSTGRES_URL and LOCAL_REDIS_URL name, or 127.0.0.1:5432 and :6379.

Exit codes: 0 every target is met · 1 some are not · 2 wrong usage
`

const say = (text: string) => process.stderr.write(`${text}\n`)

/** Of a route that has missed its target on a shared computer, where other work may have disturbed it. */
const longerRounds = 25

/** Refresh tokens for one turn: more than the turn uses. */
const refreshable = 4_000

type RouteOptions = { clients: Clients; pace: Pace; isQuick: boolean }

async function measureRoutes(
  builds: Builds,
  servers: Servers,
  { clients, pace, isQuick }: RouteOptions,
): Promise<RouteFigures> {
  const platform = await startPlatform(servers)
  const ours = await serve(builds.dir, builds.date, platform.vars)
  const scene = await setScene(platform, ours.origin, refreshable)
  const routes = await planRoutes(scene)
  const plans = JSON.stringify(
    Object.fromEntries(
      routes.flatMap(({ name, plan, floor }) => [[name, plan], ...(floor ? [[floorOf(name), floor]] : [])]),
    ),
  )
  const vars = (origin: string) => ({ ...platform.vars(origin), ISSUER: ours.origin, PLANS: plans })
  const bare = await serve(builds.bareDir, builds.date, vars)
  const figures: RouteFigures = {}
  try {
    const field = { platform, clients, ours, bare }
    for (const route of routes) {
      let measured = await measure(field, route, pace)
      if (isQuick && missesRatio(route.name, measured, isQuick)) {
        say(`${route.name} is measured again, for longer`)
        measured = await measure(field, route, { ...pace, rounds: longerRounds })
      }
      figures[route.name] = measured
    }
  } finally {
    await Promise.all([ours.close(), bare.close()])
    await platform.close()
  }
  console.table(describeRoutes(figures))
  return figures
}

async function measureStartupOnly({ dir, date }: Builds): Promise<number> {
  const platform = await startPlatform({})
  try {
    return await measureStartup(dir, date, platform.vars)
  } finally {
    await platform.close()
  }
}

async function run({ isQuick, jobs }: { isQuick: boolean; jobs: number | undefined }): Promise<Report> {
  const build = await buildWorker()
  const date = String(build.options.compatibilityDate)
  const builds = { dir: build.dir, bareDir: await buildBare('bare.ts', date), date }
  const pace = isQuick ? { rounds: 5, roundMs: 200 } : { rounds: 5, roundMs: 1_000 }
  const servers = await findServers()
  const isReal = Object.keys(servers).length > 0
  const real = ['real', ...Object.keys(servers)].join(' ')
  const clients = startClients()
  try {
    const backends: Record<string, RouteFigures> = {}
    if (!isQuick || !isReal) {
      say('On PGlite and the Redis in the process:')
      backends['in the process'] = await measureRoutes(builds, {}, { clients, pace, isQuick })
    }
    if (isReal) {
      say(`On ${real}:`)
      backends[real] = await measureRoutes(builds, servers, { clients, pace, isQuick })
    }
    const report: Report = {
      routes: Object.values(backends).at(-1) ?? {},
      backends,
      bundle_gzip_bytes: await gzipSize(build),
      startup_cpu_ms: await measureStartupOnly(builds),
      growth: {},
    }
    if (isQuick) return report
    const dispatch = await measureDispatch(builds.dir, date, servers)
    const job_cost = await measureCost(builds.dir, date, servers)
    const pull = await measurePull(builds.dir, date, servers)
    const change_feed = await measureFeed(builds.dir, date, servers)
    const report_cost = await measureReportCost(builds.dir, date, servers)
    if (!servers.postgres) return { ...report, dispatch, pull, change_feed, job_cost, report_cost }
    say(`How it grows, up to ${jobs ?? 'a million'} rows: takes minutes.`)
    const { pages: growth, ...rest } = await measureGrowth(builds.dir, date, servers.postgres, clients, jobs)
    return { ...report, dispatch, pull, change_feed, job_cost, report_cost, growth, ...rest }
  } finally {
    await clients.close()
  }
}

async function main(args: string[]): Promise<number> {
  const options = {
    json: { type: 'string' },
    html: { type: 'string' },
    quick: { type: 'boolean', default: false },
    jobs: { type: 'string' },
  } as const
  const { json, html, quick, jobs } = parseArgs({ args, options }).values
  if (jobs !== undefined && !/^[1-9]\d*$/.test(jobs)) throw new UsageError('--jobs needs a number')
  const report = await run({ isQuick: quick, jobs: jobs === undefined ? undefined : Number(jobs) })
  const { backends: _, routes: __, growth, ...rest } = report
  console.dir({ ...rest, growth }, { depth: 4 })
  if (json) await writeFile(json, `${JSON.stringify(report, null, 2)}\n`)
  if (html) await writeFile(html, drawPage(report))
  const misses = findMisses(report, quick)
  for (const miss of misses) say(`✗ ${miss}`)
  if (misses.length === 0) say('✓ every target is met')
  return misses.length === 0 ? 0 : 1
}

await runProgram({ usage, main })
