// The audit events of a change of a machine, and of its deletion.
import { type SQL, sql } from 'drizzle-orm'
import { eventOf, subjectOf } from '../../accounts/sql/audit.ts'
import { type Machine, settingsOf } from './fragments.ts'

const subject = subjectOf('machine', sql`target.id`)
/** These need the CTEs `target`, the machine before, and `changed`, after it. */
export const deletionEvent: SQL = sql`
      SELECT ${eventOf('machine.delete', subject, { before: settingsOf('target') })} FROM target, changed`

/** The columns whose changes are audited. */
const audited = (
  [
    ['status', 'machine.status'],
    ['controller_url', 'machine.controller'],
    ['site_id', 'machine.site'],
  ] as const
).map(([column, action]) => {
  const valueIn = (row: string) => sql.raw(`jsonb_build_object('${column}', ${row}.${column})`)
  const event = eventOf(action, subject, { before: valueIn('target'), after: valueIn('changed') })
  const isDifferent = sql.raw(`target.${column} IS DISTINCT FROM changed.${column}`)
  return [column, sql`SELECT ${event} FROM target, changed WHERE ${isDifferent}`] as const
})

/** @param columns those that a change may set */
export function eventsOfChange(columns: readonly (keyof Machine)[]): SQL[] {
  return audited.flatMap(([column, event]) => (columns.includes(column) ? event : []))
}
