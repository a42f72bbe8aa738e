// The SQL rule `next`, which decides the next step of a job. PostgreSQL evaluates it for every combination of inputs.
// The results are compared with a model in TypeScript.
import type { SQL } from 'drizzle-orm'
import { PgDialect } from 'drizzle-orm/pg-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { jobStates } from '../../../src/jobs/job.ts'
import { nextStep } from '../../../src/jobs/sql/next-step.ts'
import { startEmpty } from '../../migrated.ts'
import type { PostgresStandIn } from '../../platform/postgres.ts'

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
  next_attempt_at: number | null
  requester: (typeof requesters)[number]
  is_held: boolean
  asker: 'queue' | 'machine'
  report: (typeof reports)[number]
}

/** What the machine has reported. `old, no key`: it did once, and nobody has a key for its reports any more. */
const reports = ['none', 'fresh', 'remote disabled', 'stale', 'old, no key'] as const

/** The last two acted with an API key: one that is not valid any more, and one for another machine. */
const requesters = [
  'owner',
  'staff',
  'operator',
  'viewer',
  'stranger',
  'disabled owner',
  'revoked key of owner',
  'other key of owner',
] as const

let postgres: PostgresStandIn
beforeAll(async () => {
  postgres = await startEmpty()
})
afterAll(() => postgres?.close())

/** The values of each column of a situation, in PostgreSQL's types. */
const types = {
  state: 'text',
  command: 'text',
  attempts: 'int',
  may_have_executed: 'boolean',
  not_after: 'float8',
  pending_since: 'float8',
  leased_until: 'float8',
  deleted_at: 'float8',
  controller_url: 'text',
  status: 'text',
  next_attempt_at: 'float8',
  requester: 'text',
  is_held: 'boolean',
  asker: 'text',
  report: 'text',
} satisfies Record<keyof Situation, string>

type Values = { [Name in keyof Situation]: readonly Situation[Name][] }

const names = Object.keys(types) as (keyof Situation)[] // it has every name

/**
 * Evaluates every combination of these values in one statement, so that they share one clock and boundaries are exact.
 * PostgreSQL compares each step with the expected one, so that only the differences are transferred.
 * @param expected the steps, in the order of `combine`; a byte for each is sent
 * @returns the number of combinations, and the first five whose step is another one
 */
async function findDifferences(values: Values, expected: (string | null)[]) {
  const moment = (name: string) => `statement_timestamp() + make_interval(secs => ${name}) AS ${name}`
  const lists = names.map((name, index) => {
    return `unnest($${index + 1}::${types[name]}[]) WITH ORDINALITY AS "${name}s" (${name}, n${index})`
  })
  /** The place of a combination in `expected`. */
  const place = names.reduce((before, name, index) => `(${before}) * ${values[name].length} + n${index} - 1`, '0')
  const [reportKinds, steps, codes] = [1, 2, 3].map((index) => `$${names.length + index}`)
  const known = [...new Set(expected)]
  const [answer] = await postgres.query(
    `WITH report_kinds AS (SELECT kind, 10 * place AS added FROM unnest(${reportKinds}::text[]) WITH ORDINALITY AS r (kind, place)),
    members (account_id, machine_id, site_id, role, expires_at) AS (
      SELECT account_id, machine_id + added, NULL::bigint, role, NULL::timestamptz FROM report_kinds,
        (VALUES (3, 1, 'operator'), (4, 1, 'viewer'), (3, 9, 'operator'), (4, 9, 'viewer')) m (account_id, machine_id, role)),
    holds (machine_id, removed_at, overridden_at) AS (
      SELECT machine_id + added, removed_at, overridden_at FROM report_kinds,
        (VALUES (1, now(), NULL), (1, NULL, now()), (9, NULL, NULL)) h (machine_id, removed_at, overridden_at)),
    accounts (id, is_active) AS (VALUES (1, true)),
    keys (account_id, machine_id, site_id, scopes, revoked_at, expires_at) AS (
      SELECT 1, id + added, NULL::bigint, ARRAY['report'], NULL::timestamptz, NULL::timestamptz
      FROM report_kinds, (VALUES (1), (9)) m (id) WHERE kind NOT IN ('none', 'old, no key')),
    machine_reports (machine_id, at, interval_seconds, remote_enabled) AS (
      SELECT id + added, statement_timestamp() - make_interval(secs => CASE WHEN kind IN ('fresh', 'remote disabled') THEN 29.999999 ELSE 30 END),
        10, kind <> 'remote disabled'
      FROM report_kinds, (VALUES (1), (9)) m (id) WHERE kind <> 'none'),
    decided AS (SELECT ${place} AS place, CASE s.asker WHEN 'queue' THEN ${textOf(nextStep.queue)} ELSE ${textOf(nextStep.machine)} END AS step
    FROM (SELECT * FROM ${lists.join(' CROSS JOIN ')}) s,
    LATERAL (SELECT s.state, s.command, s.attempts, s.may_have_executed, ${moment('not_after')}, ${moment('pending_since')},
      ${moment('next_attempt_at')}) j,
    LATERAL (SELECT CASE WHEN s.is_held THEN 9 ELSE 1 END + (SELECT added FROM report_kinds WHERE kind = s.report) AS id, 1 AS owner_id, NULL::bigint AS site_id, s.status, s.controller_url, ${moment('leased_until')}, ${moment('deleted_at')}) m,
    LATERAL (SELECT CASE WHEN s.requester LIKE '%owner' THEN 1 WHEN s.requester = 'operator' THEN 3
      WHEN s.requester = 'viewer' THEN 4 ELSE 2 END AS id, s.requester = 'staff' AS is_staff,
      s.requester <> 'disabled owner' AS is_active, s.requester <> 'revoked key of owner' AS is_key_valid,
      CASE s.requester WHEN 'other key of owner' THEN 2 END AS key_machine_id, NULL::bigint AS key_site_id) requester),
    compared AS (SELECT place, step, array_position(${steps}::text[], step) - 1 IS DISTINCT FROM get_byte(${codes}::bytea, place::int) AS differs FROM decided)
    SELECT count(*)::int AS count, (array_agg(json_build_object('place', place, 'step', step)) FILTER (WHERE differs))[:5] AS different
    FROM compared`,
    [...names.map((name) => values[name]), reports, known, Buffer.from(expected.map((step) => known.indexOf(step)))],
  )
  const { count, different } = answer as { count: number; different: { place: number; step: string | null }[] | null } // as the statement makes it
  return { count, different: different ?? [] }
}

