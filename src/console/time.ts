// Ages and staleness. All times are compared with the server's clock, because the clock of a phone may be wrong.

/** Reports are fresh for this many intervals, as the API defines it. */
const freshIntervals = 3

export type Reporting = { at: string; interval_seconds: number } | null

/** Milliseconds since 1970. */
export type Instant = number

export function isStale(reported: Reporting, now: Instant): boolean {
  return reported !== null && now - Date.parse(reported.at) > freshIntervals * reported.interval_seconds * 1_000
}

/** When the report becomes stale. */
export function staleAt(reported: NonNullable<Reporting>): Instant {
  return Date.parse(reported.at) + freshIntervals * reported.interval_seconds * 1_000
}

export type Age = { unit: 'now' | 'seconds' | 'minutes' | 'hours' | 'days'; n: number }

/** A time in the future counts as now: two clocks differ a little. */
export function ageOf(at: string, now: Instant): Age {
  const seconds = Math.max(0, Math.floor((now - Date.parse(at)) / 1_000))
  if (seconds < 2) return { unit: 'now', n: 0 }
  if (seconds < 60) return { unit: 'seconds', n: seconds }
  if (seconds < 3_600) return { unit: 'minutes', n: Math.floor(seconds / 60) }
  if (seconds < 48 * 3_600) return { unit: 'hours', n: Math.floor(seconds / 3_600) }
  return { unit: 'days', n: Math.floor(seconds / 86_400) }
}

export type ClockSample = { serverDate: string | null; sentAt: Instant; receivedAt: Instant }

/**
 * How far the server's clock is ahead, in milliseconds. The Date header has whole seconds, so a difference that it
 * cannot show leaves the offset as it is.
 */
export function adjustOffset(offsetMs: number, { serverDate, sentAt, receivedAt }: ClockSample): number {
  const server = Date.parse(serverDate ?? '')
  if (Number.isNaN(server)) return offsetMs
  // The server wrote the header between `sentAt` and `receivedAt`, and cut the fraction of the second.
  const least = server - receivedAt
  const most = server + 1_000 - sentAt
  return Math.min(Math.max(offsetMs, least), most)
}

/** The day in the time zone of the browser, as a date field has it: `2026-11-27`. */
export function dayOf(now: Instant): string {
  const date = new Date(now)
  const pad = (n: number) => String(n).padStart(2, '0')
  return `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`
}

/** The last second of a day of a date field, in the time zone of the browser. */
export function endOfDay(day: string): string {
  return new Date(`${day}T23:59:59`).toISOString()
}

export function isEndOfDay(at: string): boolean {
  return Date.parse(endOfDay(dayOf(Date.parse(at)))) === Date.parse(at)
}
