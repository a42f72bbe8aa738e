// Measures whether a page and a claim cost the same with a thousand times as many rows, or more: one database per size, on a
// real PostgreSQL, measured in turns. Also measures the sweep among the most jobs, and the retention among a million.
import { claim } from '../../src/jobs/sql/claim.ts'
import { historySorts, listMachineHistory, listMyHistory } from '../../src/jobs/sql/read.ts'
import { listMachines, machineSorts } from '../../src/machines/sql/read.ts'
import type { Clients } from './clients.ts'
import { textsOf } from './plan.ts'
import { type BenchPlatform, startPlatform } from './platform.ts'
import { measureRetention, type RetentionFigures } from './retention.ts'
import { insertEndedJobs, type Scene, setScene } from './scene.ts'
import { median, percentile } from './statistics.ts'
import { databaseOf, measureDue, measureSweep, replaceOpenJobs, type SweepFigures } from './sweep.ts'
import { type RunningWorkerd, serve } from './workerd.ts'

export type Growth = {
  /** By the number of rows. */
  p50_ms: Record<number, number>
  p50_ratio_last_to_first: number
  /** The indexes that PostgreSQL uses at the largest size. */
  scans: string[]
}

export type GrowthFigures = { pages: Record<string, Growth>; sweep: SweepFigures; retention: RetentionFigures }

type Stage = { size: number; platform: BenchPlatform; worker: RunningWorkerd; scene: Scene }

const sizes = [1_000, 10_000, 100_000, 1_000_000]
/** No plant has more. Sizes above it are numbers of jobs. */
const maxMachines = 1_000_000
const rounds = 7
const requestsInTurn = 40

/** @param jobs one more size */
export async function measureGrowth(
  dir: string,
  compatibilityDate: string,
  serverUrl: string,
  clients: Clients,
  jobs?: number,
): Promise<GrowthFigures> {
  const stages: Stage[] = []
  try {
    for (const size of [...sizes, ...(jobs === undefined ? [] : [jobs])])
      stages.push(await fill(dir, compatibilityDate, serverUrl, size))
    const pages: Record<string, Growth> = {}
    for (const [name, path, plan] of pagesOf()) pages[name] = await grow(stages, clients, path, plan)
    pages.claim = await growClaim(stages)
    pages.sweep = await growSweep(stages)
    const [most, last] = [stages[sizes.length - 1], stages.at(-1)]
    if (!most || !last) throw new TypeError('no size')
    const sweep = await measureSweep(last.platform)
    return { pages, sweep, retention: await measureRetention(most.platform, most.scene.machineIds[0] ?? 0) }
  } finally {
    for (const { worker, platform } of stages) {
      await worker.close()
      await platform.close()
    }
  }
}

async function fill(dir: string, compatibilityDate: string, serverUrl: string, size: number): Promise<Stage> {
  const platform = await startPlatform({ postgres: serverUrl })
  const worker = await serve(dir, compatibilityDate, platform.vars)
  const scene = await setScene(platform, worker.origin, 0, Math.min(size, maxMachines))
  await insertEndedJobs(platform, scene.machineIds[0] ?? 0, scene.caller.accountId, size)
  await platform.postgres.query('VACUUM ANALYZE')
  return { size, platform, worker, scene }
}

type Page = [name: string, path: (scene: Scene) => string, plan: (scene: Scene) => ReturnType<typeof textsOf>]

const historyPage = historySorts.page('-requested_at', 20)

/** Every order that a page of machines or jobs has. */
function pagesOf(): Page[] {
  return [
    [
      'history',
      ({ machineIds }) => `/api/machines/${machineIds[0]}/history`,
      ({ caller, machineIds }) =>
        textsOf((database) => listMachineHistory(database, caller, machineIds[0] ?? 0, {}, historyPage)),
    ],
    [
      'my_history',
      () => '/api/machines/history',
      ({ caller }) => textsOf((database) => listMyHistory(database, caller, {}, historyPage)),
    ],
    ...machineSorts.orders.map((order): Page => {
      const page = machineSorts.page(order, 20)
      return [
        `machines_by_${order}`,
        () => `/api/machines?sort=${order}`,
        ({ caller }) => textsOf((database) => listMachines(database, caller, {}, page)),
      ]
    }),
  ]
}

