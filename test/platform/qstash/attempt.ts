// One attempt to deliver one message: the request to the destination, and its result.
// https://upstash.com/docs/qstash/howto/receiving
import { type IncomingMessage, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { type AttemptResult, canonicalName, type HeaderMap, noAnswer, type PendingMessage } from './message.ts'

// The longest that a plan allows by default.
const defaultTimeoutMs = 900_000
const maxTimerMs = 2 ** 31 - 1
const keptResponseBytes = 1_048_576

// Headers of the connection and of the framing: a forwarded one must not replace the real one.
const framing = [
  'Connection',
  'Content-Length',
  'Expect',
  'Host',
  'Keep-Alive',
  'Te',
  'Trailer',
  'Transfer-Encoding',
  'Upgrade',
]

/**
 * Sends the message once. It does not follow redirects. Without an answer, and when `stop` is aborted, the status is 0.
 */
export async function attemptDelivery(
  message: PendingMessage,
  signature: string,
  stop: AbortSignal,
): Promise<AttemptResult> {
  const timeoutMs = Math.min(message.timeoutMs ?? defaultTimeoutMs, maxTimerMs)
  const ended = new AbortController()
  const end = () => ended.abort()
  const timer = setTimeout(end, timeoutMs)
  stop.addEventListener('abort', end)
  try {
    const response = await send(message, signature, ended.signal)
    const body = await readBody(response)
    return { status: response.statusCode ?? 0, header: headerMap(response.rawHeaders), body }
  } catch {
    return noAnswer
  } finally {
    clearTimeout(timer)
    stop.removeEventListener('abort', end)
  }
}

function send(message: PendingMessage, signature: string, signal: AbortSignal): Promise<IncomingMessage> {
  const { protocol, hostname, port } = new URL(message.url)
  const request = protocol === 'https:' ? requestHttps : requestHttp
  return new Promise((resolve, reject) => {
    const outgoing = request({
      hostname: hostname.replace(/^\[(.*)\]$/, '$1'),
      port,
      path: requestTarget(message.url),
      method: message.method,
      headers: requestHeaders(message, signature),
      // Connections are not reused: one that the destination has just closed would look like a failed attempt.
      agent: false,
      signal,
    })
    outgoing.on('error', reject)
    outgoing.on('response', resolve)
    outgoing.end(message.body)
  })
}

function requestHeaders(message: PendingMessage, signature: string): Record<string, string> {
  const forwarded = Object.entries(message.header).filter(([name]) => !framing.includes(name))
  const hasLength = message.body.length > 0 || !['GET', 'DELETE'].includes(message.method)
  return {
    ...Object.fromEntries(forwarded.map(([name, values]) => [name, values.join(', ')])),
    'User-Agent': 'Upstash-QStash',
    'Upstash-Signature': signature,
    'Upstash-Message-Id': message.messageId,
    'Upstash-Retried': String(message.retried),
    'Upstash-Caller-Ip': message.callerIP,
    ...(hasLength ? { 'Content-Length': String(message.body.length) } : {}),
  }
}

/** Path and query exactly as published: the URL parser would normalise them. */
function requestTarget(url: string): string {
  const target = url.replace(/^https?:\/\/[^/?#]*/i, '').replace(/#.*$/s, '')
  const path = target.startsWith('/') ? target : `/${target}`
  return path.replace(/[^\x21-\x7e]+/g, encodeURIComponent)
}

/** The part of the body that QStash keeps. The rest is read and ignored. */
async function readBody(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of response) {
    if (length < keptResponseBytes) chunks.push(chunk)
    length += chunk.length
  }
  return Buffer.concat(chunks).subarray(0, keptResponseBytes)
}

function headerMap(rawHeaders: string[]): HeaderMap {
  const header: HeaderMap = {}
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = canonicalName(rawHeaders[i] ?? '')
    header[name] = [...(header[name] ?? []), rawHeaders[i + 1] ?? '']
  }
  return header
}
