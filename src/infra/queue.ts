// QStash as a queue: it delivers a small message to one of our own callbacks, with retries.
import { Client } from '@upstash/qstash'
import { describeError } from '../kernel/log.ts'
import type { Trace } from '../kernel/trace.ts'

const deadlineMs = 2_000

export type QueueMessage = {
  url: string
  failureUrl: string
  body: unknown
  /** The delay before the first attempt. 0: no delay. */
  delaySeconds: number
  /** Attempts after the first. */
  retries: number
  /** A QStash expression for the delay in milliseconds. `retried` counts from 0. */
  retryDelay: string
  /** How long QStash waits for our answer. */
  timeoutSeconds: number
  deduplicationId: string
  label: string
}

export type Queue = {
  /** Publishes messages in one round trip. Never throws. @returns for each message whether QStash accepted it */
  publish(messages: QueueMessage[]): Promise<boolean[]>
  /** Throws if QStash does not answer. For the readiness check. */
  ping(): Promise<void>
}

export function openQueue(baseUrl: string, token: string): (trace: Trace) => Queue {
  const client = new Client({
    baseUrl,
    token,
    retry: false,
    enableTelemetry: false,
    devMode: false,
  })
  async function send(requests: ReturnType<typeof toRequest>[]) {
    const [only, ...others] = requests
    return only && others.length === 0 ? [await client.publishJSON(only)] : client.batchJSON(requests)
  }

  return (trace) => ({
    async publish(messages) {
      if (messages.length === 0) return []
      try {
        const answers = await trace.measure('qstash', () => withDeadline(send(messages.map(toRequest))))
        return messages.map((_, index) => {
          const answer = answers[index]
          return answer !== undefined && 'messageId' in answer
        })
      } catch (error) {
        trace.log('error', { upstream: 'qstash', ...describeError(error) })
        return messages.map(() => false)
      }
    },
    async ping() {
      await trace.measure('qstash', () => withDeadline(client.http.request({ method: 'GET', path: ['v2', 'keys'] })))
    },
  })
}

/** A message in the form of QStash's client. */
export function toRequest(message: QueueMessage) {
  return {
    url: message.url,
    body: message.body,
    failureCallback: message.failureUrl,
    ...(message.delaySeconds > 0 && { delay: message.delaySeconds }),
    retries: message.retries,
    retryDelay: message.retryDelay,
    timeout: message.timeoutSeconds,
    deduplicationId: message.deduplicationId,
    label: message.label,
  }
}

/** The SDK does not accept a signal. A late answer is ignored; the sweep publishes the jobs again. */
async function withDeadline<Result>(call: Promise<Result>): Promise<Result> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`QStash did not answer within ${deadlineMs} ms`)), deadlineMs)
  })
  try {
    return await Promise.race([call, timeout])
  } finally {
    clearTimeout(timer)
  }
}
