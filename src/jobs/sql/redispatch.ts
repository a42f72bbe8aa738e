// Which jobs the queue is to have again: the next step of those that it gave up or lost.
import { type SQL, sql } from 'drizzle-orm'
import type { Database } from '../../infra/database.ts'
import { sqlList } from '../../infra/rows.ts'
import { commandRules, commands, queueSilenceSeconds } from '../commands.ts'
import { awaitedStates, deliverableStates, type EventActor, pendingSeconds } from '../job.ts'
import { byCommand, type JobRow, jobColumns, lockMachineOf, now, number } from './fragments.ts'
import { endJobs, nextStep } from './next-step.ts'

/**
 * What was done: the queue is to have the job again (`send`, with `publishNo`), or it ended, or there was nothing to do.
 * `job` is what it is now.
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

/** Carries out the next step after QStash has reported that it gave the message up. Undefined: no such job. */
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

/** A message that QStash has not taken by then is published again. */
const unpublishedSeconds = 5

/** Which published jobs the queue has lost, as far as the index can tell; then by command. */
const silences = commands.map((command) => queueSilenceSeconds(commandRules[command]))
const silenceSeconds = byCommand((rule) => number(queueSilenceSeconds(rule)))

/**
 * Carries out the next step of up to `limit` jobs that nothing else will move: not published 5 s after the request, lost
 * by the queue, or PENDING for too long. One statement: a machine that another transaction has locked is skipped, one
 * that is locked here is read anew, and the guard on the version leaves a job alone that has changed meanwhile. Jobs that
 * end come first: they need no queue, and must not wait behind what an unavailable queue does not take.
 */
export async function redispatchDueJobs(database: Database, limit: number): Promise<RedispatchResult[]> {
  // Each of the three is a range of an index; an OR would have to read all open jobs and their machines. As an array,
  // because PostgreSQL, which takes all old jobs for due, would otherwise rather read all machines than these few.
  const candidates = sql`
    SELECT id FROM jobs WHERE state IN (${sqlList(deliverableStates)})
      AND published_at IS NULL AND requested_at <= ${now} - interval '${number(unpublishedSeconds)} seconds'
    UNION ALL
    SELECT id FROM jobs j WHERE state IN (${sqlList(deliverableStates)})
      AND published_at <= ${now} - interval '${number(Math.min(...silences))} seconds'
      AND published_at <= ${now} - make_interval(secs => ${silenceSeconds})
    UNION ALL
    SELECT id FROM jobs WHERE state IN (${sqlList(awaitedStates)})
      AND pending_since <= ${now} - interval '${number(pendingSeconds)} seconds'`
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

/** Stores whether the queue has these messages. What has been published anew meanwhile stays as it is. */
export async function markPublished(database: Database, publications: Publication[], isTaken: boolean): Promise<void> {
  await database.query(
    'mark-published',
    sql`
    UPDATE jobs SET published_at = CASE WHEN ${isTaken}::boolean THEN ${now} END
    FROM unnest(${sql.param(publications.map(({ jobId }) => jobId))}::uuid[],
        ${sql.param(publications.map(({ publishNo }) => publishNo))}::int[])
      AS sent (job_id, publish_no)
    WHERE jobs.id = sent.job_id AND jobs.publish_no = sent.publish_no`,
  )
}
