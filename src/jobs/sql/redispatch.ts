// Carries out the next step of jobs that the queue has given up, lost or never accepted; some are published again.
import { type Placeholder, type SQL, sql } from 'drizzle-orm'
import { selectCaller } from '../../accounts/sql/caller.ts'
import type { Caller } from '../../http/context.ts'
import type { Database } from '../../infra/database.ts'
import { prepare } from '../../infra/prepare.ts'
import { sqlList } from '../../infra/rows.ts'
import { lockMachine } from '../../machines/sql/fragments.ts'
import { isAtLeast, machineLevel } from '../../sites/sql/role.ts'
import { commands, precedenceOf } from '../commands.ts'
import { deliverableStates, openStates } from '../job.ts'
import {
  type ChangedJob,
  dueAfterDelivery,
  type JobRow,
  jobColumns,
  lockMachineOf,
  now,
  numberLiteral,
  seconds,
  unpublishedSeconds,
} from './fragments.ts'
import { endJobs, jobWithMachine, nextStep, retryColumns, selectEnded } from './next-step.ts'

/**
 * `publish`: publish the job with `publishNo`, delivered after `delaySeconds` · `ended`: the job has ended · `leased`,
 * `wait`, `fetch`, null: nothing was done. `job` has the state after the step.
 */
export type RedispatchResult = {
  step: 'publish' | 'ended' | 'leased' | 'wait' | 'fetch' | null
  job: ChangedJob
  publishNo: number | null
  delaySeconds: number
  leaseRemainingSeconds: number
}

type RedispatchRow = ChangedJob & {
  step: RedispatchResult['step']
  publish_no: number | null
  delay_seconds: number | null
  lease_remaining_seconds: number | null
}

/**
 * Carries out `step` of the jobs in the CTE body `due`, and marks those to be published as published. `due_at` of every
 * job moves on, so that the sweep does not meet it again at once.
 */
function redispatch(due: SQL, by: keyof typeof endJobs): SQL {
  return sql`
    WITH due AS (${due}), ${endJobs[by]},
    published AS (
      UPDATE jobs SET publish_no = jobs.publish_no + 1, published_at = ${now},
        due_at = ${dueAfterDelivery(sql`${now} + ${seconds(sql`coalesce(due.delay_seconds, 0)`)}`)}
      FROM due WHERE jobs.id = due.id AND due.step IN ('send', 'delay')
        AND jobs.version = due.version AND jobs.publish_no = due.publish_no
      RETURNING jobs.*, due.delay_seconds
    ),
    postponed AS (
      UPDATE jobs SET due_at = CASE WHEN due.step = 'fetch' THEN jobs.not_after
        ELSE ${now} + ${seconds(sql`greatest(due.lease_remaining_seconds, 1)`)} END
      FROM due WHERE jobs.id = due.id AND due.step IN ('leased', 'wait', 'fetch') AND jobs.due_at <= ${now}
    )
    SELECT ${jobColumns.of('due')}, NULL::bigint AS site_id, NULL::bigint AS revision, due.step, NULL::int AS publish_no, NULL::float8 AS delay_seconds,
      due.lease_remaining_seconds
    FROM due WHERE due.step IS NULL OR due.step IN ('wait', 'leased', 'fetch')
    UNION ALL SELECT changed.*, 'ended', NULL, NULL, NULL FROM (${selectEnded}) changed
    UNION ALL SELECT ${jobColumns.of('published')}, NULL, NULL, 'publish', publish_no, delay_seconds, NULL FROM published`
}

function toResult(row: RedispatchRow): RedispatchResult {
  return {
    step: row.step,
    job: row,
    publishNo: row.publish_no,
    delaySeconds: row.delay_seconds ?? 0,
    leaseRemainingSeconds: row.lease_remaining_seconds ?? 0,
  }
}

function redispatchOne(jobId: Placeholder, condition: SQL): SQL {
  const due = sql`
    SELECT j.*, ${retryColumns}, ${nextStep.queue} AS step FROM ${jobWithMachine} WHERE j.id = ${jobId}::uuid ${condition}`
  return redispatch(due, 'queue')
}

const jobOfQueue = prepare<{ jobId: string }>(({ jobId }) => redispatchOne(jobId, sql``))

/**
 * Carries out the next step of a job whose message QStash has given up.
 * @returns undefined if the job does not exist
 */
