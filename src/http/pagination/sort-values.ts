// Checks the values of a cursor. A cursor is not signed, so a client can send any text. PostgreSQL must be able to parse
// its values.
import { isTimestamp, toRfc3339 } from '../../kernel/time.ts'

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
/** PostgreSQL's text of a `timestamptz` in UTC. */
const time = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,6})?\+00$/

const isNumber = (text: string) => /^-?\d{1,15}$/.test(text)

/** Whether a text is a value of a type, by PostgreSQL's name of the type. */
const checks: Record<string, (text: string) => boolean> = {
  bigint: isNumber,
  integer: (text) => isNumber(text) && Number(text) === (Number(text) | 0),
  uuid: (text) => uuid.test(text),
  'timestamp with time zone': (text) => time.test(text) && isTimestamp(toRfc3339(text)),
  text: (text) => /^[^\0]{0,256}$/u.test(text) && text.isWellFormed(),
}

/** @throws TypeError for a type that rows cannot be sorted by */
export function sortValueCheck(sqlType: string): (text: string) => boolean {
  const check = checks[sqlType]
  if (!check) throw new TypeError(`rows cannot be sorted by a ${sqlType}`)
  return check
}
