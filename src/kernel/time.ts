// Times in the API: RFC 3339 in UTC with PostgreSQL's microseconds, so that a client can filter by a time that it read.

const utcText = /^(\d{4,}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?(?:Z|\+00(?::?00)?)$/

/**
 * Turns PostgreSQL's text of a `timestamptz` (`2026-11-22 23:19:12.1234+00`, or the ISO form inside JSON) into
 * `2026-11-22T23:19:12.123400Z`.
 * @throws TypeError for a text in another time zone: our database sessions use UTC.
 */
export function toRfc3339(text: string): string {
  const parts = utcText.exec(text)
  if (!parts) throw new TypeError(`not a UTC timestamp of PostgreSQL: ${text}`)
  return `${parts[1]}T${parts[2]}.${(parts[3] ?? '').padEnd(6, '0')}Z`
}

const rfc3339 = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d{1,9})?(?:Z|[+-](\d\d):[0-5]\d)$/

/**
 * Whether a text is an RFC 3339 time that PostgreSQL accepts as a `timestamptz`: the day exists, the year is not 0, and
 * the offset is below 16 hours.
 */
export function isTimestamp(text: string): boolean {
  const [, local, offsetHours = '00'] = rfc3339.exec(text) ?? []
  if (local === undefined || local.startsWith('0000') || Number(offsetHours) > 15) return false
  const instant = new Date(`${local}Z`)
  // `Date` reads February 30 as March 2, and 24:00 as the next day. The comparison finds both.
  return !Number.isNaN(instant.getTime()) && instant.toISOString().startsWith(local)
}
