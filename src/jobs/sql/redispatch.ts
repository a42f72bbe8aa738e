// Carries out the next step of jobs that the queue has given up or lost; some of them are published again.
import { type SQL, sql } from 'drizzle-orm'
import type { Database } from '../../infra/database.ts'
import { sqlList } from '../../infra/rows.ts'
import { commandRules, commands, queueSilenceSeconds } from '../commands.ts'
import { awaitedStates, deliverableStates, type EventActor, pendingSeconds } from '../job.ts'
import { byCommand, type JobRow, jobColumns, lockMachineOf, now, numberLiteral } from './fragments.ts'
import { endJobs, nextStep } from './next-step.ts'

/**
 * `send`: publish the job again, with `publishNo` · `ended`: the job has ended · `leased`, `wait`, null: nothing was
 * done. `job` has the state after the step.
 */
export type RedispatchResult = {
  step: 'send' | 'ended' | 'leased' | 'wait' | null
  job: JobRow
  publishNo: number | null
  leaseRemainingSeconds: number
}

type RedispatchRow = JobRow & {
  step: RedispatchResult['step']
  publish_no: number | null
  lease_remaining_seconds: number | null
}

function redispatch(due: SQL, by: EventActor): SQL {
  return sql`
    WITH due AS (${due}), ${endJobs(by)},
    published AS (
      UPDATE jobs SET publish_no = jobs.publish_no + 1, published_at = ${now}
      FROM due WHERE jobs.id = due.id AND due.step = 'send'
        AND jobs.version = due.version AND jobs.publish_no = due.publish_no
      RETURNING jobs.*
    )
    SELECT ${jobColumns.of('due')}, due.step, NULL::int AS publish_no, due.lease_remaining_seconds
    FROM due WHERE due.step IS NULL OR due.step IN ('wait', 'leased')
    UNION ALL SELECT ${jobColumns.of('ended')}, 'ended', NULL, NULL FROM ended
    UNION ALL SELECT ${jobColumns.of('published')}, 'send', published.publish_no, NULL FROM published`
}

function toResult(row: RedispatchRow): RedispatchResult {
  return {
    step: row.step,
    job: row,
    publishNo: row.publish_no,
    leaseRemainingSeconds: row.lease_remaining_seconds ?? 0,
  }
}

/**
 * Carries out the next step of a job whose message QStash has given up.
 * @returns undefined if the job does not exist
 */
export async function handleDeliveryFailure(database: Database, jobId: string): Promise<RedispatchResult | undefined> {
  const due = sql`
    SELECT j.*, extract(epoch FROM m.leased_until - ${now})::float8 AS lease_remaining_seconds, ${nextStep} AS step
    FROM jobs j JOIN machines m ON m.id = j.machine_id WHERE j.id = ${jobId}::uuid`
  const [row] = await database.batch<RedispatchRow>('handle-delivery-failure', [
    lockMachineOf(jobId),
    redispatch(due, 'queue'),
  ])
  return row && toResult(row)
}

/** A job that QStash has not accepted this long after the request is published again. */
const unpublishedSeconds = 5

/** The shortest silence limits the index scan; the silence of each command then decides whether its job is lost. */
const silences = commands.map((command) => queueSilenceSeconds(commandRules[command]))
const silenceSeconds = byCommand((rule) => numberLiteral(queueSilenceSeconds(rule)))

/**
 * Carries out the next step of up to `limit` stalled jobs: not published 5 s after the request, lost by the queue, or
 * PENDING for too long. It is one statement: it skips a machine that another transaction has locked, reads a machine
 * again after locking it, and does not change a job whose version has changed meanwhile. Jobs that end come first: they
 * need no queue, and must not wait for jobs that an unavailable queue does not accept.
 */
export async function redispatchDueJobs(database: Database, limit: number): Promise<RedispatchResult[]> {
  // Each SELECT reads a range of one index; an OR would read all open jobs and their machines. The ids are an array,
  // because PostgreSQL overestimates the number of due jobs and would otherwise read all machines.
  const candidates = sql`
    SELECT id FROM jobs WHERE state IN (${sqlList(deliverableStates)})
      AND published_at IS NULL AND requested_at <= ${now} - interval '${numberLiteral(unpublishedSeconds)} seconds'
    UNION ALL
    SELECT id FROM jobs j WHERE state IN (${sqlList(deliverableStates)})
      AND published_at <= ${now} - interval '${numberLiteral(Math.min(...silences))} seconds'
      AND published_at <= ${now} - make_interval(secs => ${silenceSeconds})
    UNION ALL
    SELECT id FROM jobs WHERE state IN (${sqlList(awaitedStates)})
      AND pending_since <= ${now} - interval '${numberLiteral(pendingSeconds)} seconds'`
  const due = sql`
    SELECT j.*, NULL::float8 AS lease_remaining_seconds, ${nextStep} AS step
    FROM jobs j JOIN machines m ON m.id = j.machine_id
    WHERE j.id = ANY (ARRAY(${candidates}))
      AND (j.state IN (${sqlList(awaitedStates)}) OR m.leased_until IS NULL OR m.leased_until <= ${now})
    ORDER BY ${nextStep} = 'send', j.requested_at LIMIT ${limit}
    FOR NO KEY UPDATE OF m SKIP LOCKED`
  return (await database.query<RedispatchRow>('redispatch-due-jobs', redispatch(due, 'sweep'))).map(toResult)
}

export type Publication = { jobId: string; publishNo: number }

/** Stores whether QStash has accepted these messages. A job that was published again meanwhile is not changed. */
export async function markPublished(
  database: Database,
  publications: Publication[],
  isAccepted: boolean,
): Promise<void> {
  await database.query(
    'mark-published',
    sql`
    UPDATE jobs SET published_at = CASE WHEN ${isAccepted}::boolean THEN ${now} END
    FROM unnest(${sql.param(publications.map(({ jobId }) => jobId))}::uuid[],
        ${sql.param(publications.map(({ publishNo }) => publishNo))}::int[])
      AS sent (job_id, publish_no)
    WHERE jobs.id = sent.job_id AND jobs.publish_no = sent.publish_no`,
  )
}
