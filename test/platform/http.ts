// The HTTP server of every stand-in. It listens on loopback only, keeps the raw request target, and reads the whole body as
// bytes. `onExchange` gets every exchange, so that a test can count round trips.
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { type CallFaults, open } from './faults.ts'

/** One request. `target` is the raw request target: `//` and `%2F` in it are unchanged. */
export type StandInRequest = {
  method: string
  target: string
  headers: IncomingHttpHeaders
  body: Buffer
  /** Aborted when the client disconnects before the answer is written. */
  signal: AbortSignal
}

/**
 * A string or Buffer is sent unchanged; any other body as JSON. `cut` closes the connection without an answer, and the status
 * of the exchange is 0. `stream` sends the body in parts, until the client leaves.
 */
export type StandInAnswer = {
  status?: number
  headers?: Record<string, string>
  body?: unknown
  cut?: boolean
  stream?: (send: (text: string) => void, signal: AbortSignal) => void
}

/** A request and its status, for counting and timing. Times are `performance.now()` milliseconds. */
export type Exchange = {
  service: string
  request: StandInRequest
  method: string
  target: string
  status: number
  startedAt: number
  endedAt: number
}

export type StandInOptions = {
  /** By default, and for 0, any free port. */
  port?: number
  /** The delay before a request is handled; by default none. */
  latencyMs?: number
  onExchange?: (exchange: Exchange) => void
  /** The faults to inject into each call; by default none. */
  faults?: CallFaults
}

export type StandInServer = { url: string; port: number; close(): Promise<void> }

/** The answer to what a stand-in does not implement. */
export function notImplemented(service: string, what: string): StandInAnswer {
  return { status: 501, body: { error: `the ${service} stand-in does not implement ${what}` } }
}

/**
 * How long an idle connection stays open. On a busy computer, a client that reuses one at the moment at which the server closes
 * it gets ECONNRESET; after this time, no client has kept it.
 */
const keepAliveMs = 10 * 60_000

/**
 * Serves `handle` on 127.0.0.1.
 * @throws the listen error (`EADDRINUSE` …) of the port
 */
export async function startHttpServer(
  service: string,
  handle: (request: StandInRequest) => Promise<StandInAnswer>,
  options: StandInOptions = {},
): Promise<StandInServer> {
  const server = createServer({ keepAliveTimeout: keepAliveMs }, async (incoming, outgoing) => {
    const startedAt = performance.now()
    const disconnected = new AbortController()
    outgoing.on('close', () => {
      if (!outgoing.writableFinished) disconnected.abort()
    })
    const chunks: Buffer[] = []
    try {
      for await (const chunk of incoming) chunks.push(chunk)
    } catch {
      return // the client disconnected while it was sending: there is nobody to answer
    }
    const request = {
      method: incoming.method ?? 'GET',
      target: incoming.url ?? '/',
      headers: incoming.headers,
      body: Buffer.concat(chunks),
      signal: disconnected.signal,
    }
    if (options.latencyMs) await delay(options.latencyMs)
    const pass = options.faults?.pass ?? open
    const answer = await pass(request, () => handle(request)).catch((error: unknown): StandInAnswer => {
      console.error(`${service} stand-in failed on ${request.method} ${request.target}:`, error)
      return { status: 500, body: { error: `the ${service} stand-in failed: ${String(error)}` } }
    })
    const status = answer.cut ? 0 : (answer.status ?? 200)
    options.onExchange?.({
      service,
      request,
      method: request.method,
      target: request.target,
      status,
      startedAt,
      endedAt: performance.now(),
    })
    if (answer.cut) {
      incoming.socket.destroy()
      return
    }
    if (answer.stream) {
      outgoing.writeHead(status, answer.headers)
      outgoing.flushHeaders()
      answer.stream((text) => outgoing.write(text), disconnected.signal)
      return
    }
    const isRaw = typeof answer.body === 'string' || Buffer.isBuffer(answer.body)
    const payload = answer.body === undefined ? '' : isRaw ? answer.body : JSON.stringify(answer.body)
    // Not with `writeHead`: Node would send the body in chunks, not with its length.
    outgoing.statusCode = status
    const headers = { ...(isRaw ? {} : { 'content-type': 'application/json' }), ...answer.headers }
    for (const [name, value] of Object.entries(headers)) outgoing.setHeader(name, value)
    outgoing.end(request.method === 'HEAD' ? undefined : payload)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port ?? 0, '127.0.0.1', resolve)
  })
  // A TCP server's address is an AddressInfo; only pipes answer with a string.
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
