// What a report says about the newest job of its machine that was sent: every combination of job, report and age.
// PostgreSQL evaluates the rule; the results are compared with a model in TypeScript.
import { PgDialect } from 'drizzle-orm/pg-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type JobState, jobStates } from '../../../src/jobs/job.ts'
import { reportEffect } from '../../../src/jobs/sql/report-effect.ts'
import { machineStatuses } from '../../../src/machines/machine.ts'
import { startEmpty } from '../../migrated.ts'
import type { PostgresStandIn } from '../../platform/postgres.ts'

type Situation = {
  command: 'START' | 'STOP'
  state: JobState
  result: string | null
  reason: string | null
  /** The reported status. */
  reported: string
  is_confirmed: boolean
  /** Seconds since the job ended; null while it is open. */
  age: number | null
}

/** How a job that was sent can stand. */
const standings: Pick<Situation, 'state' | 'result' | 'reason'>[] = [
  { state: 'SENT', result: null, reason: null },
  { state: 'PENDING', result: 'PENDING', reason: null },
  { state: 'SUCCEEDED', result: 'SUCCESS', reason: null },
  { state: 'FAILED', result: 'REMOTEFAILED', reason: 'refused' },
  { state: 'FAILED', result: 'INTERNALFAILED', reason: 'outcome_unknown' },
  { state: 'FAILED', result: 'INTERNALFAILED', reason: 'bad_answer' },
  { state: 'FAILED', result: 'INTERNALFAILED', reason: 'unreachable' },
  { state: 'TIMED_OUT', result: 'INTERNALFAILED', reason: 'no_report' },
  { state: 'REJECTED', result: 'INVALIDCOMMAND', reason: 'controller_refused' },
  { state: 'EXPIRED', result: 'IGNORE', reason: 'not_in_time' },
  { state: 'CANCELED', result: 'IGNORE', reason: 'by_person' },
  { state: 'SUPERSEDED', result: 'IGNORE', reason: 'by_stop' },
]
const isOpen = ({ state }: Pick<Situation, 'state'>) => ['QUEUED', 'SENT', 'PENDING'].includes(state)

function expectEffect(s: Situation): string | null {
  const shows = s.command === 'START' ? s.reported === 'RUNNING' : s.reported !== 'RUNNING'
  if (isOpen(s)) return shows && !s.is_confirmed ? 'confirm' : 'await'
  const age = s.age ?? 0
  if (s.state === 'SUCCEEDED') {
    if (s.is_confirmed) return null
    if (shows) return 'confirm'
    return age < 60 ? 'await' : 'note_unconfirmed'
  }
  if (s.result !== 'INTERNALFAILED' || s.reason === 'unreachable') return null
  if (shows || (s.is_confirmed && s.command === 'START')) return 'settle'
  return age < 600 ? 'await' : null
}

let postgres: PostgresStandIn
beforeAll(async () => {
  postgres = await startEmpty()
})
afterAll(() => postgres?.close())

test('agrees with the model in every combination', async () => {
  const situations: Situation[] = (['START', 'STOP'] as const).flatMap((command) =>
    standings.flatMap((standing) =>
      machineStatuses.flatMap((reported) =>
        [false, true].flatMap((is_confirmed) =>
          (isOpen(standing) ? [null] : [0, 59.999999, 60, 599.999999, 600]).map((age) => {
            return { command, ...standing, reported, is_confirmed, age }
          }),
        ),
      ),
    ),
  )
  const [answer] = await postgres.query(
    `SELECT json_agg(${new PgDialect().sqlToQuery(reportEffect).sql} ORDER BY n) AS effects FROM (
      SELECT n, command, state, result, reason, reported, CASE WHEN is_confirmed THEN statement_timestamp() END AS confirmed_at,
        statement_timestamp() - make_interval(secs => age) AS finished_at
      FROM ROWS FROM (jsonb_to_recordset($1::jsonb) AS (command text, state text, result text, reason text, reported text,
        is_confirmed boolean, age float8)) WITH ORDINALITY AS s (command, state, result, reason, reported, is_confirmed, age, n)
    ) j`,
    [JSON.stringify(situations)],
  )
  const effects = answer?.effects as (string | null)[] // as the statement makes it
  const wrong = situations
    .map((situation, index) => ({ ...situation, effect: effects[index], expected: expectEffect(situation) }))
    .filter((each) => each.effect !== each.expected)
  expect(wrong.slice(0, 5)).toEqual([])
  expect(effects).toHaveLength(2 * (2 + 10 * 5) * 5 * 2)
})

test('there is a standing of every state but QUEUED, in which nothing was sent', () => {
  const states = new Set(standings.map(({ state }) => state))
  expect(jobStates.filter((state) => !states.has(state))).toEqual(['QUEUED'])
})
