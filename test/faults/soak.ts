// Soak test: `npm run test:soak [-- --seconds 60 --clients 16]`. Sends mixed traffic at the highest rate that this
// computer sustains, beside a thousand machines that report every 10 s, while 1 % of the upstream calls and deliveries fail; for these seconds, and on until the memory of
// workerd is level. Prints counts, rates and the Worker's memory. Exits with 1 if a job is lost or stuck, an invariant
// is violated, the heap has grown beyond its limit, or workerd's memory does not become level.
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { shareBuild } from '../build.ts'
import { startWorld, type World } from '../harness.ts'
import { type CallInterceptor, fail, hang, loseAnswer, open, shut, slow, twice } from '../platform/faults.ts'
import { type DeliveryFaults, loseDeliveryAnswer } from '../platform/qstash/delivery-loop.ts'
import { trySweep } from './client.ts'
import { startFleet } from './fleet.ts'
import { findViolations } from './invariants.ts'
import { recover } from './recovery.ts'
import { type Client, keepAsking, signUpClient, type Tally } from './traffic.ts'

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '60' }, clients: { type: 'string', default: '16' } },
})
const seconds = Number(values.seconds)
const faultShare = 0.01
/** Machines that report every 10 s. */
const fleetSize = 1_000
const sweepEveryMs = 5_000
/** Limit of the heap's growth after garbage collection. Includes the memory of requests in progress. */
const growthMiB = 8
/**
 * workerd's memory grows with the first requests, because the arenas and heaps of all its isolates fill, Miniflare's
 * too. It is level when its highest value has not risen by more than this ratio in `levelSeconds`. A leak never is.
 */
const levelRatio = 1.02
const levelSeconds = 20
const mostSeconds = 300
const sampleSeconds = 2

type Memory = Awaited<ReturnType<World['worker']['readMemory']>>

await shareBuild()
const world = await startWorld({ requestLimit: 1_000_000, isInspected: true })
process.exit((await soak()) ? 0 : 1) // a reader of workerd's output would keep the program alive

async function soak(): Promise<boolean> {
  const tally: Tally = { latenciesMs: [], accepted: [], errors: new Map() }
  const clients: Client[] = []
  // In sequence: passwords are hashed one at a time, and a request that waits too long is refused.
  while (clients.length < Number(values.clients)) clients.push(await signUpClient(world, tally))
  const fleet = await startFleet(world, await world.signUp(), fleetSize)
  const countFaults = injectRandomFaults(world)
  const ending = new AbortController()
  const reporting = [fleet.keepReporting(ending.signal), fleet.keepCommanding(ending.signal)]
  const traffic = clients.map((client) => keepAsking(client, tally, ending.signal))
  const sweeping = keepSweeping(ending.signal)
  const beganAt = performance.now()
  await delay(seconds * 0.1 * 1_000) // the first jobs compile code
  const before = await world.worker.readMemory()
  const isLevel = await untilLevel(beganAt)
  const after = await world.worker.readMemory()
  ending.abort()
  await Promise.all([...traffic, ...reporting, sweeping])
  const tookSeconds = (performance.now() - beganAt) / 1_000
  const faultCount = countFaults()
  await recover(world)
  const machines = clients.flatMap((client) => client.machines)
  const violations = await findViolations({ world, machines, accepted: tally.accepted })
  violations.push(...(await fleet.findViolations()))
  if (after.heapMiB - before.heapMiB > growthMiB) violations.push(`the heap grew by more than ${growthMiB} MiB`)
  if (!isLevel) violations.push(`workerd's memory was not level after ${mostSeconds} s`)
  if (faultCount === 0 || tally.accepted.length === 0) violations.push('no fault was injected or no job was accepted')
  describe(tally, tookSeconds, faultCount, before, after)
  console.log(`reports   ${fleet.reports()}, ${(fleet.reports() / tookSeconds).toFixed(0)}/s`)
  for (const violation of violations) console.log(`✗ ${violation}`)
  console.log(`${tally.accepted.length} jobs, ${violations.length} violations`)
  await world.close()
  return violations.length === 0
}

/** Resolves when `seconds` have passed and workerd's memory is level; with false when it is not after `mostSeconds`. */
async function untilLevel(beganAt: number): Promise<boolean> {
  let highest = 0
  let risenAt = beganAt
  for (let now = beganAt; now < beganAt + mostSeconds * 1_000; now = performance.now()) {
    const residentMiB = await world.worker.readResidentMiB()
    if (residentMiB > highest * levelRatio) [highest, risenAt] = [residentMiB, now]
    if (now > beganAt + seconds * 1_000 && now > risenAt + levelSeconds * 1_000) return true
    await delay(sampleSeconds * 1_000)
  }
  return false
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
