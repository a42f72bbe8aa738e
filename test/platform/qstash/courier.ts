// Carries messages: starts each attempt when it is due, and decides from its result what becomes of the message:
// delivered, tried again, or dead. Callbacks are messages like any other.
// https://upstash.com/docs/qstash/howto/debug-logs (the states)

import { type Faults, open } from '../faults.ts'
import { attemptDelivery } from './attempt.ts'
import { callbackParcel } from './callback.ts'
import { type AttemptResult, type CallbackPlan, type Parcel, type PendingMessage, randomId } from './message.ts'
import { retryDelayMs } from './retry-delay.ts'
import { signDelivery } from './signature.ts'
import type { Store } from './store.ts'

/** One finished attempt. `status` is 0 where nobody answered; times are Unix milliseconds. */
export type Delivery = {
  messageId: string
  url: string
  retried: number
  status: number
  startedAt: number
  endedAt: number
}

export type Courier = ReturnType<typeof createCourier>
export type DeliveryFaults = Faults<PendingMessage, AttemptResult>

const keptDeliveries = 10_000
// Longer waits would overflow the timer; it is then set again.
const maxTimerMs = 2 ** 31 - 1

/** The destination acts, and the courier does not hear of it. */
export const loseDeliveryAnswer: DeliveryFaults['pass'] = async (_message, attempt) => {
  await attempt()
  return { status: 0, header: {}, body: Buffer.alloc(0), error: 'a fault on demand: the answer was lost' }
}

/** @param faults what happens to each attempt on its way; nothing unless told */
export function createCourier(store: Store, now: () => number, faults: DeliveryFaults = { pass: open }) {
  const timers = new Map<PendingMessage, NodeJS.Timeout>()
  const inFlight = new Map<PendingMessage, Promise<void>>()
  const deliveries: Delivery[] = []
  let stop = new AbortController()

  function arm(message: PendingMessage): void {
    clearTimeout(timers.get(message))
    if (stop.signal.aborted) return
    const waitMs = Math.min(Math.max(0, message.nextAt - now()), maxTimerMs)
    timers.set(message, setTimeout(startIfDue, waitMs, message))
  }

  function startIfDue(message: PendingMessage): void {
    timers.delete(message)
    if (message.nextAt > now()) {
      arm(message)
      return
    }
    const attempt = carry(message)
      .catch((error: unknown) => console.error(`qstash stand-in failed to carry ${message.messageId}:`, error))
      .finally(() => inFlight.delete(message))
    inFlight.set(message, attempt)
  }

  async function carry(message: PendingMessage): Promise<void> {
    const startedAt = now()
    store.record(startedAt, 'ACTIVE', message)
    const signature = signDelivery(store.keys.current, message.url, message.body, startedAt)
    const { signal } = stop
    const result = await faults.pass(message, () => attemptDelivery(message, signature, signal))
    // Cut off by our own end, nobody knows what the destination did: the message stays and is tried again next time.
    if (signal.aborted && result.status === 0) return
    const endedAt = now()
    const { messageId, url, retried } = message
    deliveries.push({ messageId, url, retried, status: result.status, startedAt, endedAt })
    if (deliveries.length > keptDeliveries) deliveries.shift()
    settle(message, result, endedAt)
    store.onChange()
  }

  function settle(message: PendingMessage, result: AttemptResult, at: number): void {
    const isCanceled = !store.messages.has(message.messageId)
    const isDelivered = result.status >= 200 && result.status <= 299
    if (isDelivered) {
      store.messages.delete(message.messageId)
      store.record(at, 'DELIVERED', message)
    } else {
      store.record(at, 'ERROR', message, { result })
      if (isCanceled) {
        store.record(at, 'CANCELED', message)
        return
      }
    }
    if (message.callback) call(message, message.callback, result, at)
    if (isDelivered) return
    if (message.retried < message.maxRetries && !isFinal(result)) retry(message, result, at)
    else fail(message, result, at)
  }

  function retry(message: PendingMessage, result: AttemptResult, at: number): void {
    const { retried, retryDelayExpression: expression } = message
    message.nextAt = at + retryDelayMs({ retried, responseHeader: result.header, expression, nowMs: at })
    message.retried += 1
    store.record(at, 'RETRY', message, { nextDeliveryTime: message.nextAt })
    arm(message)
  }

  function fail(message: PendingMessage, result: AttemptResult, at: number): void {
    store.messages.delete(message.messageId)
    store.record(at, 'FAILED', message, { result })
    const { dlqId } = store.bury(at, message, result)
    if (message.failureCallback) call(message, message.failureCallback, result, at, dlqId)
  }

  function call(source: PendingMessage, plan: CallbackPlan, result: AttemptResult, at: number, dlqId?: string): void {
    send(callbackParcel(source, plan, result, dlqId), { at, notBefore: at + plan.delayMs, callerIP: source.callerIP })
  }

  /** Takes a message at the time `at`; its first attempt is due at `notBefore`. Both are Unix milliseconds. */
  function send(parcel: Parcel, post: { at: number; notBefore: number; callerIP: string }): PendingMessage {
    const { at, notBefore, callerIP } = post
    const fresh = { messageId: randomId('msg_'), createdAt: at, notBefore, callerIP, retried: 0, nextAt: notBefore }
    const message = { ...parcel, ...fresh }
    store.messages.set(message.messageId, message)
    store.record(at, 'CREATED', message)
    store.onChange()
    arm(message)
    return message
  }

  /** No attempt starts after this; one that is on its way goes on, since its destination may have acted already. */
  function cancel(message: PendingMessage): void {
    const at = now()
    store.messages.delete(message.messageId)
    store.record(at, 'CANCEL_REQUESTED', message)
    clearTimeout(timers.get(message))
    timers.delete(message)
    if (!inFlight.has(message)) store.record(at, 'CANCELED', message)
    store.onChange()
  }

  /** Looks at the clock again and starts whatever is due: at the beginning, and for a clock that has been moved. */
  function wake(): void {
    for (const message of store.messages.values()) if (!inFlight.has(message)) arm(message)
  }

  /** As if so much time had gone by: what waits is due that much earlier. */
  function hasten(byMs: number): void {
    for (const message of store.messages.values()) if (!inFlight.has(message)) message.nextAt -= byMs
    wake()
  }

  /** Cuts off what is under way and resolves when nothing is. */
  async function close(): Promise<void> {
    stop.abort()
    for (const timer of timers.values()) clearTimeout(timer)
    timers.clear()
    await Promise.all(inFlight.values())
  }

  /** As after a crash: what was under way is cut off, and everything that is not delivered is due again. */
  async function restart(): Promise<void> {
    await close()
    stop = new AbortController()
    wake()
  }

  return { send, cancel, wake, hasten, close, restart, deliveries, underWay: () => inFlight.size }
}

/** https://upstash.com/docs/qstash/features/retry#non-retryable-error: both the status and the header are needed. */
function isFinal({ status, header }: AttemptResult): boolean {
  return status === 489 && header['Upstash-Nonretryable-Error']?.[0]?.toLowerCase() === 'true'
}
