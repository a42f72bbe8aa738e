// The soak: `npm run test:soak [-- --seconds 60 --clients 16]`. Mixed traffic with jobs at the highest rate that this
// machine carries, while every hundredth call to an upstream and every hundredth delivery goes wrong. Prints what was
// done, how fast, and the Worker's memory. Ends with 1 if a job is lost or stuck, an invariant does not hold, or memory
// has grown beyond its bound.
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { startClients } from '../bench/clients.ts'
import { shareBuild } from '../build.ts'
import { startWorld, type World } from '../harness.ts'
import { type CallPassage, fail, hang, loseAnswer, open, shut, slow, twice } from '../platform/faults.ts'
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
/** Memory is flat if the heap, collected, has not grown by more until the end. What is under way at the moment counts too. */
const growthMiB = 8
/** And all that workerd holds, by no more than this: Miniflare's own workers in front of ours are part of it. */
const growthRatio = 1.25
/** The first thousands of requests fill arenas and heaps that nobody collects. It is level when three salvos add no more. */
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
  // One after the other: passwords are hashed one at a time, and who waits too long is sent away.
  while (clients.length < Number(values.clients)) clients.push(await signUpClient(world, tally))
  await warmUp(clients)
  const countFaults = disturb(world)
  const ending = new AbortController()
  const traffic = clients.map((client) => keepAsking(client, tally, ending.signal))
  const sweeping = keepSweeping(ending.signal)
  const beganAt = performance.now()
  await delay(seconds * 0.1 * 1_000) // the first jobs compile what the warm-up did not ask for
  const before = await world.worker.readMemory()
  await delay(seconds * 0.9 * 1_000)
  const after = await world.worker.readMemory()
  ending.abort()
  await Promise.all([...traffic, sweeping])
  const tookSeconds = (performance.now() - beganAt) / 1_000
  const struck = countFaults()
  await recover(world)
  const machines = clients.flatMap((client) => client.machines)
  const violations = await findViolations({ world, machines, accepted: tally.accepted })
  if (after.heapMiB - before.heapMiB > growthMiB) violations.push(`the heap grew by more than ${growthMiB} MiB`)
  if (after.residentMiB > before.residentMiB * growthRatio)
    violations.push(`workerd grew by more than ${growthRatio} times`)
  if (struck === 0 || tally.accepted.length === 0) violations.push('nothing was tried')
  describe(tally, tookSeconds, struck, before, after)
  for (const violation of violations) console.log(`✗ ${violation}`)
  console.log(`${tally.accepted.length} jobs, ${violations.length} violations`)
  await world.close()
  return violations.length === 0
}

/** Asks for what changes nothing, as fast as it goes, until workerd's memory has levelled off. */
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
  struck: number,
  before: Memory,
  after: Memory,
) {
  const sorted = latenciesMs.toSorted((a, b) => a - b)
  const at = (share: number) => `${sorted[Math.floor((sorted.length - 1) * share)]?.toFixed(0)} ms`
  const failed = [...errors].map(([code, count]) => `${count} ${code}`).join(', ')
  const lines = {
    requests: `${sorted.length}, ${(sorted.length / took).toFixed(0)}/s`,
    jobs: `${accepted.length}, ${(accepted.length / took).toFixed(0)}/s`,
    faults: `${struck}`,
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
    world.exchanges.length = 0 // nobody reads them, and they are many
  }
}

/** @returns ends it, and says how many faults there were */
function disturb({ faults }: World): () => number {
  const { deliveries, ...calls } = faults
  const wrong: CallPassage[] = [shut, fail(500), loseAnswer, slow(1_000), hang]
  const astray: DeliveryFaults['pass'][] = [loseDeliveryAnswer, twice, slow(3_000)]
  let struck = 0
  const isStruck = () => Math.random() < faultShare && ++struck > 0
  for (const each of Object.values(calls)) {
    each.pass = (call, forward) => (isStruck() ? oneOf(wrong)(call, forward) : forward())
  }
  deliveries.pass = (message, attempt) => (isStruck() ? oneOf(astray)(message, attempt) : attempt())
  return () => {
    deliveries.pass = open
    for (const each of Object.values(calls)) each.pass = open
    return struck
  }
}

function oneOf<Passage>(passages: Passage[]): Passage {
  return passages[Math.floor(Math.random() * passages.length)] as Passage // there are some
}
