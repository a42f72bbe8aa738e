// The clients: a number of connections, each of which sends its next request when the last one is answered. They run in
// their own thread and on plain sockets, so that they cost less than the measured server.
import { connect, type Socket } from 'node:net'
import { parentPort } from 'node:worker_threads'

export type Shot = { method: string; path: string; token?: string; body?: string }

export type Salvo = {
  port: number
  connections: number
  /** No request starts after this time. */
  durationMs: number
  /** Sent in sequence, then from the beginning again. */
  shots: Shot[]
  /** No request starts after so many. */
  maxRequests?: number
  expectedStatus: number
}

export type Outcome = {
  latenciesMs: number[]
  elapsedMs: number
  /** Number of answers with another status, and the first of them. */
  unexpected: { count: number; first?: string }
  /** The body of the last answer of each connection. */
  lastBodies: string[]
}

function write({ method, path, token, body }: Shot, port: number): string {
  const lines = [`${method} ${path} HTTP/1.1`, `Host: 127.0.0.1:${port}`, 'Accept: application/json']
  if (token !== undefined) lines.push(`Authorization: Bearer ${token}`)
  if (body !== undefined) lines.push('Content-Type: application/json', `Content-Length: ${Buffer.byteLength(body)}`)
  return `${lines.join('\r\n')}\r\n\r\n${body ?? ''}`
}

/** The status and the body of a complete answer; undefined while it is incomplete. */
function readAnswer(text: string): { status: number; body: string } | undefined {
  const end = text.indexOf('\r\n\r\n')
  if (end === -1) return undefined
  const head = text.slice(0, end)
  const status = Number(head.slice(9, 12))
  const length = /^content-length: *(\d+)/im.exec(head)?.[1]
  const body = text.slice(end + 4)
  if (length !== undefined) return body.length < Number(length) ? undefined : { status, body }
  if (/^transfer-encoding: *chunked/im.test(head)) return body.endsWith('0\r\n\r\n') ? { status, body } : undefined
  return { status, body }
}

async function fire({ port, connections, durationMs, shots, maxRequests, expectedStatus }: Salvo): Promise<Outcome> {
  const outcome: Outcome = { latenciesMs: [], elapsedMs: 0, unexpected: { count: 0 }, lastBodies: [] }
  const sockets = await Promise.all(Array.from({ length: connections }, () => open(port)))
  const texts = shots.map((shot) => write(shot, port))
  const end = maxRequests ?? Number.POSITIVE_INFINITY
  let next = 0
  const beganAt = performance.now()
  await Promise.all(
    sockets.map(async (socket, index) => {
      while (performance.now() - beganAt < durationMs && next < end) {
        const sentAt = performance.now()
        const { status, body } = await ask(socket, texts[next++ % texts.length] ?? '')
        outcome.latenciesMs.push(performance.now() - sentAt)
        outcome.lastBodies[index] = body
        if (status === expectedStatus) continue
        outcome.unexpected.count += 1
        outcome.unexpected.first ??= `${status} ${body}`
      }
    }),
  )
  outcome.elapsedMs = performance.now() - beganAt
  for (const socket of sockets) socket.destroy()
  return outcome
}

function open(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => resolve(socket))
    socket.setEncoding('latin1') // a character is a byte, as Content-Length counts
    socket.once('error', reject)
  })
}

function ask(socket: Socket, request: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    let received = ''
    const settle = (end: () => void) => {
      socket.off('data', take).off('close', lose)
      end()
    }
    const lose = () => settle(() => reject(new Error('the connection was closed')))
    const take = (chunk: string) => {
      received += chunk
      const answer = readAnswer(received)
      if (answer) settle(() => resolve(answer))
    }
    socket.on('data', take).on('close', lose)
    socket.write(request)
  })
}

parentPort?.on('message', async (salvo: Salvo) => {
  parentPort?.postMessage(await fire(salvo).catch((error: unknown) => ({ failure: String(error) })))
})
