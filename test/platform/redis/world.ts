// A Redis stand-in for one test, with the vendor's client and a plain HTTP client. The tests run on the in-process Redis
// and, if LOCAL_REDIS_URL is set, on a real server: both have to give the same answers.
import { Redis } from '@upstash/redis'
import { onTestFinished } from 'vitest'
import { type RedisStandIn, type RedisStandInOptions, startRedis } from '../redis.ts'

const { LOCAL_REDIS_URL: serverUrl } = process.env

/** The backends to run a test in, for `describe.each`. */
export const backends: { backend: string; options: RedisStandInOptions }[] = [
  { backend: 'an in-process Redis', options: {} },
  ...(serverUrl ? [{ backend: 'a real server', options: { serverUrl } }] : []),
]

export type WireAnswer = { status: number; headers: Headers; text: string; json: unknown }

export type RedisWorld = {
  standIn: RedisStandIn
  /** The vendor's client with its defaults: automatic pipelines, answers in base64. */
  redis: Redis
  /** A request with the token; `body` is sent as JSON unless it is text or bytes. */
  send(path: string, init?: { method?: string; headers?: Record<string, string>; body?: unknown }): Promise<WireAnswer>
}

/** Starts a stand-in, which closes when the test ends. */
export async function openRedis(options: RedisStandInOptions): Promise<RedisWorld> {
  const standIn = await startRedis(options)
  onTestFinished(() => standIn.close())
  const { url, token } = standIn
  const redis = new Redis({ url, token, retry: false, enableTelemetry: false })
  return { standIn, redis, send: (path, init = {}) => sendTo(standIn, path, init) }
}

async function sendTo(
  { url, token }: RedisStandIn,
  path: string,
  { method, headers, body }: { method?: string; headers?: Record<string, string>; body?: unknown },
): Promise<WireAnswer> {
  const isRaw = body === undefined || typeof body === 'string' || body instanceof Uint8Array
  const payload = isRaw ? body : JSON.stringify(body)
  const response = await fetch(`${url}${path}`, {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    headers: { authorization: `Bearer ${token}`, ...headers },
    ...(payload === undefined ? {} : { body: payload }),
  })
  const text = await response.text()
  const isJson = text !== '' && response.headers.get('content-type') === 'application/json'
  return { status: response.status, headers: response.headers, text, json: isJson ? JSON.parse(text) : undefined }
}
