// A delivery claims a job: it begins an attempt under a lease, or ends the job.
import { type Query, type SQL, sql } from 'drizzle-orm'
import { selectCaller } from '../../accounts/sql/caller.ts'
import type { Caller } from '../../http/context.ts'
import type { Database } from '../../infra/database.ts'
import { prepare } from '../../infra/prepare.ts'
import { constantSql, sqlList } from '../../infra/rows.ts'
import { isAtLeast, machineLevel } from '../../sites/sql/role.ts'
import { leaseSeconds, openStates } from '../job.ts'
import {
  type ChangedJob,
  delayAfter,
  dueAfterDelivery,
  type JobRow,
  jobColumns,
  lockMachineOf,
  now,
} from './fragments.ts'
import { endJobs, jobWithMachine, nextStep, retryColumns, type Step, selectEnded } from './next-step.ts'

/** Who delivers a job: QStash, or the Worker itself if QStash did not accept it. */
export type Deliverer = 'queue' | 'worker'

/** `step` has been carried out already, and `job` has the state after it. */
export type Claim = {
  step: Step | null
  job: ChangedJob
  controllerUrl: string | null
  isControllerConfirmed: boolean
  /** The username of the owner of the machine. */
  owner: string
  /** Whether an earlier attempt may have been executed. */
  mayHaveExecutedBefore: boolean
  leaseRemainingSeconds: number
  /** How long until the next attempt may begin, for the step `delay`. */
  delaySeconds: number
  /** How long the command may still be sent, by PostgreSQL's clock at the time of the claim. */
  timeLeftSeconds: number
}

type ClaimRow = ChangedJob & {
  step: Step | null
  controller_url: string | null
  is_controller_confirmed: boolean
  owner: string
  may_have_executed_before: boolean
  lease_remaining_seconds: number | null
  delay_seconds: number | null
  time_left_seconds: number
}

/** Plus 10 s for the controller and 8 s for storing its answer, this is less than the queue's time-out of 25 s. */
const claimDeadlineMs = 6_000

const leaseInterval = sql.raw(`interval '${leaseSeconds} seconds'`)
const nextAttemptAt = constantSql(sql`${now} + ${delayAfter(sql`jobs.attempts + 1`)}`)
/** The sweep does not look at the job before the lease has ended. Nor at one that the machine fetches before it expires. */
const dueAt = {
  queue: constantSql(sql`greatest(${dueAfterDelivery(nextAttemptAt)}, ${now} + ${leaseInterval})`),
  machine: constantSql(sql`greatest(jobs.not_after, ${now} + ${leaseInterval})`),
}

/**
 * CTEs that carry out the step of each job in `due`: `changed` has each `ChangedJob`, `started` those that begin an attempt.
 * @param isFromQueue SQL: whether QStash delivers the job. Then `published_at` is set, because QStash has the job
 */
function carryOut(by: keyof typeof dueAt, isFromQueue = sql`false`): SQL {
  return sql`${endJobs[by]},
    started AS (
      UPDATE jobs SET state = 'SENT', attempts = jobs.attempts + 1, may_have_executed = true,
        sent_at = coalesce(jobs.sent_at, ${now}), version = jobs.version + 1,
        next_attempt_at = ${nextAttemptAt}, due_at = ${dueAt[by]},
        published_at = coalesce(jobs.published_at, CASE WHEN ${isFromQueue} THEN ${now} END)
      FROM due WHERE jobs.id = due.id AND due.step = 'send'
      RETURNING jobs.*
    ),
    started_event AS (
      INSERT INTO job_events (job_id, version, state, at, attempt, by)
      SELECT id, version, state, ${now}, attempts, ${sqlList([by])} FROM started
    ),
    leased AS (
      UPDATE machines SET leased_by = started.id || ':' || started.attempts,
        leased_until = ${now} + ${leaseInterval}
      FROM started WHERE machines.id = started.machine_id
      RETURNING machines.id, machines.site_id
    ),
    changed AS (
      SELECT ${jobColumns.of('started')}, leased.site_id, NULL::bigint AS revision
      FROM started JOIN leased ON leased.id = started.machine_id
      UNION ALL ${selectEnded}
    )`
}

