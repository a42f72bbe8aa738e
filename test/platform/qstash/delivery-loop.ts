// The delivery loop: starts each attempt when it is due. Its result decides whether the message is delivered, retried or
// moved to the dead letter queue. A failure callback is a message like any other.
import { type Faults, open } from '../faults.ts'
import { attemptDelivery } from './attempt.ts'
import { failureCallbackMessage } from './callback.ts'
import { type AttemptResult, type NewMessage, noAnswer, type PendingMessage, randomId } from './message.ts'
import { retryDelayMs } from './retry-delay.ts'
import { signDelivery } from './signature.ts'
import type { Store } from './store.ts'

/** One finished attempt. `status` is 0 if there was no answer; times are Unix milliseconds. */
export type Delivery = {
  messageId: string
  url: string
  retried: number
  status: number
  startedAt: number
  endedAt: number
}

export type DeliveryLoop = ReturnType<typeof createDeliveryLoop>
export type DeliveryFaults = Faults<PendingMessage, AttemptResult>

const keptDeliveries = 10_000
// A longer delay overflows the timer, so it is set again.
const maxTimerMs = 2 ** 31 - 1
// The stand-in listens on the loopback interface only, so every publisher is this machine.
const callerIP = '127.0.0.1'

/** The destination acts, and QStash does not get its answer. */
export const loseDeliveryAnswer: DeliveryFaults['pass'] = async (_message, attempt) => {
  await attempt()
  return noAnswer
}

/** @param faults the faults to inject into each attempt; by default none */
export function createDeliveryLoop(store: Store, now: () => number, faults: DeliveryFaults = { pass: open }) {
  const timers = new Map<PendingMessage, NodeJS.Timeout>()
  const inFlight = new Map<PendingMessage, Promise<void>>()
  const deliveries: Delivery[] = []
  let stop = new AbortController()

  function schedule(message: PendingMessage): void {
    clearTimeout(timers.get(message))
    if (stop.signal.aborted) return
    const waitMs = Math.min(Math.max(0, message.nextAt - now()), maxTimerMs)
    timers.set(message, setTimeout(startIfDue, waitMs, message))
  }

  function startIfDue(message: PendingMessage): void {
    timers.delete(message)
    if (message.nextAt > now()) {
      schedule(message)
      return
    }
    const attempt = deliver(message)
      .catch((error: unknown) => console.error(`qstash stand-in failed to deliver ${message.messageId}:`, error))
      .finally(() => inFlight.delete(message))
    inFlight.set(message, attempt)
  }

  async function deliver(message: PendingMessage): Promise<void> {
    const startedAt = now()
    const signature = signDelivery(store.keys.current, message.url, message.body, startedAt)
    const { signal } = stop
    const result = await faults.pass(message, () => attemptDelivery(message, signature, signal))
    // `close` has aborted the attempt: its outcome is unknown, so the message stays and is sent again after a restart.
    if (signal.aborted && result.status === 0) return
    const endedAt = now()
    const { messageId, url, retried } = message
    deliveries.push({ messageId, url, retried, status: result.status, startedAt, endedAt })
    if (deliveries.length > keptDeliveries) deliveries.shift()
    if (result.status >= 200 && result.status <= 299) store.messages.delete(messageId)
    else if (retried < message.maxRetries && !isFinal(result)) retry(message, result, endedAt)
    else fail(message, result, endedAt)
    store.onChange()
  }

  function retry(message: PendingMessage, result: AttemptResult, at: number): void {
    const { retried, retryDelayExpression: expression } = message
    message.nextAt = at + retryDelayMs({ retried, responseHeader: result.header, expression, nowMs: at })
    message.retried += 1
    schedule(message)
  }

  function fail(message: PendingMessage, result: AttemptResult, at: number): void {
    store.messages.delete(message.messageId)
    const letter = store.addDeadLetter(at, message, result)
    if (message.failureCallback) send(failureCallbackMessage(message.failureCallback, letter), at, at)
  }

  /** Accepts a message at the time `at`; its first attempt is due at `notBefore`. Both are Unix milliseconds. */
  function send(published: NewMessage, at: number, notBefore: number): PendingMessage {
    const fresh = { messageId: randomId('msg_'), createdAt: at, notBefore, callerIP, retried: 0, nextAt: notBefore }
    const message = { ...published, ...fresh }
    store.messages.set(message.messageId, message)
    store.onChange()
    schedule(message)
    return message
  }

  /** Schedules every message that is not in flight. */
  function start(): void {
    for (const message of store.messages.values()) if (!inFlight.has(message)) schedule(message)
  }

  /** Moves every attempt that is not due yet forward by that time. */
  function advance(byMs: number): void {
    for (const message of store.messages.values()) if (!inFlight.has(message)) message.nextAt -= byMs
    start()
  }

  /** Aborts the attempts in flight, and resolves when they have ended. */
  async function close(): Promise<void> {
    stop.abort()
    for (const timer of timers.values()) clearTimeout(timer)
    timers.clear()
    await Promise.all(inFlight.values())
  }

  /** As after a crash: aborts the attempts in flight; their messages are due again. */
  async function restart(): Promise<void> {
    await close()
    stop = new AbortController()
    start()
  }

  return { send, start, advance, close, restart, deliveries, inFlightCount: () => inFlight.size }
}

/** https://upstash.com/docs/qstash/features/retry#non-retryable-error: both the status and the header are needed. */
function isFinal({ status, header }: AttemptResult): boolean {
  return status === 489 && header['Upstash-Nonretryable-Error']?.[0]?.toLowerCase() === 'true'
}
