// Soak test: `npm run test:soak [-- --seconds 60 --clients 16]`. Sends mixed traffic at the highest rate that this
// computer sustains, while 1 % of the upstream calls and deliveries fail. Prints counts, rates and the Worker's memory.
// Exits with 1 if a job is lost or stuck, an invariant is violated, or memory has grown beyond its limit.
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { startClients } from '../bench/clients.ts'
import { shareBuild } from '../build.ts'
import { startWorld, type World } from '../harness.ts'
import { type CallInterceptor, fail, hang, loseAnswer, open, shut, slow, twice } from '../platform/faults.ts'
import { type DeliveryFaults, loseDeliveryAnswer } from '../platform/qstash/delivery-loop.ts'
import { trySweep } from './client.ts'
import { findViolations } from './invariants.ts'
import { recover } from './recovery.ts'
import { type Client, keepAsking, signUpClient, type Tally } from './traffic.ts'

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '60' }, clients: { type: 'string', default: '16' } },
})
const seconds = Number(values.seconds)
const faultShare = 0.01
const sweepEveryMs = 5_000
/** Limit of the heap's growth after garbage collection. Includes the memory of requests in progress. */
const growthMiB = 8
/** Limit of the growth of workerd's memory, which includes Miniflare's own workers. */
const growthRatio = 1.25
/** The first requests fill arenas and heaps that are never collected. Memory is level when three salvos add no more. */
const levelRatio = 1.02
const levelSalvos = 3
const salvoMs = 4_000
const mostSalvos = 20

type Memory = Awaited<ReturnType<World['worker']['readMemory']>>

await shareBuild()
const world = await startWorld({ accountLimit: 1_000_000, isInspected: true })
process.exit((await soak()) ? 0 : 1) // a reader of workerd's output would keep the program alive

async function soak(): Promise<boolean> {
  const tally: Tally = { latenciesMs: [], accepted: [], errors: new Map() }
  const clients: Client[] = []
  // In sequence: passwords are hashed one at a time, and a request that waits too long is refused.
  while (clients.length < Number(values.clients)) clients.push(await signUpClient(world, tally))
  await warmUp(clients)
  const countFaults = injectRandomFaults(world)
  const ending = new AbortController()
  const traffic = clients.map((client) => keepAsking(client, tally, ending.signal))
  const sweeping = keepSweeping(ending.signal)
  const beganAt = performance.now()
  await delay(seconds * 0.1 * 1_000) // the first jobs compile code that the warm-up did not run
  const before = await world.worker.readMemory()
  await delay(seconds * 0.9 * 1_000)
  const after = await world.worker.readMemory()
  ending.abort()
  await Promise.all([...traffic, sweeping])
  const tookSeconds = (performance.now() - beganAt) / 1_000
  const faultCount = countFaults()
  await recover(world)
  const machines = clients.flatMap((client) => client.machines)
  const violations = await findViolations({ world, machines, accepted: tally.accepted })
  if (after.heapMiB - before.heapMiB > growthMiB) violations.push(`the heap grew by more than ${growthMiB} MiB`)
  if (after.residentMiB > before.residentMiB * growthRatio)
    violations.push(`workerd grew by more than ${growthRatio} times`)
  if (faultCount === 0 || tally.accepted.length === 0) violations.push('no fault was injected or no job was accepted')
  describe(tally, tookSeconds, faultCount, before, after)
  for (const violation of violations) console.log(`✗ ${violation}`)
  console.log(`${tally.accepted.length} jobs, ${violations.length} violations`)
  await world.close()
  return violations.length === 0
}

/** Sends read requests as fast as possible until workerd's memory is level. */
async function warmUp([client]: Client[]): Promise<void> {
  const token = client?.person.access ?? ''
  const load = startClients()
  const fire = (path: string) =>
    load.fire({
      port: Number(new URL(world.url).port),
      connections: 16,
      durationMs: salvoMs,
      shots: [{ method: 'GET', path, token }],
      isOnce: false,
      expectedStatus: 200,
    })
  let [highest, level] = [0, 0]
  for (let salvo = 0; salvo < mostSalvos && level < levelSalvos; salvo += 1) {
    await fire(salvo % 2 === 0 ? '/api/health' : '/api/machines?limit=20')
    world.exchanges.length = 0
    const { residentMiB } = await world.worker.readMemory()
    level = residentMiB < highest * levelRatio ? level + 1 : 0
    highest = Math.max(highest, residentMiB)
  }
  await load.close()
}

function describe(
  { latenciesMs, accepted, errors }: Tally,
  took: number,
  faultCount: number,
  before: Memory,
  after: Memory,
) {
  const sorted = latenciesMs.toSorted((a, b) => a - b)
  const at = (share: number) => `${sorted[Math.floor((sorted.length - 1) * share)]?.toFixed(0)} ms`
  const failed = [...errors].map(([code, count]) => `${count} ${code}`).join(', ')
  const lines = {
    requests: `${sorted.length}, ${(sorted.length / took).toFixed(0)}/s`,
    jobs: `${accepted.length}, ${(accepted.length / took).toFixed(0)}/s`,
    faults: `${faultCount}`,
    errors: failed || 'none',
    latency: `p50 ${at(0.5)}, p99 ${at(0.99)}`,
    memory: `heap ${show(before.heapMiB)} → ${show(after.heapMiB)}, workerd ${show(before.residentMiB)} → ${show(after.residentMiB)}`,
  }
  for (const [name, value] of Object.entries(lines)) console.log(`${name.padEnd(10)}${value}`)
}

function show(mebibytes: number): string {
  return `${mebibytes.toFixed(1)} MiB`
}

async function keepSweeping(signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await delay(sweepEveryMs, undefined, { signal }).catch(() => {})
    await trySweep(world)
    world.exchanges.length = 0 // they are not read, and there are many
  }
}

/** @returns a function that ends the faults and returns how many there were */
function injectRandomFaults({ faults }: World): () => number {
  const { deliveries, ...calls } = faults
  const callFaults: CallInterceptor[] = [shut, fail(500), loseAnswer, slow(1_000), hang]
  const deliveryFaults: DeliveryFaults['pass'][] = [loseDeliveryAnswer, twice, slow(3_000)]
  let faultCount = 0
  const shouldFail = () => Math.random() < faultShare && ++faultCount > 0
  for (const each of Object.values(calls)) {
    each.pass = (call, forward) => (shouldFail() ? oneOf(callFaults)(call, forward) : forward())
  }
  deliveries.pass = (message, attempt) => (shouldFail() ? oneOf(deliveryFaults)(message, attempt) : attempt())
  return () => {
    deliveries.pass = open
    for (const each of Object.values(calls)) each.pass = open
    return faultCount
  }
}

function oneOf<T>(options: readonly T[]): T {
  return options[Math.floor(Math.random() * options.length)] as T // the array is not empty
}
