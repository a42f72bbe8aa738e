// The next step of a job: one SQL expression. The claim, the failure callback, the sweep and the reports of machines embed
// it and carry it out.
import { type SQL, sql } from 'drizzle-orm'
import { isKeyValid } from '../../accounts/sql/caller.ts'
import { constantSql, firstOf, sqlList } from '../../infra/rows.ts'
import { setStatus, sourceOf } from '../../machines/sql/fragments.ts'
import { isHeld } from '../../machines/sql/hold.ts'
import { freshStatus, isRemoteDisabled, isStale } from '../../machines/sql/report.ts'
import { isAtLeast, machineLevel } from '../../sites/sql/role.ts'
import { awaitedStates, deliverableStates, type EventActor, type JobEnd, pendingSeconds } from '../job.ts'
import { byCommand, jobColumns, now, numberLiteral } from './fragments.ts'

/** Steps that end the job. */
type FinalStep =
  | 'expire'
  | 'reject'
  | 'stale'
  | 'remote_off'
  | 'hold'
  | 'forbid'
  | 'fail_outcome_unknown'
  | 'fail_unreachable'
  | 'time_out'

/**
 * `wait`: the controller will report · `leased`: another attempt holds the lease · `delay`: the next attempt begins later
 * · `send`: begin an attempt · `fetch`: only the machine begins one, when it reports · all other steps end the job.
 */
export type Step = 'wait' | 'leased' | 'delay' | 'send' | 'fetch' | FinalStep

/** Who asks for the next step: a message of the queue or the sweep, or the report of a machine that fetches its commands. */
type Asker = 'queue' | 'machine'

const isAwaited = sql`j.state IN (${sqlList(awaitedStates)})`
const isOverdue = sql`j.pending_since + interval '${numberLiteral(pendingSeconds)} seconds' <= ${now}`
const hasNoAttemptsLeft = sql`j.attempts >= ${byCommand(({ maxAttempts }) => (maxAttempts === null ? null : numberLiteral(maxAttempts)))}`
const isExpired = sql`j.not_after <= ${now}`
const hasAcceptedStatus = byCommand(({ isCheckedWhenSent, acceptedIn }) => {
  return isCheckedWhenSent ? sql`m.status IN (${sqlList(acceptedIn)})` : sql`true`
})
/** The machine has changed since the request, so the command may no longer be sent to it. */
const isChanged = sql`(m.deleted_at IS NOT NULL OR NOT ${hasAcceptedStatus})`
/** The machine has stopped reporting, or takes no commands from afar any more. */
const isSilent = byCommand(({ needsFreshReport }) => (needsFreshReport ? isStale('m') : sql`false`))
const isLocal = byCommand(({ needsFreshReport }) => (needsFreshReport ? isRemoteDisabled('m') : sql`false`))
/** Somebody has placed a hold on the machine since the request. */
const isHeldNow = byCommand(({ isHeld: isRefusedByHold }) => (isRefusedByHold ? isHeld(sql`m.id`) : sql`false`))
/** The requester has lost the right to operate the machine, or the key of the request is not valid any more. */
const isForbidden = byCommand(({ isCheckedWhenSent }) => {
  if (!isCheckedWhenSent) return sql`false`
  const mayOperate = isAtLeast(machineLevel('requester', 'm'), 'operator')
  return sql`NOT (requester.is_active AND requester.is_key_valid AND ${mayOperate})`
})

const isLeased = {
  queue: sql`m.leased_until > ${now}`,
  machine: sql`m.leased_until > ${now} AND NOT ${byCommand(({ ignoresLease }) => sql.raw(String(ignoresLease)))}`,
} satisfies Record<Asker, SQL>

/** A job is EXPIRED, REJECTED or `unreachable` only if its command has certainly never been executed. */
const endWith = (step: Exclude<FinalStep, 'time_out' | 'fail_outcome_unknown'>) =>
  firstOf<FinalStep>([
    [sql`j.may_have_executed`, 'fail_outcome_unknown'],
    [sql`true`, step],
  ])

const decideStep = (asker: Asker) =>
  firstOf<Step>([
    [sql`${isAwaited} AND ${isOverdue}`, 'time_out'],
    [isAwaited, 'wait'],
    [sql`j.state NOT IN (${sqlList(deliverableStates)})`, null],
    [isLeased[asker], 'leased'],
    [hasNoAttemptsLeft, endWith('fail_unreachable')],
    [isExpired, endWith('expire')],
    [isChanged, endWith('reject')],
    [isHeldNow, endWith('hold')],
    [isSilent, endWith('stale')],
    [isLocal, endWith('remote_off')],
    [isForbidden, endWith('forbid')],
    [asker === 'queue' ? sql`m.controller_url IS NULL` : sql`false`, 'fetch'],
    [sql`j.next_attempt_at > ${now}`, 'delay'],
    [sql`true`, 'send'],
  ])

