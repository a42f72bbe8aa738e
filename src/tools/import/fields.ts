// Single values of the old tables: ids, booleans and times. A text that is not understood is a fault with the text in it,
// and never becomes a default.
import { z } from 'zod'
import { isTimestamp } from '../../kernel/time.ts'
import { findOffset } from './time-zone.ts'

const missing = 'is missing'

/** A positive whole number. */
export const idField = z
  .string(missing)
  .trim()
  .regex(/^\d{1,15}$/, { error: ({ input }) => `${quote(input)} is not a whole number` })
  .transform(Number)
  .pipe(z.int().min(1, 'must be 1 or more'))

export function toId(text: string | null | undefined): number | undefined {
  return idField.safeParse(text).data
}

/** The spellings that PostgreSQL accepts for a boolean, in any case. Excel writes TRUE and FALSE. */
const booleans: ReadonlyMap<string, boolean> = new Map([
  ...['t', 'true', 'y', 'yes', 'on', '1'].map((text): [string, boolean] => [text, true]),
  ...['f', 'false', 'n', 'no', 'off', '0'].map((text): [string, boolean] => [text, false]),
])

export const booleanField = z.string(missing).transform((text, context) => {
  const value = booleans.get(text.trim().toLowerCase())
  if (value !== undefined) return value
  context.addIssue({ code: 'custom', message: `${quote(text)} is not a boolean: write true or false` })
  return z.NEVER
})

// The date, the hour, minutes and seconds, the fraction, and the offset.
const timePattern = /^(\d{4}-\d\d-\d\d)[ T](\d{1,2})(:\d\d)(:\d\d)?(\.\d{1,9})?(Z|[+-]\d\d(?::?\d\d)?)?$/i

/**
 * PostgreSQL's `2024-03-01 09:30:00.5+09` as RFC 3339.
 * @param timeZone the IANA time zone of times without an offset; without it, such a time is a fault
 */
export function timeField(timeZone: string | undefined) {
  return z.string(missing).transform((text, context) => {
    const found = readTime(text.trim(), timeZone)
    if (!('fault' in found)) return found.time
    context.addIssue({ code: 'custom', message: found.fault })
    return z.NEVER
  })
}

function readTime(text: string, timeZone: string | undefined): { time: string } | { fault: string } {
  const [, date, hour = '', minutes, seconds = ':00', fraction = '', given] = timePattern.exec(text) ?? []
  const local = `${date}T${hour.padStart(2, '0')}${minutes}${seconds}`
  if (date === undefined || !isTimestamp(`${local}Z`)) return { fault: `${quote(text)} is not a time with an offset` }
  if (given === undefined && timeZone === undefined) {
    return { fault: `${quote(text)} has no offset: give the time zone, for example --time-zone Asia/Seoul` }
  }
  const offset = given === undefined ? findOffset(local, timeZone ?? '') : toOffset(given)
  if (typeof offset !== 'string') return { fault: `${quote(text)} ${offset.fault}` }
  const time = `${local}${fraction}${offset}`
  return isTimestamp(time) ? { time } : { fault: `${quote(text)} is not a time with an offset` }
}

/** `+09`, `+0900` and `z` as RFC 3339 has them. */
function toOffset(text: string): string {
  const [, hours, minutes = '00'] = /^([+-]\d\d):?(\d\d)?$/.exec(text) ?? []
  return hours === undefined ? 'Z' : `${hours}:${minutes}`
}

/** A text as part of a message. */
function quote(text: unknown): string {
  const shown = String(text)
  return shown.length > 80 ? `${shown.slice(0, 80).toWellFormed()}…` : shown
}
