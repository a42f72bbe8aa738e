// The one HTTP server that every stand-in stands on: loopback only, the raw request target kept as it came,
// the body read whole as bytes, one answer. What it saw of each exchange goes to `onExchange`, so that a test can
// count round trips.
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { type CallFaults, open } from './faults.ts'

/** One request as a stand-in sees it. `target` is the raw request target: `//` and `%2F` in it are untouched. */
export type StandInRequest = {
  method: string
  target: string
  headers: IncomingHttpHeaders
  body: Buffer
  /** Aborted when the client goes away before the answer is written. */
  signal: AbortSignal
}

/**
 * A string or Buffer is sent as it is; anything else as JSON. `cut` answers nothing: the connection is destroyed and the
 * exchange counts with status 0.
 */
export type StandInAnswer = { status?: number; headers?: Record<string, string>; body?: unknown; cut?: boolean }

/** What passed over the wire, for counting and timing. Times are `performance.now()` milliseconds. */
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
  /** 0 or absent takes a free port. */
  port?: number
  /** How long a request is on its way before it is handled; none unless told. */
  latencyMs?: number
  onExchange?: (exchange: Exchange) => void
  /** What happens to each call; nothing unless told. */
  faults?: CallFaults
}

export type StandInServer = { url: string; port: number; close(): Promise<void> }

/** The answer to whatever a stand-in does not speak: it refuses and says what, it never pretends. */
export function notImplemented(service: string, what: string): StandInAnswer {
  return { status: 501, body: { error: `the ${service} stand-in does not implement ${what}` } }
}

/**
 * Serves `handle` on 127.0.0.1.
 * @throws the listen error (`EADDRINUSE` …) when the port cannot be had.
 */
export async function startHttpServer(
  service: string,
  handle: (request: StandInRequest) => Promise<StandInAnswer>,
  options: StandInOptions = {},
): Promise<StandInServer> {
  const server = createServer(async (incoming, outgoing) => {
    const startedAt = performance.now()
    const gone = new AbortController()
    outgoing.on('close', () => gone.abort())
    const chunks: Buffer[] = []
    try {
      for await (const chunk of incoming) chunks.push(chunk)
    } catch {
      return // the client went away while it was still sending: there is nobody to answer
    }
    const request = {
      method: incoming.method ?? 'GET',
      target: incoming.url ?? '/',
      headers: incoming.headers,
      body: Buffer.concat(chunks),
      signal: gone.signal,
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
    const isRaw = typeof answer.body === 'string' || Buffer.isBuffer(answer.body)
    const payload = answer.body === undefined ? '' : isRaw ? answer.body : JSON.stringify(answer.body)
    outgoing.writeHead(status, { ...(isRaw ? {} : { 'content-type': 'application/json' }), ...answer.headers })
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
