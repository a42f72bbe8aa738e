// Reads a publish request: the destination, and the Upstash-* headers with the delivery settings.
// https://upstash.com/docs/qstash/api-reference/messages/publish-a-message
import { validateHeaderName, validateHeaderValue } from 'node:http'
import { parseDelayExpression } from './expression.ts'
import { canonicalName, type HeaderMap, type NewMessage } from './message.ts'
import { refuse, refuseUnimplemented } from './refusal.ts'
import { type DurationUnit, parseDurationMs } from './retry-delay.ts'

/** Header names in lower case. */
export type PublishHeaders = Record<string, string>

export type Publication = {
  message: NewMessage
  /** Unix milliseconds. */
  notBefore: number
  deduplicationId: string | undefined
}

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']
const defaultMaxRetries = 3
const durationUnits: DurationUnit[] = ['d', 'h', 'm', 's']
const forwardPrefix = 'upstash-forward-'
/** The SDKs send `telemetry-*`; it has no effect. */
const knownHeaders =
  /^upstash-(method|delay|timeout|retries|retry-delay|failure-callback|deduplication-id|label|forward-.+|telemetry-.+)$/

/** @throws Refusal 400 for an invalid header, 501 for one that is not implemented */
export function readPublication(
  destination: string,
  headers: PublishHeaders,
  body: Buffer,
  nowMs: number,
): Publication {
  for (const [name, value] of Object.entries(headers)) {
    if (!name.startsWith('upstash-')) continue
    if (!knownHeaders.test(name)) throw refuseUnimplemented(`the header ${canonicalName(name)}`)
    checkHeader(name, value)
  }
  const failureCallback = headers['upstash-failure-callback']
  const labels = headers['upstash-label']?.split(',').map((label) => label.trim()) ?? []
  const message: NewMessage = {
    url: checkDestination(destination),
    method: readMethod(headers),
    header: readForwardedHeader(headers),
    body,
    maxRetries: readInteger(headers, 'upstash-retries') ?? defaultMaxRetries,
    timeoutMs: readDuration(headers, 'upstash-timeout'),
    retryDelayExpression: readExpression(headers, 'upstash-retry-delay'),
    failureCallback: failureCallback ? checkCallback(failureCallback) : undefined,
    labels: labels.filter((label) => label !== ''),
  }
  return {
    message,
    notBefore: nowMs + (readDuration(headers, 'upstash-delay') ?? 0),
    deduplicationId: headers['upstash-deduplication-id'] || undefined,
  }
}

/** Returns the text unchanged. @throws Refusal unless it is an http(s) URL */
function checkDestination(text: string): string {
  if (/^api\//.test(text)) throw refuseUnimplemented(`the destination ${text}`)
  if (/^[\w.-]+$/.test(text)) throw refuseUnimplemented('URL groups')
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text) || !text.isWellFormed()) {
    throw refuse(400, `invalid destination url: "${text}": it must be a URL that starts with http:// or https://`)
  }
  const { username, password } = new URL(text)
  if (username !== '' || password !== '') throw refuseUnimplemented('user information in a destination')
  return text
}

function checkCallback(text: string): string {
  if (!/^https?:\/\//i.test(text)) throw invalid('upstash-failure-callback', text)
  return checkDestination(text)
}

function readMethod(headers: PublishHeaders): string {
  const method = headers['upstash-method']?.toUpperCase() || 'POST'
  if (!methods.includes(method)) throw invalid('upstash-method', method)
  return method
}

function readForwardedHeader(headers: PublishHeaders): HeaderMap {
  const forwarded = Object.entries(headers).filter(([name]) => name.startsWith(forwardPrefix))
  const header: HeaderMap = Object.fromEntries(
    forwarded.map(([name, value]) => [canonicalName(name.slice(forwardPrefix.length)), [value]]),
  )
  const contentType = headers['content-type']
  if (contentType) {
    checkHeader('content-type', contentType)
    header['Content-Type'] ??= [contentType]
  }
  return header
}

function readDuration(headers: PublishHeaders, name: string): number | undefined {
  const text = headers[name]
  if (!text) return undefined
  const durationMs = parseDurationMs(text, durationUnits)
  if (durationMs === undefined) throw invalid(name, text)
  return Math.round(durationMs)
}

function readInteger(headers: PublishHeaders, name: string): number | undefined {
  const text = headers[name]
  if (!text) return undefined
  if (!/^\d{1,12}$/.test(text)) throw invalid(name, text)
  return Number(text)
}

function readExpression(headers: PublishHeaders, name: string): string | undefined {
  const text = headers[name]
  if (!text) return undefined
  try {
    parseDelayExpression(text)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw refuse(400, `invalid ${canonicalName(name)} header "${text}": ${error.message}`)
  }
  return text
}

// The headers of a batch are JSON, which allows names and values that HTTP does not.
function checkHeader(name: string, value: string): void {
  try {
    validateHeaderName(name.replace(forwardPrefix, ''))
    validateHeaderValue(name, value)
  } catch {
    throw invalid(name, value)
  }
}

function invalid(name: string, value: string) {
  return refuse(400, `invalid ${canonicalName(name)} header: "${value}"`)
}