const claimStatement = prepare<{ jobId: string; isFromQueue: boolean }>(
  ({ jobId, isFromQueue }) => sql`
    WITH due AS (
      SELECT j.*, m.controller_url, m.controller_confirmed_at IS NOT NULL AS is_controller_confirmed,
        owner.username AS owner, ${retryColumns}, ${nextStep.queue} AS step
      FROM ${jobWithMachine} JOIN accounts owner ON owner.id = m.owner_id WHERE j.id = ${jobId}::uuid
    ), ${carryOut('queue', sql`${isFromQueue}::boolean`)},
    current_job AS (SELECT * FROM changed UNION ALL SELECT ${jobColumns.of('due')}, NULL, NULL FROM due)
    SELECT current_job.*, due.step, due.controller_url, due.is_controller_confirmed, due.owner,
      due.may_have_executed AS may_have_executed_before, due.lease_remaining_seconds, due.delay_seconds,
      extract(epoch FROM due.not_after - ${now})::float8 AS time_left_seconds
    FROM current_job, due ORDER BY current_job.version DESC LIMIT 1`,
)

/**
 * Carries out the next step of a job for a delivery: the step `send` begins an attempt under a lease.
 * @param by `queue`: QStash delivers the job, which stores that it has the job · `worker`: QStash did not accept it
 * @returns undefined if the job does not exist
 */
export async function claim(database: Database, jobId: string, by: Deliverer): Promise<Claim | undefined> {
  const statements = [lockMachineOf({ jobId }), claimStatement({ jobId, isFromQueue: by === 'queue' })]
  const [row] = await database.batch<ClaimRow>('claim', statements, { deadlineMs: claimDeadlineMs })
  if (!row) return undefined
  return {
    step: row.step,
    job: row,
    controllerUrl: row.controller_url,
    isControllerConfirmed: row.is_controller_confirmed,
    owner: row.owner,
    mayHaveExecutedBefore: row.may_have_executed_before,
    leaseRemainingSeconds: row.lease_remaining_seconds ?? 0,
    delaySeconds: row.delay_seconds ?? 0,
    timeLeftSeconds: row.time_left_seconds,
  }
}

/**
 * `command`: the job of which an attempt has begun for a machine that fetches its commands · `changed`: all jobs of the
 * machine that have changed · `is_open`: whether there was an open job.
 */
export type FetchedRow = { machine_id: number; is_open: boolean; command: JobRow | null; changed: ChangedJob[] }

/** The report of each machine that asks. Only its newest report gets a command: nobody may read the answers to others. */
type Fetch = Caller & { machineIds: number[]; bootIds: string[]; seqs: number[] }

/** `new`: stored in this transaction, so one that was ignored gets no command · `held`: stored before, and not answered yet. */
export type AskingReport = 'new' | 'held'

/**
 * Carries out the next step of the open jobs of machines that fetch their commands, for a key of a manager of them. Needs
 * their locks.
 * @returns a statement with one `FetchedRow` for each machine
 */
export const fetchCommands: (values: Fetch, report: AskingReport) => Query = prepare<Fetch, AskingReport>(
  (value, report) => sql`
    WITH caller AS (${selectCaller(value)}),
    asking AS (SELECT * FROM unnest(${value.machineIds}::bigint[], ${value.bootIds}::text[], ${value.seqs}::bigint[])
      AS asking (machine_id, boot_id, seq)),
    due AS (
      SELECT j.*, ${nextStep.machine} AS step FROM caller, ${jobWithMachine} JOIN asking ON asking.machine_id = m.id
      WHERE j.state IN (${sqlList(openStates)}) AND m.controller_url IS NULL
        AND ${isAtLeast(machineLevel('caller', 'm'), 'manager')} AND EXISTS (SELECT FROM machine_reports r
          WHERE r.machine_id = m.id AND r.boot_id = asking.boot_id AND r.seq = asking.seq
            AND ${report === 'new' ? sql`r.at >= now()` : sql`true`})
    ), ${carryOut('machine')}
    SELECT asking.machine_id, EXISTS (
        SELECT FROM jobs j WHERE j.machine_id = asking.machine_id AND j.state IN (${sqlList(openStates)})
      ) AS is_open, (SELECT to_jsonb(started) FROM started WHERE started.machine_id = asking.machine_id) AS command,
      (SELECT coalesce(jsonb_agg(changed), '[]') FROM changed WHERE changed.machine_id = asking.machine_id) AS changed
    FROM asking`,
)
