// The SQL rule `next`, which decides the next step of a job. PostgreSQL evaluates it for every combination of inputs.
// The results are compared with a model in TypeScript.
import { PgDialect } from 'drizzle-orm/pg-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { jobStates } from '../../../src/jobs/job.ts'
import { nextStep } from '../../../src/jobs/sql/next-step.ts'
import { type PostgresStandIn, startPostgres } from '../../platform/postgres.ts'

/** Times are seconds relative to now; null means no time. */
type Situation = {
  state: string
  command: 'START' | 'STOP'
  attempts: number
  may_have_executed: boolean
  not_after: number
  pending_since: number | null
  leased_until: number | null
  deleted_at: number | null
  controller_url: string | null
  status: string
}

let postgres: PostgresStandIn
beforeAll(async () => {
  const { LOCAL_POSTGRES_URL } = process.env
  postgres = await startPostgres(LOCAL_POSTGRES_URL ? { serverUrl: LOCAL_POSTGRES_URL } : {})
})
afterAll(() => postgres?.close())

/** Evaluates all cases in one statement, so that they share one clock and boundaries are exact. */
async function ask(situations: Situation[]): Promise<unknown[]> {
  const moment = (name: string) => `statement_timestamp() + make_interval(secs => ${name}) AS ${name}`
  const rows = await postgres.query(
    `SELECT ${new PgDialect().sqlToQuery(nextStep).sql} AS step
    FROM ROWS FROM (jsonb_to_recordset($1) AS (state text, command text, attempts int, may_have_executed boolean,
      not_after float8, pending_since float8, leased_until float8, deleted_at float8, controller_url text, status text))
      WITH ORDINALITY s (state, command, attempts, may_have_executed, not_after, pending_since, leased_until, deleted_at,
        controller_url, status, n),
    LATERAL (SELECT s.state, s.command, s.attempts, s.may_have_executed, ${moment('not_after')}, ${moment('pending_since')}) j,
    LATERAL (SELECT s.status, s.controller_url, ${moment('leased_until')}, ${moment('deleted_at')}) m
    ORDER BY n`,
    [JSON.stringify(situations)],
  )
  return rows.map(({ step }) => step)
}

const ready: Situation = {
  state: 'QUEUED',
  command: 'START',
  attempts: 0,
  may_have_executed: false,
  not_after: 60,
  pending_since: null,
  leased_until: null,
  deleted_at: null,
  controller_url: 'http://controller.example',
  status: 'READY',
}

/** The same rule in TypeScript. */
function expectStep(s: Situation): string | null {
  if (s.state === 'PENDING') return (s.pending_since ?? 0) <= -600 ? 'time_out' : 'wait'
  if (s.state !== 'QUEUED' && s.state !== 'SENT') return null
  if (s.leased_until !== null && s.leased_until > 0) return 'leased'
  const isUsedUp = s.command === 'START' && s.attempts > 3
  const isLate = s.not_after <= 0
  const isChanged =
    s.deleted_at !== null || s.controller_url === null || (s.command === 'START' && s.status !== 'READY')
  if (!isUsedUp && !isLate && !isChanged) return 'send'
  if (s.may_have_executed) return 'fail_outcome_unknown'
  if (isUsedUp) return 'fail_unreachable'
  return isLate ? 'expire' : 'reject'
}

const named: [string, Partial<Situation>, string | null][] = [
  ['a QUEUED job of a machine without a lease is sent', {}, 'send'],
  ['a START is sent a fourth time', { state: 'SENT', attempts: 3 }, 'send'],
  ['a START is not sent a fifth time: unreachable', { state: 'SENT', attempts: 4 }, 'fail_unreachable'],
  [
    '… outcome unknown if one may have been executed',
    { state: 'SENT', attempts: 4, may_have_executed: true },
    'fail_outcome_unknown',
  ],
  ['… whether or not not_after has passed', { state: 'SENT', attempts: 4, not_after: -1 }, 'fail_unreachable'],
  ['a STOP has no limit of attempts', { command: 'STOP', state: 'SENT', attempts: 99 }, 'send'],
  ['a job expires exactly at not_after', { not_after: 0 }, 'expire'],
  ['a job does not expire a microsecond earlier', { not_after: 0.000001 }, 'send'],
  [
    'after not_after, a job that may have been executed is FAILED',
    { state: 'SENT', not_after: -1, may_have_executed: true },
    'fail_outcome_unknown',
  ],
  ['an active lease has priority', { state: 'SENT', attempts: 4, not_after: -1, leased_until: 0.000001 }, 'leased'],
  ['a lease that ends now has ended', { leased_until: 0 }, 'send'],
  ['a START whose machine is no longer READY is rejected', { status: 'POWEROFF' }, 'reject'],
  ['a STOP is sent whatever the status', { command: 'STOP', status: 'READY' }, 'send'],
  ['a STOP without a controller is rejected', { command: 'STOP', controller_url: null }, 'reject'],
  ['a job of a deleted machine is rejected', { command: 'STOP', deleted_at: -5 }, 'reject'],
  [
    '… not if it may have been executed',
    { status: 'ERROR', state: 'SENT', may_have_executed: true },
    'fail_outcome_unknown',
  ],
  ['a PENDING job waits', { state: 'PENDING', pending_since: -599.999999 }, 'wait'],
  ['… for ten minutes', { state: 'PENDING', pending_since: -600 }, 'time_out'],
  ['… also under an active lease', { state: 'PENDING', pending_since: -601, leased_until: 9 }, 'time_out'],
  ['a PENDING job does not expire', { state: 'PENDING', pending_since: -1, not_after: -1 }, 'wait'],
]

describe('next', () => {
  test.each(named)('%s', async (_, change, step) => {
    const situation = { ...ready, ...change }
    expect(await ask([situation])).toEqual([step])
    expect(expectStep(situation)).toBe(step)
  })

  test('agrees with the model in every combination', async () => {
    let all: Situation[] = [ready]
    const vary = <Name extends keyof Situation>(name: Name, values: readonly Situation[Name][]) => {
      all = all.flatMap((situation) => values.map((value) => ({ ...situation, [name]: value })))
    }
    vary('state', jobStates)
    vary('command', ['START', 'STOP'])
    vary('attempts', [0, 1, 3, 4, 5])
    vary('may_have_executed', [false, true])
    vary('not_after', [-1, 0, 1])
    vary('leased_until', [null, -1, 0, 1])
    vary('pending_since', [null, -599, -600])
    vary('deleted_at', [null, -1])
    vary('controller_url', [null, 'http://controller.example'])
    vary('status', ['READY', 'RUNNING'])
    all = all.filter(({ state, pending_since }) => (state === 'PENDING') === (pending_since !== null))
    const steps = await ask(all)
    const wrong = all
      .map((situation, index) => ({ ...situation, step: steps[index], expected: expectStep(situation) }))
      .filter(({ step, expected }) => step !== expected)
    expect(wrong.slice(0, 5)).toEqual([])
    expect(all.length).toBe(21_120)
  })
})
