// Injects one fault of the matrix: into the calls that belong to its step, for a short time, and only once.
import type { Upstream, World } from '../harness.ts'
import {
  answerLate,
  type CallInterceptor,
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
import { deliverTwice, disturbWorker, faultDurationMs, restartQueue, restartService } from './interceptors.ts'
import type { Scenario, Step } from './scenarios.ts'

export type InjectedFault = {
  wasInjected(): boolean
  /** Ends the fault. Resolves when no intercepted call is in progress. */
  end(): Promise<void>
}

const lateMs = 4_000

const statement = (name: string) => new RegExp(`/\\* ${name} \\*/`)

/** How to recognize the call of a step: the name of the statement, the state in the cache entry, the message's number. */
const patterns: Record<'postgres' | 'redis' | 'qstash', Partial<Record<Step, RegExp>>> = {
  postgres: {
    request: statement('create-job'),
    claim: statement('claim'),
    report: statement('refresh-reports'),
    fetch: statement('store-reports'),
    confirm: statement('store-confirmation'),
    outcome: statement('settle'),
    failed: statement('redispatch-job'),
    sweep: statement('redispatch-due-jobs'),
  },
  redis: {
    request: /\\"state\\":\\"QUEUED\\"/,
    claim: /\\"state\\":\\"SENT\\"/,
    fetch: /\\"state\\":\\"SENT\\"/,
    outcome: /\\"state\\":\\"SUCCEEDED\\"/,
    failed: /\\"state\\":\\"FAILED\\"/,
    sweep: /\\"state\\":\\"EXPIRED\\"/,
  },
  qstash: { publish: /:1$/, failed: /:[2-9]$/, sweep: /:[2-9]$/ },
}

function isAt(step: Step, service: Upstream, { method, target, headers, body }: StandInRequest): boolean {
  if (service === 'controller') {
    return method === 'POST' && body.includes('"command":"CONFIRM"') === (step === 'confirm')
  }
  const deduplicationId = String(headers['upstash-deduplication-id'] ?? target)
  const text = service === 'qstash' ? deduplicationId : body.toString()
  return patterns[service][step]?.test(text) ?? false
}

/** Injects the fault of a scenario at the first matching call. It ends by itself after `faultDurationMs`. */
export function injectFault(world: World, scenario: Scenario, jobId: () => string): InjectedFault {
  const { service, fault, step } = scenario
  if (service === 'worker') return injectIntoCalls(world, upstreamOf(step), step, disturbWorker(world, fault))
  if (service !== 'qstash') return injectIntoCalls(world, service, step, createInterceptor(world, scenario))
  if (isMessageFault(scenario)) return injectIntoDeliveries(world, scenario)
  if (!['claim', 'command', 'outcome'].includes(step))
    return injectIntoCalls(world, 'qstash', step, createInterceptor(world, scenario))
  // The calls that the Worker makes during a delivery show which step it is at.
  const interceptor = fault === 'restart' ? restartQueue(world) : deliverTwice(world, jobId)
  return injectIntoCalls(world, upstreamOf(step), step, interceptor)
}

/** True when the fault is injected into a delivery by QStash and not into a call. */
function isMessageFault({ fault, step }: Scenario): boolean {
  if (step === 'claim' || fault === 'order') return fault !== 'restart'
  return (step === 'failed' && fault === 'double') || (step === 'outcome' && fault === 'lost')
}

/** The upstream whose call shows that the Worker is at this step. */
function upstreamOf(step: Step): Upstream {
  if (step === 'publish') return 'qstash'
  return step === 'confirm' || step === 'command' ? 'controller' : 'postgres'
}

function injectIntoCalls(world: World, service: Upstream, step: Step, interceptor: CallInterceptor): InjectedFault {
  const underWay = new Set<Promise<unknown>>()
  let endsAt = Number.POSITIVE_INFINITY
  let wasInjected = false
  world.faults[service].pass = (call, forward) => {
    if (performance.now() > endsAt || !isAt(step, service, call)) return forward()
    if (!wasInjected) endsAt = performance.now() + faultDurationMs
    wasInjected = true
    const intercepted = interceptor(call, forward).finally(() => underWay.delete(intercepted))
    underWay.add(intercepted)
    return intercepted
  }
  return {
    wasInjected: () => wasInjected,
    async end() {
      endsAt = Math.min(endsAt, performance.now())
      while (underWay.size > 0) await Promise.allSettled(underWay)
      world.faults[service].pass = open
    },
  }
}

function createInterceptor(world: World, { service, fault }: Scenario): CallInterceptor {
  switch (fault) {
    case 'away':
      return shut
    case 'hang':
      return hang
    case 'slow':
      // A write to Redis is executed late, after newer ones. The other services execute at once and answer late.
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
      return restartService(world, service)
  }
}

const taken = { status: 200, header: {}, body: Buffer.alloc(0) }

function injectIntoDeliveries(world: World, { fault, step }: Scenario): InjectedFault {
  const interceptors: Partial<Record<Scenario['fault'], DeliveryFaults['pass']>> = {
    away: async () => taken, // QStash believes that the message was delivered
    hang: slow(2 * lateMs), // until the sweep has published the job again
    slow: slow(lateMs), // until the job has expired
    double: twice,
    lost: loseDeliveryAnswer,
    order: outOfOrder(lateMs),
  }
  const interceptor = interceptors[fault]
  if (!interceptor) throw new TypeError(`there is no delivery fault ${fault}`)
  const path = step === 'failed' ? '/failed' : '/deliver'
  let endsAt = Number.POSITIVE_INFINITY
  let wasInjected = false
  world.faults.deliveries.pass = (message, attempt) => {
    if (performance.now() > endsAt || !message.url.endsWith(path)) return attempt()
    if (!wasInjected) endsAt = performance.now() + faultDurationMs
    wasInjected = true
    return interceptor(message, attempt)
  }
  return {
    wasInjected: () => wasInjected,
    async end() {
      world.faults.deliveries.pass = open
    },
  }
}