export async function redispatchJob(database: Database, jobId: string): Promise<RedispatchResult | undefined> {
  const [row] = await database.batch<RedispatchRow>('redispatch-job', [lockMachineOf({ jobId }), jobOfQueue({ jobId })])
  return row && toResult(row)
}

const jobOfCaller = prepare<Caller & { jobId: string }>((value) => {
  const mayOperate = sql`EXISTS (
    WITH caller AS (${selectCaller(value)})
    SELECT FROM caller WHERE ${isAtLeast(machineLevel('caller', 'm'), 'operator')})`
  return redispatchOne(value.jobId, sql`AND j.published_at IS NULL AND ${mayOperate}`)
})

/**
 * Carries out the next step of a job that QStash is not known to have, for a caller who asks for it again.
 * @returns undefined if QStash has the job, or the caller may not operate the machine any more; in the second case nothing is
 *   locked
 */
export async function redispatchUnpublished(
  database: Database,
  caller: Caller,
  { id: jobId, machine_id }: Pick<JobRow, 'id' | 'machine_id'>,
): Promise<RedispatchResult | undefined> {
  const statements = [lockMachine(caller, machine_id, 'operator'), jobOfCaller({ ...caller, jobId })]
  const [row] = await database.batch<RedispatchRow>('redispatch-unpublished', statements)
  return row && toResult(row)
}

/** STOP first. */
const commandsByPrecedence = [...commands].sort((a, b) => precedenceOf(b) - precedenceOf(a))

const isOpen = sql`state IN (${sqlList(openStates)})`

/** `most` is a part of the text: PostgreSQL plans this once, and must know that it needs few rows. */
const dueJobs = prepare<Record<string, never>, { most: number }>((_, { most }) => {
  const limit = numberLiteral(most)
  // One range of an index for each command: the cost depends on `limit`, not on how many jobs are due. The ids are an
  // array, because PostgreSQL overestimates the number of due jobs and would otherwise read all machines.
  const ranges = commandsByPrecedence.map(
    (command) => sql`
      (SELECT id FROM jobs WHERE command = ${command} AND ${isOpen} AND due_at > '-infinity' AND due_at <= ${now}
        ORDER BY due_at LIMIT ${limit})`, // the first condition on `due_at` is that of the index
  )
  const due = sql`
    SELECT j.*, ${retryColumns}, ${nextStep.queue} AS step
    FROM ${jobWithMachine}
    WHERE j.id = ANY (ARRAY(SELECT id FROM (${sql.join(ranges, sql` UNION ALL `)}) ranges LIMIT ${limit}))
      AND j.due_at <= ${now}
    FOR NO KEY UPDATE OF m SKIP LOCKED`
  return redispatch(due, 'sweep')
})

/**
 * Carries out the next step of up to `limit` jobs that are due, STOPs first: not delivered, lost by the queue, expired,
 * or PENDING for too long. It is one statement: it skips a machine that another transaction has locked, reads a machine
 * again after locking it, and does not change a job whose version has changed meanwhile.
 */
export async function redispatchDueJobs(database: Database, limit: number): Promise<RedispatchResult[]> {
  return (await database.query<RedispatchRow>('redispatch-due-jobs', dueJobs({}, { most: limit }))).map(toResult)
}

export type Publication = { jobId: string; publishNo: number }

const unmarking = prepare<{ jobIds: string[]; publishNos: number[] }>(
  ({ jobIds, publishNos }) => sql`
    UPDATE jobs SET published_at = NULL,
      due_at = CASE WHEN state IN (${sqlList(deliverableStates)})
        THEN ${now} + interval '${numberLiteral(unpublishedSeconds)} seconds' ELSE due_at END
    FROM unnest(${jobIds}::uuid[], ${publishNos}::int[]) AS sent (job_id, publish_no)
    WHERE jobs.id = sent.job_id AND jobs.publish_no = sent.publish_no`,
)

/**
 * Stores that QStash has not accepted these messages, so that the sweep publishes the jobs again. A job that was published
 * again meanwhile is not changed, and `due_at` only while the job is to be delivered.
 */
export async function markUnpublished(database: Database, publications: Publication[]): Promise<void> {
  const jobIds = publications.map(({ jobId }) => jobId)
  const publishNos = publications.map(({ publishNo }) => publishNo)
  await database.query('mark-unpublished', unmarking({ jobIds, publishNos }))
}