async function grow(stages: Stage[], clients: Clients, path: Page[1], plan: Page[2]): Promise<Growth> {
  const latencies = new Map(stages.map(({ size }) => [size, [] as number[]]))
  for (let round = 0; round <= rounds; round++) {
    for (const { size, worker, scene } of stages) {
      const shot = { method: 'GET', path: path(scene), token: scene.accessTokens[0] ?? '' }
      const shots = Array.from({ length: requestsInTurn }, () => shot)
      const salvo = {
        port: worker.port,
        connections: 1,
        durationMs: 60_000,
        shots,
        maxRequests: shots.length,
        expectedStatus: 200,
      }
      const { latenciesMs } = await clients.fire(salvo)
      if (round > 0) latencies.get(size)?.push(percentile(latenciesMs, 50)) // the first round warms up
    }
  }
  const last = stages.at(-1)
  return { ...describe(latencies), scans: last ? await explain(last, plan) : [] }
}

/** @param latencies by the number of rows, ascending */
function describe(latencies: Map<number, number[]>): Omit<Growth, 'scans'> {
  const p50 = [...latencies].map(([size, each]) => [size, median(each)] as const)
  const [first = Number.NaN, last = Number.NaN] = [p50.at(0)?.[1], p50.at(-1)?.[1]]
  return { p50_ms: Object.fromEntries(p50), p50_ratio_last_to_first: last / first }
}

/** The claim of a START that is delivered. */
async function growClaim(stages: Stage[]): Promise<Growth> {
  const latencies = new Map(stages.map(({ size }) => [size, [] as number[]]))
  for (let round = 0; round <= rounds; round++) {
    for (const { size, platform } of stages) {
      await replaceOpenJobs(platform, requestsInTurn, '10 minutes')
      await platform.postgres.query('UPDATE machines SET leased_until = NULL WHERE leased_until IS NOT NULL')
      const jobs = await platform.postgres.query(`SELECT id FROM jobs WHERE state = 'QUEUED'`)
      const database = databaseOf(platform)
      const each: number[] = []
      for (const { id } of jobs) {
        const beganAt = performance.now()
        const claimed = await claim(database, String(id), 'queue')
        each.push(performance.now() - beganAt)
        if (claimed?.job.state !== 'SENT') throw new Error(`the claim of a job answered ${JSON.stringify(claimed)}`)
      }
      if (round > 0) latencies.get(size)?.push(percentile(each, 50))
    }
  }
  return { ...describe(latencies), scans: [] }
}

/** The scan nodes of the page's plan. */
async function explain({ platform, scene }: Stage, plan: Page[2]): Promise<string[]> {
  const statement = (await plan(scene)).at(-1)
  const lines = await platform.postgres.query(`EXPLAIN (COSTS OFF) ${statement?.query}`, statement?.params)
  const scans = lines.flatMap(
    (line) =>
      /(?:->\s+)?(\w[\w ]* Scan(?: Backward)?(?: using \w+)? on (?:jobs|machines)\b)/.exec(
        String(line['QUERY PLAN']),
      )?.[1] ?? [],
  )
  return [...new Set(scans)]
}

/** A step of the sweep, with as many due jobs in each database. */
async function growSweep(stages: Stage[]): Promise<Growth> {
  const latencies = new Map<number, number[]>()
  for (const { size, platform } of stages) {
    latencies.set(size, [await measureDue(platform, databaseOf(platform), sizes[0] ?? 0)])
  }
  return { ...describe(latencies), scans: [] }
}