function textOf(rule: SQL): string {
  return new PgDialect().sqlToQuery(rule).sql
}

/** The combination at this place, of which the last column varies fastest. */
function combine(values: Values, place: number): Situation {
  const situation: Record<string, unknown> = {}
  let rest = place
  for (const name of names.toReversed()) {
    const { length } = values[name]
    situation[name] = values[name][rest % length]
    rest = Math.floor(rest / length)
  }
  return situation as Situation // it has every name
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
  next_attempt_at: null,
  requester: 'owner',
  is_held: false,
  asker: 'queue',
  report: 'none',
}

/** The same rule in TypeScript. */
function expectStep(s: Situation): string | null {
  if (s.state === 'PENDING') return (s.pending_since ?? 0) <= -600 ? 'time_out' : 'wait'
  if (s.state !== 'QUEUED' && s.state !== 'SENT') return null
  const isStop = s.command === 'STOP'
  if (s.leased_until !== null && s.leased_until > 0 && !(isStop && s.asker === 'machine')) return 'leased'
  const isUsedUp = !isStop && s.attempts > 3
  const isLate = s.not_after <= 0
  const isChanged = s.deleted_at !== null || (!isStop && s.status !== 'READY')
  const isHeld = s.command === 'START' && s.is_held
  const isStale = !isStop && s.report === 'stale'
  const isRemoteOff = !isStop && s.report === 'remote disabled'
  const isForbidden = s.command === 'START' && !['owner', 'staff', 'operator'].includes(s.requester)
  if (!isUsedUp && !isLate && !isChanged && !isHeld && !isStale && !isRemoteOff && !isForbidden) {
    if (s.asker === 'queue' && s.controller_url === null) return 'fetch'
    return (s.next_attempt_at ?? 0) > 0 ? 'delay' : 'send'
  }
  if (s.may_have_executed) return 'fail_outcome_unknown'
  if (isUsedUp) return 'fail_unreachable'
  if (isLate) return 'expire'
  if (isChanged) return 'reject'
  if (isHeld) return 'hold'
  if (isStale) return 'stale'
  return isRemoteOff ? 'remote_off' : 'forbid'
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
  ['a message begins no attempt of a machine without an address', { controller_url: null }, 'fetch'],
  ['… but ends its job', { controller_url: null, not_after: 0 }, 'expire'],
  ['the report of that machine does', { controller_url: null, asker: 'machine', report: 'fresh' }, 'send'],
  ['… not under a lease', { controller_url: null, asker: 'machine', leased_until: 1 }, 'leased'],
  ['… but for a STOP', { command: 'STOP', controller_url: null, asker: 'machine', leased_until: 1 }, 'send'],
  [
    '… which it does not get again before its time',
    { command: 'STOP', controller_url: null, asker: 'machine', leased_until: 1, next_attempt_at: 1 },
    'delay',
  ],
  ['a START is not sent to a machine that has stopped reporting', { report: 'stale' }, 'stale'],
  ['… and is to one that nobody reports for any more', { report: 'old, no key' }, 'send'],
  ['a START is not sent to a machine that takes none from afar', { report: 'remote disabled' }, 'remote_off'],
  ['… nor again', { state: 'SENT', report: 'remote disabled', may_have_executed: true }, 'fail_outcome_unknown'],
  ['a STOP is sent whatever the machine reports', { command: 'STOP', report: 'remote disabled' }, 'send'],
  ['a job of a deleted machine is rejected', { command: 'STOP', deleted_at: -5 }, 'reject'],
  [
    '… not if it may have been executed',
    { status: 'ERROR', state: 'SENT', may_have_executed: true },
    'fail_outcome_unknown',
  ],
  ['a START of somebody who has lost the right is not sent', { requester: 'stranger' }, 'forbid'],
  ['… nor one of somebody who may only look', { requester: 'viewer' }, 'forbid'],
  ['… nor one of a disabled account', { requester: 'disabled owner' }, 'forbid'],
  ['… nor one of a key that is revoked or has expired', { requester: 'revoked key of owner' }, 'forbid'],
  ['… nor one of a key for another machine', { requester: 'other key of owner' }, 'forbid'],
  [
    '… and it may have been executed before',
    { requester: 'stranger', may_have_executed: true },
    'fail_outcome_unknown',
  ],
  ['a START is not sent to a machine that is held', { is_held: true }, 'hold'],
  ['… nor sent again', { state: 'SENT', is_held: true, may_have_executed: true }, 'fail_outcome_unknown'],
  ['a STOP is sent to a machine that is held', { command: 'STOP', is_held: true }, 'send'],
  ['a STOP of somebody who has lost the right is sent', { command: 'STOP', requester: 'stranger' }, 'send'],
  ['… and one of a revoked key', { command: 'STOP', requester: 'revoked key of owner' }, 'send'],
  ['an attempt does not begin before its time', { state: 'SENT', next_attempt_at: 0.000001 }, 'delay'],
  ['… and begins exactly then', { state: 'SENT', next_attempt_at: 0 }, 'send'],
  ['a job expires although its next attempt would be later', { next_attempt_at: 5, not_after: 0 }, 'expire'],
  ['a PENDING job waits', { state: 'PENDING', pending_since: -599.999999 }, 'wait'],
  ['… for ten minutes', { state: 'PENDING', pending_since: -600 }, 'time_out'],
  ['… also under an active lease', { state: 'PENDING', pending_since: -601, leased_until: 9 }, 'time_out'],
  ['a PENDING job does not expire', { state: 'PENDING', pending_since: -1, not_after: -1 }, 'wait'],
]

