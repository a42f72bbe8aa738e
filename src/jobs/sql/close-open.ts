// Closes all open jobs after a restore from a backup: they were open when the backup was made, and nobody knows what has
// become of them since.
import { sql } from 'drizzle-orm'
import { sqlList } from '../../infra/rows.ts'
import { setStatus } from '../../machines/sql/fragments.ts'
import { type JobEnd, openStates } from '../job.ts'
import { now, numberLiteral } from './fragments.ts'

const detail = 'Closed after a restore from a backup: it is not known what happened to it after the backup.'
/** Also of a QUEUED job: it may have been sent after the backup, so its outcome may still be reported. */
const end: JobEnd & { reason: string } = { state: 'FAILED', result: 'INTERNALFAILED', reason: 'outcome_unknown' }

/**
 * A controller refuses what is lower than the highest sequence that it has seen, also after the backup. No machine has had
 * this many commands since.
 */
const sequenceGap = numberLiteral(1_000_000)

const isOpen = sql`state IN (${sqlList(openStates)})`

/**
 * Statements for one transaction, which also free all leases and raise the sequence of all machines. The machines of the
 * closed jobs are in ERROR. The last statement returns `{ failed }`, the number of closed jobs.
 */
export const closeOpenJobs = [
  sql`SELECT count(*) FROM (SELECT id FROM machines ORDER BY id FOR NO KEY UPDATE) locked`,
  sql`UPDATE machines SET last_sequence = last_sequence + ${sequenceGap}, leased_by = NULL, leased_until = NULL`,
  sql`
    WITH closed AS (
      UPDATE jobs SET state = ${end.state}, result = ${end.result}, reason = ${end.reason}, detail = ${detail},
        finished_at = ${now}, version = version + 1
      WHERE ${isOpen}
      RETURNING *
    ),
    events AS (
      INSERT INTO job_events (job_id, version, state, at, attempt, by, reason, detail)
      SELECT id, version, state, ${now}, nullif(attempts, 0), 'sweep', reason, detail FROM closed
    ),
    machines_of_closed AS (
      UPDATE machines m SET ended_sequence = greatest(m.ended_sequence, closed.sequence), ${setStatus(sql`'ERROR'`, sql`'command'`)}
      FROM closed WHERE m.id = closed.machine_id
    )
    SELECT count(*) AS failed FROM closed`,
]
