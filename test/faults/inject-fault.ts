// Lets one fault of the matrix strike: at the calls that belong to its step, for a moment, and never again.
import type { Upstream, World } from '../harness.ts'
import {
  answerLate,
  type CallPassage,
  fail,
  hang,
  loseAnswer,
  open,
  outOfOrder,
  shut,
  slow,
  twice,
} from '../platform/faults.ts'
import type { StandInRequest } from '../platform/http.ts'
import { type DeliveryFaults, loseDeliveryAnswer } from '../platform/qstash/delivery-loop.ts'
import { deliverAgain, killing, momentMs, restarting, restartQueue } from './interceptors.ts'
import type { Cell, Step } from './scenarios.ts'

export type Strike = {
  hasStruck(): boolean
  /** Resolves when nothing that the fault began is going on. */
  over(): Promise<void>
}

const lateMs = 4_000

const statement = (name: string) => new RegExp(`/\\* ${name} \\*/`)

/** Which call belongs to which step: by the name of the statement, the state in the cache entry, or the message's number. */
const marks: Record<'postgres' | 'redis' | 'qstash', Partial<Record<Step, RegExp>>> = {
  postgres: {
    request: statement('create-job'),
    publish: statement('mark-published'),
    claim: statement('claim'),
    outcome: statement('settle'),
    failed: statement('handle-delivery-failure'),
    sweep: statement('redispatch-due-jobs'),
  },
  redis: {
    request: /\\"state\\":\\"QUEUED\\"/,
    claim: /\\"state\\":\\"SENT\\"/,
    outcome: /\\"state\\":\\"SUCCEEDED\\"/,
    failed: /\\"state\\":\\"FAILED\\"/,
    sweep: /\\"state\\":\\"EXPIRED\\"/,
  },
  qstash: { publish: /:1$/, failed: /:[2-9]$/, sweep: /:[2-9]$/ },
}

function isAt(step: Step, service: Upstream, { method, target, headers, body }: StandInRequest): boolean {
  if (service === 'controller') return method === 'POST'
  const deduplicationId = String(headers['upstash-deduplication-id'] ?? target)
  const text = service === 'qstash' ? deduplicationId : body.toString()
  return marks[service][step]?.test(text) ?? false
}

/** The fault of a cell, armed. Everything is open again when its moment is over. */
export function arm(world: World, cell: Cell, jobId: () => string): Strike {
  const { service, fault, step } = cell
  if (service === 'worker') return armCalls(world, upstreamOf(step), step, killing(world, fault))
  if (service !== 'qstash') return armCalls(world, service, step, passageOf(world, cell))
  if (isOnItsWay(cell)) return armDeliveries(world, cell)
  if (!['claim', 'command', 'outcome'].includes(step)) return armCalls(world, 'qstash', step, passageOf(world, cell))
  // While a delivery is going on, its step is seen by what the Worker asks meanwhile.
  const passage = fault === 'restart' ? restartQueue(world) : deliverAgain(world, jobId)
  return armCalls(world, upstreamOf(step), step, passage)
}

/** What is struck is a message of QStash's, not a call. */
function isOnItsWay({ fault, step }: Cell): boolean {
  if (step === 'claim' || fault === 'order') return fault !== 'restart'
  return (step === 'failed' && fault === 'double') || (step === 'outcome' && fault === 'lost')
}

/** Whose call shows that the Worker is at this step. */
function upstreamOf(step: Step): Upstream {
  if (step === 'publish') return 'qstash'
  return step === 'command' ? 'controller' : 'postgres'
}

function armCalls(world: World, service: Upstream, step: Step, passage: CallPassage): Strike {
  const underWay = new Set<Promise<unknown>>()
  let endsAt = Number.POSITIVE_INFINITY
  let hasStruck = false
  world.faults[service].pass = (call, forward) => {
    if (performance.now() > endsAt || !isAt(step, service, call)) return forward()
    if (!hasStruck) endsAt = performance.now() + momentMs
    hasStruck = true
    const passing = passage(call, forward).finally(() => underWay.delete(passing))
    underWay.add(passing)
    return passing
  }
  return {
    hasStruck: () => hasStruck,
    async over() {
      endsAt = Math.min(endsAt, performance.now())
      while (underWay.size > 0) await Promise.allSettled(underWay)
      world.faults[service].pass = open
    },
  }
}

function passageOf(world: World, { service, fault }: Cell): CallPassage {
  switch (fault) {
    case 'away':
      return shut
    case 'hang':
      return hang
    case 'slow':
      // A write to Redis comes late, after newer ones; all others act at once and are late in saying so.
      return service === 'redis' ? slow(lateMs) : answerLate(lateMs)
    case 'error':
      return fail(500)
    case 'lost':
      return loseAnswer
    case 'double':
      return twice
    case 'order':
      return outOfOrder(lateMs)
    case 'restart':
      return restarting(world, service)
  }
}

const taken = { status: 200, header: {}, body: Buffer.alloc(0) }

function armDeliveries(world: World, { fault, step }: Cell): Strike {
  const passages: Partial<Record<Cell['fault'], DeliveryFaults['pass']>> = {
    away: async () => taken, // QStash lost it, and will never know
    hang: slow(2 * lateMs), // by then the sweep has handed the job over again
    slow: slow(lateMs), // by then its time is over
    double: twice,
    lost: loseDeliveryAnswer,
    order: outOfOrder(lateMs),
  }
  const passage = passages[fault]
  if (!passage) throw new TypeError(`no delivery can be ${fault}`)
  const path = step === 'failed' ? '/failed' : '/deliver'
  let endsAt = Number.POSITIVE_INFINITY
  let hasStruck = false
  world.faults.deliveries.pass = (message, attempt) => {
    if (performance.now() > endsAt || !message.url.endsWith(path)) return attempt()
    if (!hasStruck) endsAt = performance.now() + momentMs
    hasStruck = true
    return passage(message, attempt)
  }
  return {
    hasStruck: () => hasStruck,
    async over() {
      world.faults.deliveries.pass = open
    },
  }
}
