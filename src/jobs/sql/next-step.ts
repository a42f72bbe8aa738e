// The one rule of what happens next to a job. Claim, failure callback and sweep carry it out.
import { type SQL, sql } from 'drizzle-orm'
import { pendingSeconds, startAttempts } from '../job.ts'
import { now } from './fragments.ts'

export type Step =
  | 'wait'
  | 'leased'
  | 'send'
  | 'expire'
  | 'reject'
  | 'fail_outcome_unknown'
  | 'fail_unreachable'
  | 'time_out'

/**
 * What happens next to a job `j` of a machine `m`, as a `Step`. Null: the job has ended, nothing does.
 * A START whose machine changed is rejected only while it is certain that it was never carried out.
 */
export const nextStep = sql.raw(`CASE
  WHEN j.state = 'PENDING' AND j.pending_since + interval '${pendingSeconds} seconds' <= statement_timestamp() THEN 'time_out'
  WHEN j.state = 'PENDING' THEN 'wait'
  WHEN j.state NOT IN ('QUEUED', 'SENT') THEN NULL
  WHEN m.leased_until > statement_timestamp() THEN 'leased'
  WHEN j.command = 'START' AND j.attempts >= ${startAttempts} AND j.may_have_executed THEN 'fail_outcome_unknown'
  WHEN j.command = 'START' AND j.attempts >= ${startAttempts} THEN 'fail_unreachable'
  WHEN j.not_after <= statement_timestamp() AND j.may_have_executed THEN 'fail_outcome_unknown'
  WHEN j.not_after <= statement_timestamp() THEN 'expire'
  WHEN (m.deleted_at IS NOT NULL OR m.controller_url IS NULL OR (j.command = 'START' AND m.status <> 'READY'))
    THEN CASE WHEN j.may_have_executed THEN 'fail_outcome_unknown' ELSE 'reject' END
  ELSE 'send' END`)

/** How the steps that end a job end it. A machine whose job ended so is in ERROR, or only if the job had to succeed. */
const ends = sql.raw(`ends (step, state, result, reason, is_machine_lost) AS (VALUES
  ('expire', 'EXPIRED', 'IGNORE', 'not_in_time', false),
  ('reject', 'REJECTED', 'INVALIDCOMMAND', 'changed', false),
  ('fail_outcome_unknown', 'FAILED', 'INTERNALFAILED', 'outcome_unknown', true),
  ('fail_unreachable', 'FAILED', 'INTERNALFAILED', 'unreachable', true),
  ('time_out', 'TIMED_OUT', 'INTERNALFAILED', 'no_report', true))`)

/** Ends the jobs of `due` whose step says so, with event and machine. Needs `due (id, version, step)`. */
export function endJobs(by: 'queue' | 'sweep'): SQL {
  return sql`${ends},
    ended AS (
      UPDATE jobs SET state = ends.state, result = ends.result, reason = ends.reason, finished_at = ${now},
        version = jobs.version + 1
      FROM due JOIN ends ON ends.step = due.step
      WHERE jobs.id = due.id AND jobs.version = due.version
      RETURNING jobs.*, ends.is_machine_lost
    ),
    ended_events AS (
      INSERT INTO job_events (job_id, version, state, at, attempt, by, reason)
      SELECT id, version, state, ${now}, nullif(attempts, 0), ${by}, reason FROM ended
    ),
    lost_machines AS (
      UPDATE machines SET status = 'ERROR', updated_at = ${now}, revision = revision + 1
      FROM ended WHERE machines.id = ended.machine_id AND (ended.is_machine_lost OR ended.must_succeed)
    )`
}