describe('next', () => {
  test.each(named)('%s', async (_, change, step) => {
    const situation = { ...ready, ...change }
    const only: unknown = Object.fromEntries(Object.entries(situation).map(([name, value]) => [name, [value]]))
    expect(await findDifferences(only as Values, [step])).toEqual({ count: 1, different: [] }) // it has the same names
    expect(expectStep(situation)).toBe(step)
  })

  test('agrees with the model in every combination', async () => {
    const few = {
      command: ['START', 'STOP'],
      attempts: [0, 4],
      may_have_executed: [false, true],
      not_after: [0, 1],
      leased_until: [null, 1],
      deleted_at: [null, -1],
      controller_url: [null, 'http://controller.example'],
      status: ['READY', 'RUNNING'],
      next_attempt_at: [null, 1],
      requester: ['owner', 'stranger'],
      is_held: [false, true],
      asker: ['queue', 'machine'],
      report: reports,
    } as const
    const common = {
      command: ['START', 'STOP'],
      attempts: [0, 1, 3, 4, 5],
      may_have_executed: [false, true],
      not_after: [-1, 0, 1],
      leased_until: [null, -1, 0, 1],
      deleted_at: [null, -1],
      controller_url: [null, 'http://controller.example'],
      status: ['READY', 'RUNNING'],
      next_attempt_at: [null, 0, 1],
      requester: requesters,
      is_held: [false, true],
      asker: ['queue'],
      report: ['none'],
    } as const
    const others = jobStates.filter((state) => state !== 'PENDING')
    const pending: Values = { ...common, state: ['PENDING'], pending_since: [-599, -600] }
    let count = 0
    const reporting: Values = { ...few, state: ['QUEUED', 'SENT'], pending_since: [null] }
    for (const values of [pending, { ...common, state: others, pending_since: [null] }, reporting]) {
      const length = names.reduce((product, name) => product * values[name].length, 1)
      const expected = Array.from({ length }, (_, place) => expectStep(combine(values, place)))
      const found = await findDifferences(values, expected)
      const described = found.different.map(({ place, step }) => ({
        ...combine(values, place),
        step,
        expected: expected[place],
      }))
      expect(described).toEqual([])
      expect(found.count).toBe(length)
      count += length
    }
    expect(count).toBe(2 * 21_120 * 24 + 2 ** 13 * 5)
  })
})
