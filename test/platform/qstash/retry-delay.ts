// The delay before the next attempt: the one in the response, else the message's own expression, else the default backoff. https://upstash.com/docs/qstash/features/retry
import { parseDelayExpression } from './expression.ts'
import type { HeaderMap } from './message.ts'

const maxDelayMs = 86_400_000

const unitMs = {
  d: 86_400_000,
  h: 3_600_000,
  m: 60_000,
  s: 1_000,
  ms: 1,
  us: 1e-3,
  µs: 1e-3,
  ns: 1e-6,
}

export type DurationUnit = keyof typeof unitMs

// In the order of the documentation, which does not say which one takes precedence.
const delayHeaders = ['Retry-After', 'X-Ratelimit-Reset', 'X-Ratelimit-Reset-Requests', 'X-Ratelimit-Reset-Tokens']

/** Milliseconds of `1d10h30m`, `6m5s`, `1.5s` …, or undefined if the text is not a sum of values in `units`. */
export function parseDurationMs(text: string, units: readonly DurationUnit[]): number | undefined {
  const part = String.raw`(\d+(?:\.\d+)?)(${[...units].sort((a, b) => b.length - a.length).join('|')})`
  if (!new RegExp(`^(?:${part})+$`).test(text)) return undefined
  let totalMs = 0
  for (const [, value, unit] of text.matchAll(new RegExp(part, 'g'))) {
    totalMs += Number(value) * unitMs[unit as DurationUnit] // the pattern lets no other unit through
  }
  return totalMs
}

/** The delay before retry `n` (1, 2, …): min(86400, e^(2.5 n)) seconds, which the documentation rounds down. */
export function defaultBackoffMs(n: number): number {
  return Math.floor(Math.min(maxDelayMs / 1_000, Math.exp(2.5 * n))) * 1_000
}

/**
 * The delay after a failed attempt, in milliseconds.
 * The documentation does not say whether the response or the message takes precedence; here the response does, because it is
 * later. It does say that a delay of more than a day in the response is ignored.
 */
export function retryDelayMs(failed: {
  retried: number
  responseHeader: HeaderMap
  expression: string | undefined
  nowMs: number
}): number {
  const asked = askedDelayMs(failed.responseHeader, failed.nowMs)
  if (asked !== undefined) return asked
  const backoffMs = defaultBackoffMs(failed.retried + 1)
  if (failed.expression === undefined) return backoffMs
  const value = parseDelayExpression(failed.expression)(failed.retried)
  // The result of sqrt(-1) or 0/0 is not documented; here it counts as no expression.
  return Number.isNaN(value) ? backoffMs : Math.round(Math.min(maxDelayMs, Math.max(0, value)))
}

function askedDelayMs(header: HeaderMap, nowMs: number): number | undefined {
  for (const name of delayHeaders) {
    const delayMs = readDelayMs(header[name]?.[0]?.trim() ?? '', nowMs)
    if (delayMs !== undefined && delayMs <= maxDelayMs) return Math.round(delayMs)
  }
  return undefined
}

/** Seconds, a Go duration or an RFC 1123 date. */
function readDelayMs(text: string, nowMs: number): number | undefined {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1_000
  const durationMs = parseDurationMs(text, ['h', 'm', 's', 'ms', 'us', 'µs', 'ns'])
  if (durationMs !== undefined) return durationMs
  if (!/^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} \S+$/.test(text)) return undefined
  const at = Date.parse(text)
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowMs)
}
