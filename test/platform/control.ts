// The control port of the local platform: injects faults, to try out how Tiebar behaves when a service is unavailable. Without
// an order there are no faults.
import { z } from 'zod'
import {
  type CallFaults,
  type CallInterceptor,
  fail,
  hang,
  loseAnswer,
  only,
  open,
  outOfOrder,
  shut,
  slow,
  twice,
} from './faults.ts'
import { type StandInAnswer, type StandInRequest, type StandInServer, startHttpServer } from './http.ts'
import { type DeliveryFaults, loseDeliveryAnswer } from './qstash/delivery-loop.ts'

/** A fault of the calls to a stand-in. */
const callOrder = z.strictObject({
  /** `away`: the stand-in is unavailable. `lose_answer`: it acts, and the caller does not get the answer. */
  kind: z.enum(['away', 'hang', 'slow', 'error', 'lose_answer']),
  /** The number of calls; by default all. */
  count: z.int().min(1).optional(),
  /** The duration; by default until it is deleted. */
  seconds: z.number().positive().optional(),
  /** Only calls whose path begins with this. */
  path: z.string().startsWith('/').default('/'),
  /** For `slow`. */
  delay_ms: z.int().min(1).max(600_000).default(1_000),
  /** For `error`. */
  status: z.int().min(400).max(599).default(500),
})

/** A fault of the deliveries of QStash. `lose_answer`: the destination acts, and QStash does not get the answer. */
const deliveryOrder = callOrder
  .pick({ count: true, seconds: true, delay_ms: true })
  .extend({ kind: z.enum(['deliver_twice', 'deliver_out_of_order', 'deliver_late', 'lose_answer']) })

export type ControlTargets = {
  calls: ReadonlyMap<string, CallFaults>
  deliveries?: DeliveryFaults
  restartQStash?: () => Promise<void>
}

/** Serves `GET /faults`, `PUT` and `DELETE /faults/{name}` and `POST /qstash/restart`. */
export function startControl({ calls, deliveries, restartQStash }: ControlTargets): Promise<StandInServer> {
  const orders = new Map<string, unknown>()

  function set(name: string, json: unknown): StandInAnswer {
    const faults = calls.get(name)
    const isDeliveries = name === 'deliveries' && deliveries !== undefined
    const order = isDeliveries ? deliveryOrder.safeParse(json) : callOrder.safeParse(json)
    if (!order.success) return { status: 422, body: { error: z.prettifyError(order.error) } }
    if (isDeliveries) deliveries.pass = toDeliveryInterceptor(deliveryOrder.parse(json))
    else if (faults) faults.pass = toCallInterceptor(callOrder.parse(json))
    orders.set(name, order.data)
    return { body: order.data }
  }

  function clear(name: string): StandInAnswer {
    const faults = name === 'deliveries' ? deliveries : calls.get(name)
    if (faults) faults.pass = open
    orders.delete(name)
    return { status: 204 }
  }

  const names = [...calls.keys(), ...(deliveries ? ['deliveries'] : [])]
  return startHttpServer('control', async ({ method, target, body }: StandInRequest) => {
    if (target === '/faults' && method === 'GET') {
      return { body: Object.fromEntries(names.map((name) => [name, orders.get(name) ?? null])) }
    }
    if (target === '/qstash/restart' && method === 'POST' && restartQStash) {
      await restartQStash()
      return { status: 204 }
    }
    const name = /^\/faults\/(\w+)$/.exec(target)?.[1] ?? ''
    if (!names.includes(name)) return { status: 404, body: { error: `the services are ${names.join(', ')}` } }
    if (method === 'DELETE') return clear(name)
    if (method !== 'PUT') return { status: 405, headers: { allow: 'PUT, DELETE' }, body: { error: 'PUT or DELETE' } }
    const json = parse(body)
    return json === undefined ? { status: 400, body: { error: 'the body is not JSON' } } : set(name, json)
  })
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    return undefined
  }
}

function within(seconds: number | undefined): () => boolean {
  const endsAt = seconds === undefined ? Number.POSITIVE_INFINITY : performance.now() + seconds * 1_000
  return () => performance.now() < endsAt
}

function toCallInterceptor({
  kind,
  count,
  seconds,
  path,
  delay_ms,
  status,
}: z.infer<typeof callOrder>): CallInterceptor {
  const interceptors: Record<typeof kind, CallInterceptor> = {
    away: shut,
    hang,
    slow: slow(delay_ms),
    error: fail(status),
    lose_answer: loseAnswer,
  }
  const isInTime = within(seconds)
  return only(interceptors[kind], { count, fits: ({ target }) => target.startsWith(path) && isInTime() })
}

function toDeliveryInterceptor({
  kind,
  count,
  seconds,
  delay_ms,
}: z.infer<typeof deliveryOrder>): DeliveryFaults['pass'] {
  const interceptors: Record<typeof kind, DeliveryFaults['pass']> = {
    deliver_twice: twice,
    deliver_out_of_order: outOfOrder(),
    deliver_late: slow(delay_ms),
    lose_answer: loseDeliveryAnswer,
  }
  const isInTime = within(seconds)
  return only(interceptors[kind], { count, fits: isInTime })
}
