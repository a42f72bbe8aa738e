// Which jobs the queue is to have again: `next` carried out for those that it gave up, or that nobody takes care of.
import { type SQL, sql } from 'drizzle-orm'
import type { Database } from '../../infra/database.ts'
import { type Job, pendingSeconds } from '../job.ts'
import { jobColumns, lockMachineOf, now } from './fragments.ts'
import { endJobs, nextStep } from './next-step.ts'

/**
 * What was done: the queue is to have the job again (`send`, with `publishNo`), or it ended, or there was nothing to do.
 * `job` is what it is now.
 */
export type RedispatchResult = {
  step: 'send' | 'ended' | 'leased' | 'wait' | null
  job: Job
  publishNo: number | null
  leaseRemainingSeconds: number
}

type CarriedRow = Job & {
  step: RedispatchResult['step']
  publish_no: number | null
  lease_remaining_seconds: number | null
}

function redispatch(due: SQL, by: 'queue' | 'sweep'): SQL {
  return sql`
    WITH due AS (${due}), ${endJobs(by)},
    published AS (
      UPDATE jobs SET publish_no = jobs.publish_no + 1, published_at = ${now}
      FROM due WHERE jobs.id = due.id AND due.step = 'send'
        AND jobs.version = due.version AND jobs.publish_no = due.publish_no
      RETURNING jobs.*
    )
    SELECT ${jobColumns('due')}, due.step, NULL::int AS publish_no, due.lease_remaining_seconds
    FROM due WHERE due.step IS NULL OR due.step IN ('wait', 'leased')
    UNION ALL SELECT ${jobColumns('ended')}, 'ended', NULL, NULL FROM ended
    UNION ALL SELECT ${jobColumns('published')}, 'send', published.publish_no, NULL FROM published`
}

function toCarried(row: CarriedRow): RedispatchResult {
  return {
    step: row.step,
    job: row,
    publishNo: row.publish_no,
    leaseRemainingSeconds: row.lease_remaining_seconds ?? 0,
  }
}

/** Carries out `next` when the queue has given a message up. Undefined: no such job. */
export async function handleDeliveryFailure(database: Database, jobId: string): Promise<RedispatchResult | undefined> {
  const due = sql`
    SELECT j.*, extract(epoch FROM m.leased_until - ${now})::float8 AS lease_remaining_seconds, ${nextStep} AS step
    FROM jobs j JOIN machines m ON m.id = j.machine_id WHERE j.id = ${jobId}::uuid`
  const [row] = await database.batch<CarriedRow>([lockMachineOf(jobId), redispatch(due, 'queue')])
  return row && toCarried(row)
}

/**
 * Carries out `next` for up to `limit` jobs that nobody else takes care of: not handed over 5 s after the request, given
 * up silently by the queue, or PENDING past the time. One statement: a machine that another holds is skipped, one that
 * is had is read anew by its lock, and a job that moved meanwhile is left alone by the guard on its version. What ends
 * comes first: it needs no queue, and must not wait behind what a queue that is away does not take.
 */
export async function redispatchDueJobs(database: Database, limit: number): Promise<RedispatchResult[]> {
  // Each of the three is a range of an index; an OR would have to read all open jobs and their machines. As an array,
  // because PostgreSQL, which takes all old jobs for due, would otherwise rather read all machines than these few.
  const candidates = sql`
    SELECT id FROM jobs WHERE state IN ('QUEUED', 'SENT')
      AND published_at IS NULL AND requested_at <= ${now} - interval '5 seconds'
    UNION ALL
    SELECT id FROM jobs WHERE state IN ('QUEUED', 'SENT') AND published_at <= ${now} - interval '37 seconds'
      AND (command = 'START' OR published_at <= ${now} - interval '61 seconds')
    UNION ALL
    SELECT id FROM jobs WHERE state = 'PENDING'
      AND pending_since <= ${now} - interval '${sql.raw(String(pendingSeconds))} seconds'`
  const due = sql`
    SELECT j.*, NULL::float8 AS lease_remaining_seconds, ${nextStep} AS step
    FROM jobs j JOIN machines m ON m.id = j.machine_id
    WHERE j.id = ANY (ARRAY(${candidates}))
      AND (j.state = 'PENDING' OR m.leased_until IS NULL OR m.leased_until <= ${now})
    ORDER BY ${nextStep} = 'send', j.requested_at LIMIT ${limit}
    FOR NO KEY UPDATE OF m SKIP LOCKED`
  return (await database.query<CarriedRow>(redispatch(due, 'sweep'))).map(toCarried)
}

/** Remembers that the queue has a message, or, with `taken` false, that it did not take it. */
export async function markPublished(
  database: Database,
  sent: { jobId: string; publishNo: number }[],
  taken: boolean,
): Promise<void> {
  await database.query(sql`
    UPDATE jobs SET published_at = CASE WHEN ${taken}::boolean THEN ${now} END
    FROM unnest(${sql.param(sent.map(({ jobId }) => jobId))}::uuid[],
        ${sql.param(sent.map(({ publishNo }) => publishNo))}::int[])
      AS sent (job_id, publish_no)
    WHERE jobs.id = sent.job_id AND jobs.publish_no = sent.publish_no`)
}
