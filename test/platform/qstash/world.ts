// The environment of a test of the QStash stand-in: the stand-in, the vendor's client, and a destination that records
// requests and answers as configured.
import { Client } from '@upstash/qstash'
import { onTestFinished } from 'vitest'
import { type StandInAnswer, type StandInRequest, startHttpServer } from '../http.ts'
import { type QStashStandInOptions, startQStash } from '../qstash.ts'

export type Destination = {
  url: string
  /** The requests so far, oldest first. */
  received: StandInRequest[]
  /** The answer to the next requests; by default 200. */
  answer: (request: StandInRequest) => StandInAnswer | Promise<StandInAnswer>
}

export async function startWorld(options: QStashStandInOptions = {}) {
  const destination = await startDestination()
  const qstash = await startQStash(options)
  onTestFinished(() => qstash.close())
  return { destination, qstash, client: clientOf(qstash), call: callerOf(qstash) }
}

/** The SDK without its own retries, which would hide the stand-in's answers. */
export function clientOf({ url, token }: { url: string; token: string }): Client {
  return new Client({ baseUrl: url, token, retry: false, devMode: false })
}

export async function startDestination(): Promise<Destination> {
  const received: StandInRequest[] = []
  const server = await startHttpServer('destination', async (request) => {
    received.push(request)
    return destination.answer(request)
  })
  onTestFinished(() => server.close())
  const destination: Destination = { url: server.url, received, answer: () => ({ body: 'done' }) }
  return destination
}

export const signatureOf = (request: StandInRequest): string => String(request.headers['upstash-signature'])

/** A plain request with the token, for what the SDK cannot send. `path` is sent unchanged. */
function callerOf({ url, token }: { url: string; token: string }) {
  return async (method: string, path: string, init: RequestInit = {}) => {
    const headers = new Headers(init.headers)
    if (!headers.has('authorization')) headers.set('authorization', `Bearer ${token}`)
    const response = await fetch(`${url}${path}`, { ...init, method, headers })
    const text = await response.text()
    // Tests read any member; a missing one is undefined.
    const body = JSON.parse(text) as Record<string, unknown>
    return { status: response.status, headers: response.headers, body }
  }
}

/** Waits until `find` finds something, and answers it. @throws Error naming `what` after two minutes without. */
export async function eventually<Found>(
  what: string,
  find: () => Found | undefined | false | Promise<Found | undefined | false>,
): Promise<Found> {
  const deadline = performance.now() + 120_000
  for (;;) {
    const found = await find()
    if (found !== undefined && found !== false) return found
    if (performance.now() > deadline) throw new Error(`not within 5 s: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** Waits until the message is in the dead letter queue, and returns its entry. */
export function deadLetterOf(client: Client, messageId: string) {
  return eventually(`the dead letter of ${messageId}`, async () => {
    const { messages } = await client.dlq.listMessages()
    return messages.find((letter) => letter.messageId === messageId)
  })
}
