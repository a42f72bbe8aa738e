// Times without an offset: what their offset was in a time zone of the IANA database.

/** @throws RangeError for an unknown time zone */
export function openTimeZone(timeZone: string): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat('en-US', {
    timeZone,
    calendar: 'iso8601',
    hourCycle: 'h23',
    ...{ year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' },
  })
}

const dayMs = 86_400_000

/** The formatter of the last time zone: making one takes longer than using it. */
let last: { timeZone: string; format: Intl.DateTimeFormat } | undefined

/**
 * @param local `2024-06-01T08:00:00`
 * @returns `+09:00`; or why there is none, when clocks are put forward, or are put back and show the time twice
 */
export function findOffset(local: string, timeZone: string): string | { fault: string } {
  if (last?.timeZone !== timeZone) last = { timeZone, format: openTimeZone(timeZone) }
  const { format } = last
  const shown = Date.parse(`${local}Z`)
  // The offsets of the days before and after are all that there can be.
  const offsets = new Set([offsetAt(shown - dayMs, format), offsetAt(shown + dayMs, format)])
  const [first, second] = [...offsets].filter((offset) => offsetAt(shown - offset, format) === offset)
  if (first === undefined) return { fault: `does not exist in ${timeZone}: clocks were put forward` }
  if (second !== undefined) return { fault: `happened twice in ${timeZone}: write it with its offset` }
  if (first % 60_000 !== 0) return { fault: `has an offset with seconds in ${timeZone}: write it with its offset` }
  return toText(first / 60_000)
}

function offsetAt(instant: number, format: Intl.DateTimeFormat): number {
  const parts = Object.fromEntries(format.formatToParts(instant).map(({ type, value }) => [type, Number(value)]))
  const { year = 0, month = 1, day, hour, minute, second } = parts
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(instant / 1_000) * 1_000
}

function toText(offsetMinutes: number): string {
  const size = Math.abs(offsetMinutes)
  const digits = (value: number) => String(Math.floor(value)).padStart(2, '0')
  return `${offsetMinutes < 0 ? '-' : '+'}${digits(size / 60)}:${digits(size % 60)}`
}
