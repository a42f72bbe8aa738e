// `npm run test:fuzz`: valid and nearly valid requests for every operation of the OpenAPI document, to the real Worker.
// Expects no 5xx, no status, header or body that the document does not describe, and no accepted invalid input.
import { parseArgs } from 'node:util'
import { runProgram, UsageError } from '../../src/tools/program.ts'
import { type Answer, startWorld, type World } from '../harness.ts'
import { Fleet, type FuzzRequest } from './fleet.ts'
import { operations } from './operations.ts'
import { type Plan, planChapter } from './plan.ts'

const usage = `usage: npm run test:fuzz -- [--count N] [--seed N] [--seconds N]

  --count N     requests (5,000); from 5,000 on, more follow while an operation has not succeeded
  --seed N      plans the same requests as the run that printed this seed; at random unless told
  --seconds N   gives up, and fails, when it takes longer (900)

Exit codes: 0 no fault · 1 faults, or not all requests could be sent · 2 wrong usage
`

const chapterLength = 250
/**
 * After so many requests, every operation should have succeeded once. If one has not, by chance, more chapters follow,
 * complete ones: most operations need what others have made.
 */
const enoughToTryAll = 5_000
const moreChapters = 40
const mostFaults = 20

type Run = { sent: number; faults: string[]; statuses: Map<string, Map<number, number>> }

/** Returns what is wrong with an answer that the document describes, or undefined. */
function findFault({ operation, isUnfit }: Plan, { status }: Answer): string | undefined {
  const isQueueWait = operation.scheme === 'queue' && status === 503
  if (status >= 500 && !isQueueWait) return `it answered ${status}`
  if (isUnfit && status < 300) return `it took a body that does not fit: ${status}`
  return undefined
}

async function sendPlan(world: World, fleet: Fleet, plan: Plan, run: Run): Promise<void> {
  const request = fleet.prepare(plan)
  run.sent += 1
  try {
    const answer = await world.request(request.method, request.path, request.options)
    const counts = run.statuses.get(plan.operation.id) ?? new Map<number, number>()
    run.statuses.set(plan.operation.id, counts.set(answer.status, (counts.get(answer.status) ?? 0) + 1))
    const fault = findFault(plan, answer)
    if (fault !== undefined)
      throw new Error([fault, answer.text.slice(0, 500), ...findErrors(world, answer)].join('\n'))
    await fleet.learn(plan, request, answer)
  } catch (error) {
    run.faults.push(`#${run.sent} ${formatRequest(plan, request)}\n${describe(error)}`)
  }
}

/** What the Worker logged for this request, because a 500 contains no detail. */
function findErrors(world: World, { headers }: Answer): string[] {
  const isOfIt = (line: Record<string, unknown>) =>
    line.channel === 'error' && line.request_id === headers.get('x-request-id')
  return world
    .logs()
    .filter(isOfIt)
    .map((line) => JSON.stringify(line))
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause === undefined ? error.message : `${error.message}: ${describe(error.cause)}`
}

function formatRequest({ operation }: Plan, { method, path, options }: FuzzRequest): string {
  const { body, headers } = options
  const bytes = body instanceof Uint8Array ? Buffer.from(body).toString('latin1') : body
  return `${operation.id}: ${method} ${path}\n${JSON.stringify({ headers, body: bytes }).slice(0, 2_000)}`
}

async function fuzz(world: World, seed: number, count: number, seconds: number): Promise<Run> {
  const run: Run = { sent: 0, faults: [], statuses: new Map() }
  const endsAt = performance.now() + seconds * 1_000
  const isOver = () => performance.now() > endsAt || run.faults.length >= mostFaults
  const fleet = new Fleet(world)
  const mostChapters = Math.ceil(count / chapterLength) + (count < enoughToTryAll ? 0 : moreChapters)
  const isWanted = (chapter: number) => run.sent < count || (chapter < mostChapters && findUntried(run).length > 0)
  for (let chapter = 0; isWanted(chapter); chapter += 1) {
    await fleet.renew(chapter)
    const length = run.sent < count ? Math.min(chapterLength, count - run.sent) : chapterLength
    for (const plan of planChapter(seed, chapter, length)) {
      if (isOver()) return run
      await sendPlan(world, fleet, plan, run)
    }
  }
  return run
}

/** Operations that never succeeded, so they were hardly tested. */
function findUntried({ statuses }: Run): string[] {
  const isTaken = ([status]: [number, number]) => status < 400
  return operations.map(({ id }) => id).filter((id) => ![...(statuses.get(id) ?? [])].some(isTaken))
}

function print({ statuses }: Run): void {
  for (const { id } of operations) {
    const counts = [...(statuses.get(id) ?? [])].sort(([one], [other]) => one - other)
    process.stdout.write(`${id.padEnd(22)}${counts.map(([status, times]) => `${status} ×${times}`).join('  ')}\n`)
  }
}

async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: { count: { type: 'string' }, seed: { type: 'string' }, seconds: { type: 'string' } },
  })
  const [count, seconds] = [Number(values.count ?? 5_000), Number(values.seconds ?? 900)]
  const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31))
  if (![count, seconds, seed].every((each) => Number.isSafeInteger(each) && each >= 0))
    throw new UsageError('Give whole numbers.')
  process.stdout.write(`seed ${seed}: npm run test:fuzz -- --seed ${seed} --count ${count}\n\n`)
  const world = await startWorld()
  const beganAt = performance.now()
  try {
    const run = await fuzz(world, seed, count, seconds)
    print(run)
    const untried = run.sent >= enoughToTryAll ? findUntried(run) : []
    for (const fault of run.faults) process.stdout.write(`\n✗ ${fault}\n`)
    if (untried.length > 0) process.stdout.write(`\n✗ never taken, so hardly tried: ${untried.join(', ')}\n`)
    const held = run.sent - run.faults.length - untried.length
    const took = ((performance.now() - beganAt) / 1_000).toFixed(0)
    process.stdout.write(`\n${run.sent} sent in ${took} s (seed ${seed})\n`)
    const wanted = Math.max(count, run.sent)
    process.stdout.write(`${wanted} requests, ${held} held\n`)
    return held < wanted ? 1 : 0
  } finally {
    await world.close()
  }
}

await runProgram({ usage, main })
