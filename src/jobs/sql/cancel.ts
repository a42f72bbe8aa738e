// A person cancels a job that is QUEUED.
import { sql } from 'drizzle-orm'
import { requireCaller, selectCaller } from '../../accounts/sql/caller.ts'
import type { Caller } from '../../http/context.ts'
import type { Database } from '../../infra/database.ts'
import { type JobRow, jobColumns, lockMachineOf, now } from './fragments.ts'

export type CancelResult = {
  decision: 'not_found' | 'not_cancelable' | 'canceled'
  job: JobRow
}

/**
 * Cancels a QUEUED job.
 * @param detail the caller's reason
 * @throws TiebarError `session_ended`
 */
export async function cancelJob(
  database: Database,
  caller: Caller,
  jobId: string,
  detail: string | null,
): Promise<CancelResult> {
  const rows = await database.batch<JobRow & { decision: CancelResult['decision'] }>('cancel-job', [
    lockMachineOf(jobId),
    sql`
    WITH caller AS (${selectCaller(caller)}),
    target AS (
      SELECT jobs.* FROM jobs, caller WHERE jobs.id = ${jobId}::uuid
        AND (caller.is_staff OR jobs.requested_by = caller.id OR jobs.machine_owner_id = caller.id)
    ),
    canceled AS (
      UPDATE jobs SET state = 'CANCELED', result = 'IGNORE', reason = 'by_person', detail = ${detail},
        finished_at = ${now}, version = jobs.version + 1
      FROM target
      WHERE jobs.id = target.id AND target.state = 'QUEUED' AND NOT target.must_succeed
      RETURNING jobs.*
    ),
    event AS (
      INSERT INTO job_events (job_id, version, state, at, by, reason, detail)
      SELECT canceled.id, version, state, ${now}, caller.id::text, reason, detail FROM canceled, caller
    ),
    current_job AS (
      SELECT ${jobColumns.of('canceled')} FROM canceled UNION ALL SELECT ${jobColumns.of('target')} FROM target
    )
    SELECT current_job.*, CASE WHEN current_job.id IS NULL THEN 'not_found'
      WHEN EXISTS (SELECT FROM canceled) THEN 'canceled' ELSE 'not_cancelable' END AS decision
    FROM caller LEFT JOIN current_job ON true ORDER BY current_job.version DESC NULLS LAST LIMIT 1`,
  ])
  const row = requireCaller(rows)
  return { decision: row.decision, job: row }
}
