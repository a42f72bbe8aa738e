// Reads a publish request: the destination and the Upstash-* headers that say how it is to be delivered.
// https://upstash.com/docs/qstash/api-reference/messages/publish-a-message
import { createHash } from 'node:crypto'
import { validateHeaderName, validateHeaderValue } from 'node:http'
import { parseDelayExpression } from './expression.ts'
import { type CallbackPlan, canonicalName, type HeaderMap, type Parcel } from './message.ts'
import { refuse, refuseUnspoken } from './refusal.ts'
import { type DurationUnit, parseDurationMs } from './retry-delay.ts'

/** Header names in lower case. */
export type PublishHeaders = Record<string, string>

export type Publication = {
  parcel: Parcel
  /** Unix milliseconds. */
  notBefore: number
  /** Two publications with the same key within the window are one. */
  deduplicationKey: string | undefined
}

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']
const defaultMaxRetries = 3
const delayUnits: DurationUnit[] = ['d', 'h', 'm', 's']
const deliverySettings = ['method', 'delay', 'timeout', 'retries', 'retry-delay', 'forward-*']
const knownHeaders = new RegExp(
  `^upstash-(${[
    ...deliverySettings,
    ...deliverySettings.map((name) => `(failure-)?callback-${name}`),
    '(failure-)?callback',
    'not-before',
    'deduplication-id',
    'content-based-deduplication',
    'label',
    'telemetry-*', // what the SDKs say about themselves; it decides nothing
  ]
    .join('|')
    .replaceAll('-*', '-.+')})$`,
)

/** @throws Refusal 400 on a header that cannot be read, 501 on one that is not spoken here. */
export function readPublication(
  destination: string,
  headers: PublishHeaders,
  body: Buffer,
  nowMs: number,
): Publication {
  const header = forwardedHeader(headers, 'upstash-')
  const contentType = headers['content-type']
  if (contentType) {
    checkHeader('content-type', contentType)
    header['Content-Type'] ??= [contentType]
  }
  const blank: Parcel = {
    url: checkDestination(destination),
    method: 'POST',
    header,
    body,
    maxRetries: defaultMaxRetries,
    labels: [],
  }
  const { parcel, notBefore } = overrideParcel(blank, headers, nowMs)
  return {
    parcel,
    notBefore,
    deduplicationKey: readDeduplicationKey(parcel, headers),
  }
}

/**
 * The parcel with everything replaced that `headers` speak of: so a dead letter is retried.
 * @throws Refusal as `readPublication`.
 */
export function overrideParcel(parcel: Parcel, headers: PublishHeaders, nowMs: number) {
  for (const [name, value] of Object.entries(headers)) {
    if (!name.startsWith('upstash-')) continue
    if (!knownHeaders.test(name)) throw refuseUnspoken(`the header ${canonicalName(name)}`)
    checkHeader(name, value)
  }
  const { delayMs, ...settings } = readSettings(headers, 'upstash-')
  const notBeforeSeconds = readInteger(headers, 'upstash-not-before')
  const labels = headers['upstash-label']?.split(',').map((label) => label.trim())
  const replaced: Parcel = {
    ...parcel,
    header: { ...parcel.header, ...forwardedHeader(headers, 'upstash-') },
    method: settings.method ?? parcel.method,
    maxRetries: settings.maxRetries ?? parcel.maxRetries,
    timeoutMs: settings.timeoutMs ?? parcel.timeoutMs,
    retryDelayExpression: settings.retryDelayExpression ?? parcel.retryDelayExpression,
    callback: readCallback(headers, 'upstash-callback') ?? parcel.callback,
    failureCallback: readCallback(headers, 'upstash-failure-callback') ?? parcel.failureCallback,
    labels: labels?.filter((label) => label !== '') ?? parcel.labels,
  }
  const notBefore = notBeforeSeconds === undefined ? nowMs + (delayMs ?? 0) : notBeforeSeconds * 1_000
  return { parcel: replaced, notBefore }
}

/** @throws Refusal unless `text` is an http(s) URL, which stays exactly as it is. */
function checkDestination(text: string): string {
  if (/^api\//.test(text)) throw refuseUnspoken(`the destination ${text}`)
  if (/^[\w.-]+$/.test(text)) throw refuseUnspoken('URL groups')
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text) || !text.isWellFormed()) {
    throw refuse(400, `invalid destination url: "${text}": it must be a URL that starts with http:// or https://`)
  }
  const { username, password } = new URL(text)
  if (username !== '' || password !== '') throw refuseUnspoken('user information in a destination')
  return text
}

function readSettings(headers: PublishHeaders, prefix: string) {
  const method = headers[`${prefix}method`]?.toUpperCase()
  if (method && !methods.includes(method)) throw invalid(`${prefix}method`, method)
  return {
    method: method || undefined,
    delayMs: readDuration(headers, `${prefix}delay`),
    timeoutMs: readDuration(headers, `${prefix}timeout`),
    maxRetries: readInteger(headers, `${prefix}retries`),
    retryDelayExpression: readExpression(headers, `${prefix}retry-delay`),
  }
}

function readCallback(headers: PublishHeaders, name: string): CallbackPlan | undefined {
  const { method, delayMs, ...settings } = readSettings(headers, `${name}-`)
  const url = headers[name]
  if (!url) return undefined
  if (!/^https?:\/\//i.test(url)) throw invalid(name, url)
  return {
    url: checkDestination(url),
    method: method ?? 'POST',
    header: {
      'Content-Type': ['application/json'],
      ...forwardedHeader(headers, `${name}-`),
    },
    delayMs: delayMs ?? 0,
    ...settings,
  }
}

function forwardedHeader(headers: PublishHeaders, prefix: string): HeaderMap {
  const start = `${prefix}forward-`
  const forwarded = Object.entries(headers).filter(([name]) => name.startsWith(start))
  return Object.fromEntries(forwarded.map(([name, value]) => [canonicalName(name.slice(start.length)), [value]]))
}

function readDeduplicationKey(parcel: Parcel, headers: PublishHeaders): string | undefined {
  const id = headers['upstash-deduplication-id']
  if (id) return `id:${id}`
  const isByContent = headers['upstash-content-based-deduplication'] || 'false'
  if (isByContent === 'false') return undefined
  if (isByContent !== 'true') throw invalid('upstash-content-based-deduplication', isByContent)
  const header = Object.entries(parcel.header).sort(([a], [b]) => (a < b ? -1 : 1))
  const content = JSON.stringify([parcel.url, header, parcel.body.toString('base64')])
  return `content:${createHash('sha256').update(content).digest('hex')}`
}

function readDuration(headers: PublishHeaders, name: string): number | undefined {
  const text = headers[name]
  if (!text) return undefined
  const durationMs = parseDurationMs(text, delayUnits)
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

// A batch carries headers as JSON, where anything is possible that HTTP would not have let through.
function checkHeader(name: string, value: string): void {
  try {
    validateHeaderName(name.replace(/^upstash-((failure-)?callback-)?forward-/, ''))
    validateHeaderValue(name, value)
  } catch {
    throw invalid(name, value)
  }
}

function invalid(name: string, value: string) {
  return refuse(400, `invalid ${canonicalName(name)} header: "${value}"`)
}
