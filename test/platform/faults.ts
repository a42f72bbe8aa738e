// Faults that tests and the control port inject into calls to a stand-in and into deliveries of QStash. By default there are
// none.
import { setTimeout as delay } from 'node:timers/promises'
import type { StandInAnswer, StandInRequest } from './http.ts'

/** What happens to one call; `forward` carries it on and gives its answer. */
export type Interceptor<Call, Answer> = (call: Call, forward: () => Promise<Answer>) => Promise<Answer>

/** What happens to each call from now on; open until told otherwise. */
export type Faults<Call, Answer> = { pass: Interceptor<Call, Answer> }
export type CallFaults = Faults<StandInRequest, StandInAnswer>
export type CallInterceptor = Interceptor<StandInRequest, StandInAnswer>

export const open = <Answer>(_call: unknown, forward: () => Promise<Answer>): Promise<Answer> => forward()

/** The upstream never sees the call. */
export const shut: CallInterceptor = async () => ({ cut: true })
/** Nothing is done and nothing answered for as long as the caller waits. */
export const hang: CallInterceptor = ({ signal }) =>
  new Promise((resolve) => {
    if (signal.aborted) resolve({ cut: true })
    signal.addEventListener('abort', () => resolve({ cut: true }))
  })
/** The upstream does what it was asked, but its answer is lost. */
export const loseAnswer: CallInterceptor = async (_call, forward) => {
  await forward()
  return { cut: true }
}
/** The upstream does nothing and says that it failed. */
export function fail(status = 500): CallInterceptor {
  return async () => ({ status, body: { error: 'a fault on demand', message: 'a fault on demand' } })
}
/** The call arrives late. */
export function slow(delayMs: number) {
  return async <Answer>(_call: unknown, forward: () => Promise<Answer>): Promise<Answer> => {
    await delay(delayMs)
    return forward()
  }
}
/** The upstream acts at once; the answer is late. */
export function answerLate(delayMs: number) {
  return async <Answer>(_call: unknown, forward: () => Promise<Answer>): Promise<Answer> => {
    const answer = await forward()
    await delay(delayMs)
    return answer
  }
}
/** The call arrives twice at the same time; the caller gets one answer. */
export const twice = async <Answer>(_call: unknown, forward: () => Promise<Answer>): Promise<Answer> => {
  const [answer] = await Promise.all([forward(), forward()])
  return answer
}

/** Every first call waits until the second one has been answered, or for `longestMs`. */
export function outOfOrder(longestMs = 5_000) {
  let overtaken: (() => void) | undefined
  return async <Answer>(_call: unknown, forward: () => Promise<Answer>): Promise<Answer> => {
    if (overtaken) {
      const goOn = overtaken
      overtaken = undefined
      return forward().finally(goOn)
    }
    const waiting = new AbortController()
    overtaken = () => waiting.abort()
    await delay(longestMs, undefined, { signal: waiting.signal }).catch(() => {})
    overtaken = undefined
    return forward()
  }
}

/** Applies to the next `count` calls that fit. All others are forwarded. */
export function only<Call, Answer>(
  interceptor: Interceptor<Call, Answer>,
  {
    count = Number.POSITIVE_INFINITY,
    fits = () => true,
  }: { count?: number | undefined; fits?: (call: Call) => boolean },
): Interceptor<Call, Answer> {
  let left = count
  return (call, forward) => {
    if (left <= 0 || !fits(call)) return forward()
    left -= 1
    return interceptor(call, forward)
  }
}

/** QStash accepts every message and delivers none. */
export const keepMessages: CallInterceptor = async ({ target, body }) => {
  if (target !== '/v2/batch') return { body: { messageId: 'msg_kept' } }
  const batch: unknown[] = JSON.parse(body.toString())
  return { body: batch.map(() => ({ messageId: 'msg_kept' })) }
}
