// What a report of a machine does to its newest job: one SQL expression.
import { type SQL, sql } from 'drizzle-orm'
import { constantSql, firstOf, sqlList } from '../../infra/rows.ts'
import { confirmSeconds, openStates, settleSeconds } from '../job.ts'
import { byCommand, now, numberLiteral } from './fragments.ts'

/** On the newest job of the machine that was sent. `await`: a later report may have one. */
type ReportEffect = 'confirm' | 'settle' | 'note_unconfirmed' | 'await'

export const isOpen = sql`j.state IN (${sqlList(openStates)})`
const isShown = byCommand(({ confirmedIn }) => sql`j.reported IN (${sqlList(confirmedIn)})`)
/** An earlier report shows for ever that the machine has run. That it stood still may have been before it got the command. */
const wasShown = byCommand(({ statusOnSuccess }) => {
  return statusOnSuccess === 'RUNNING' ? sql`j.confirmed_at IS NOT NULL` : sql`false`
})
/** Nobody knows whether the command was executed. `unreachable`: it certainly was not. */
const isUnknown = sql`(j.result = 'INTERNALFAILED' AND j.reason <> 'unreachable')`
const endedWithin = (seconds: number) => sql`j.finished_at > ${now} - interval '${numberLiteral(seconds)} seconds'`

/** The `ReportEffect` on a job `j` of the status `reported`; NULL: none. */
export const reportEffect: SQL = constantSql(
  firstOf<ReportEffect>([
    [sql`${isOpen} AND ${isShown} AND j.confirmed_at IS NULL`, 'confirm'],
    [isOpen, 'await'],
    [sql`j.state = 'SUCCEEDED' AND j.confirmed_at IS NULL AND ${isShown}`, 'confirm'],
    [sql`j.state = 'SUCCEEDED' AND j.confirmed_at IS NULL AND ${endedWithin(confirmSeconds)}`, 'await'],
    [sql`j.state = 'SUCCEEDED' AND j.confirmed_at IS NULL`, 'note_unconfirmed'],
    [sql`${isUnknown} AND (${isShown} OR ${wasShown})`, 'settle'],
    [sql`${isUnknown} AND ${endedWithin(settleSeconds)}`, 'await'],
  ]),
)
