// A person cancels a job that is QUEUED.
import { sql } from 'drizzle-orm'
import { requireCaller, selectCaller } from '../../accounts/sql/caller.ts'
import type { Caller } from '../../http/context.ts'
import type { Database } from '../../infra/database.ts'
import { prepare } from '../../infra/prepare.ts'
import { firstOf } from '../../infra/rows.ts'
import { isAtLeast, machineLevel, type RoleRefusal, refusalsBelow } from '../../sites/sql/role.ts'
import { type ChangedJob, jobColumns, now } from './fragments.ts'
import { isVisible } from './read.ts'

export type CancelResult = {
  decision: RoleRefusal | 'not_cancelable' | 'canceled'
  job: ChangedJob
  /** The account of the caller. */
  callerId: number
}

const locking = prepare<Caller & { jobId: string }>(
  (value) => sql`
    WITH caller AS (${selectCaller(value)})
    SELECT m.id FROM caller, jobs j JOIN machines m ON m.id = j.machine_id WHERE j.id = ${value.jobId}::uuid
      AND ${isAtLeast(machineLevel('caller', 'm'), 'operator')}
    FOR NO KEY UPDATE OF m`,
)

const decision = firstOf<CancelResult['decision']>([
  // Its requester sees the job also without a role.
  [sql`target.id IS NULL`, 'not_found'],
  [sql`target.level < 1`, 'not_owner'],
  ...refusalsBelow('operator', 'target'),
  [sql`EXISTS (SELECT FROM canceled)`, 'canceled'],
  [sql`true`, 'not_cancelable'],
])

const cancellation = prepare<Caller & { jobId: string; detail: string | null }>(
  (value) => sql`
    WITH caller AS (${selectCaller(value)}),
    target AS MATERIALIZED (
      SELECT j.*, m.site_id, ${machineLevel('caller', 'm')} AS level FROM caller, jobs j JOIN machines m ON m.id = j.machine_id
      WHERE j.id = ${value.jobId}::uuid AND ${isVisible}
    ),
    canceled AS (
      UPDATE jobs SET state = 'CANCELED', result = 'IGNORE', reason = 'by_person', detail = ${value.detail},
        finished_at = ${now}, version = jobs.version + 1
      FROM target
      WHERE jobs.id = target.id AND jobs.version = target.version AND target.state = 'QUEUED' AND NOT target.must_succeed
        AND ${isAtLeast(sql`target.level`, 'operator')}
      RETURNING jobs.*
    ),
    machine AS (
      UPDATE machines m SET ended_sequence = greatest(m.ended_sequence, canceled.sequence)
      FROM canceled WHERE m.id = canceled.machine_id
    ),
    event AS (
      INSERT INTO job_events (job_id, version, state, at, by, key_id, reason, detail)
      SELECT canceled.id, version, state, ${now}, caller.id::text, caller.key_id, reason, detail FROM canceled, caller
    ),
    current_job AS (
      SELECT ${jobColumns.of('canceled')} FROM canceled UNION ALL SELECT ${jobColumns.of('target')} FROM target
    )
    SELECT current_job.*, target.site_id, NULL::bigint AS revision, caller.id AS caller_id, ${decision} AS decision
    FROM caller LEFT JOIN current_job ON true LEFT JOIN target ON true ORDER BY current_job.version DESC NULLS LAST LIMIT 1`,
)

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
  const rows = await database.batch<ChangedJob & { decision: CancelResult['decision']; caller_id: number }>(
    'cancel-job',
    [locking({ ...caller, jobId }), cancellation({ ...caller, jobId, detail })],
  )
  const row = requireCaller(rows)
  return { decision: row.decision, job: row, callerId: row.caller_id }
}