/** The next `Step` of a job `j` of a machine `m` and the account `requester`. NULL: the job has ended. */
export const nextStep = {
  queue: constantSql(decideStep('queue')),
  machine: constantSql(decideStep('machine')),
} satisfies Record<Asker, SQL>

/** The FROM clause that `nextStep` needs. */
export const jobWithMachine = constantSql(sql`
  jobs j JOIN machines m ON m.id = j.machine_id JOIN LATERAL (
    SELECT a.id, a.is_staff, a.is_active, k.machine_id AS key_machine_id, k.site_id AS key_site_id,
      j.key_id IS NULL OR ${isKeyValid} AS is_key_valid
    FROM accounts a LEFT JOIN keys k ON k.id = j.key_id WHERE a.id = j.requested_by
  ) requester ON true`)

/** Columns for the answer to the queue: after how many seconds the job can be delivered again. */
export const retryColumns = constantSql(sql`
  extract(epoch FROM m.leased_until - ${now})::float8 AS lease_remaining_seconds,
  greatest(extract(epoch FROM j.next_attempt_at - ${now}), 0)::float8 AS delay_seconds`)

/**
 * `isMachineInError`: the machine goes to ERROR, unless its fresh report says otherwise. Without it, only a job with
 * `must_succeed` sends it to ERROR.
 */
type End = JobEnd & { isMachineInError: boolean }

const ends: Record<FinalStep, End> = {
  expire: { state: 'EXPIRED', result: 'IGNORE', reason: 'not_in_time', isMachineInError: false },
  reject: { state: 'REJECTED', result: 'INVALIDCOMMAND', reason: 'changed', isMachineInError: false },
  stale: { state: 'REJECTED', result: 'INVALIDCOMMAND', reason: 'stale', isMachineInError: false },
  remote_off: { state: 'REJECTED', result: 'INVALIDCOMMAND', reason: 'remote_disabled', isMachineInError: false },
  hold: { state: 'REJECTED', result: 'INVALIDCOMMAND', reason: 'held', isMachineInError: false },
  forbid: { state: 'REJECTED', result: 'PERMISSIONDENIED', reason: 'not_allowed', isMachineInError: false },
  fail_outcome_unknown: {
    state: 'FAILED',
    result: 'INTERNALFAILED',
    reason: 'outcome_unknown',
    isMachineInError: true,
  },
  fail_unreachable: { state: 'FAILED', result: 'INTERNALFAILED', reason: 'unreachable', isMachineInError: true },
  time_out: { state: 'TIMED_OUT', result: 'INTERNALFAILED', reason: 'no_report', isMachineInError: true },
}

const endRows = Object.entries(ends).map(([step, { state, result, reason, isMachineInError }]) => {
  return sql`(${sqlList([step, state, result])}, ${reason === null ? sql`NULL` : sqlList([reason])}, ${sql.raw(String(isMachineInError))})`
})
const endsTable = sql`ends (step, state, result, reason, is_machine_in_error) AS (VALUES ${sql.join(endRows, sql`, `)})`

function buildEnd(by: EventActor): SQL {
  return sql`${endsTable},
    ended AS (
      UPDATE jobs SET state = ends.state, result = ends.result, reason = ends.reason, finished_at = ${now},
        version = jobs.version + 1
      FROM due JOIN ends ON ends.step = due.step
      WHERE jobs.id = due.id AND jobs.version = due.version
      RETURNING jobs.*, ends.is_machine_in_error OR jobs.must_succeed AS sets_error
    ),
    ended_events AS (
      INSERT INTO job_events (job_id, version, state, at, attempt, by, reason)
      SELECT id, version, state, ${now}, nullif(attempts, 0), ${sqlList([by])}, reason FROM ended
    ),
    machines_of_ended AS (
      UPDATE machines m SET ended_sequence = greatest(m.ended_sequence, after.sequence),
        ${setStatus(sql`after.status`, sourceOf(sql`after.status`, sql`after.fresh`))}
      FROM (
        SELECT ended.machine_id, ended.sequence, report.fresh,
          CASE WHEN ended.sets_error THEN coalesce(report.fresh, 'ERROR') END AS status
        FROM ended, LATERAL (SELECT ${freshStatus(sql`ended.machine_id`)} AS fresh) report
      ) after
      WHERE m.id = after.machine_id
      RETURNING m.id, m.site_id, CASE WHEN after.status IS NOT NULL THEN m.revision END AS revision
    )`
}

/** A query: each `ChangedJob` that `endJobs` has ended. */
export const selectEnded = constantSql(sql`
  SELECT ${jobColumns.of('ended')}, m.site_id, m.revision FROM ended JOIN machines_of_ended m ON m.id = ended.machine_id`)

/** CTEs that end the jobs in `due` with a `FinalStep`, and store event and machine. Need `due (id, version, step)`. */
export const endJobs = {
  queue: constantSql(buildEnd('queue')),
  machine: constantSql(buildEnd('machine')),
  sweep: constantSql(buildEnd('sweep')),
} satisfies Partial<Record<EventActor, SQL>>
