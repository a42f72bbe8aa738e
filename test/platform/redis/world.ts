// A Redis stand-in for one test, with the vendor's client and plain HTTP to talk to it. The tests run on the Redis in
// this process and, where LOCAL_REDIS_URL names one, on a real server: both have to answer the same.
import { Redis } from '@upstash/redis'
import { onTestFinished } from 'vitest'
import { type RedisStandIn, type RedisStandInOptions, startRedis } from '../redis.ts'

const { LOCAL_REDIS_URL: serverUrl } = process.env

/** The places to run a test in, for `describe.each`. */
export const places: { place: string; options: RedisStandInOptions }[] = [
  { place: 'in this process', options: {} },
  ...(serverUrl ? [{ place: 'on a real server', options: { serverUrl } }] : []),
]

export type WireAnswer = { status: number; headers: Headers; text: string; json: unknown }

export type RedisWorld = {
  standIn: RedisStandIn
  /** The vendor's client, as an application has it: pipelines by itself, answers in base64. */
  redis: Redis
  /** A request with the token; `body` is sent as JSON unless it is text or bytes. */
  send(path: string, init?: { method?: string; headers?: Record<string, string>; body?: unknown }): Promise<WireAnswer>
}

/** A stand-in of the test's own, closed when the test ends. */
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
