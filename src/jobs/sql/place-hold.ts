// Places a hold. In this slice, because a hold supersedes a START that has not been sent.
import { sql } from 'drizzle-orm'
import { recordEvents } from '../../accounts/sql/audit.ts'
import { lockAccount, requireCaller, selectCaller } from '../../accounts/sql/caller.ts'
import type { SessionCaller } from '../../http/context.ts'
import type { Database } from '../../infra/database.ts'
import { prepare } from '../../infra/prepare.ts'
import { firstOf, sqlList } from '../../infra/rows.ts'
import { TiebarError } from '../../kernel/error.ts'
import type { ChangedMachine } from '../../machines/feed.ts'
import type { Hold } from '../../machines/hold.ts'
import { explainRefusal } from '../../machines/refusals.ts'
import { changedMachine, lockMachine, selectMachine } from '../../machines/sql/fragments.ts'
import { holdColumns, isInForce, toHold } from '../../machines/sql/hold.ts'
import { type RoleRefusal, refusalsBelow } from '../../sites/sql/role.ts'
import { heldCommands } from '../commands.ts'
import { type JobRow, jobColumns, now, selectOpenJobs } from './fragments.ts'
import { holdEvent } from './holds.ts'

const isHeldJob = sql`open_jobs.command IN (${sqlList(heldCommands)})`

type PlaceDecision = RoleRefusal | 'start_in_flight' | 'present' | 'placed'
export type PlacedHold = {
  hold: Hold
  isNew: boolean
  superseded: JobRow | undefined
  /** The machine, if it has changed. */
  machine: ChangedMachine | null
  callerId: number
}

const decision = firstOf<PlaceDecision>([
  ...refusalsBelow('operator', 'machine'),
  [sql`EXISTS (SELECT FROM open_jobs WHERE ${isHeldJob} AND state <> 'QUEUED')`, 'start_in_flight'],
  [sql`EXISTS (SELECT FROM present)`, 'present'],
  [sql`true`, 'placed'],
])

const placing = prepare<SessionCaller & { machineId: number; reason: string }>(
  (value) => sql`
    WITH caller AS (${selectCaller(value)}), machine AS MATERIALIZED (${selectMachine(value.machineId)}),
    open_jobs AS (${selectOpenJobs(value.machineId)}),
    present AS (
      SELECT h.* FROM caller JOIN holds h ON h.machine_id = ${value.machineId}::bigint AND h.placed_by = caller.id AND ${isInForce}
    ),
    decision AS (SELECT ${decision} AS decision FROM caller LEFT JOIN machine ON true),
    superseded AS (
      UPDATE jobs SET state = 'SUPERSEDED', result = 'IGNORE', reason = 'by_hold', finished_at = ${now},
        version = jobs.version + 1
      FROM decision, open_jobs
      WHERE decision.decision IN ('placed', 'present') AND jobs.id = open_jobs.id AND jobs.version = open_jobs.version
        AND ${isHeldJob}
      RETURNING jobs.*
    ),
    job_event AS (
      INSERT INTO job_events (job_id, version, state, at, attempt, by, reason)
      SELECT superseded.id, version, state, ${now}, nullif(attempts, 0), caller.id::text, reason FROM superseded, caller
    ),
    added AS (
      INSERT INTO holds (machine_id, reason, placed_by, placed_at)
      SELECT ${value.machineId}::bigint, ${value.reason}, caller.id, ${now} FROM caller, decision WHERE decision.decision = 'placed'
      RETURNING *
    ),
    changed AS (
      UPDATE machines m SET revision = m.revision + 1,
        ended_sequence = greatest(m.ended_sequence, (SELECT sequence FROM superseded))
      FROM decision WHERE m.id = ${value.machineId}::bigint AND decision.decision IN ('placed', 'present')
        AND (EXISTS (SELECT FROM added) OR EXISTS (SELECT FROM superseded))
      RETURNING ${changedMachine}
    ),
    events AS (${recordEvents(holdEvent('hold.place', 'added'))}),
    h AS (SELECT * FROM added UNION ALL SELECT present.* FROM present, decision WHERE decision.decision = 'present')
    SELECT decision.decision, caller.id AS caller_id, (SELECT to_jsonb(superseded) FROM superseded) AS superseded,
      (SELECT id FROM open_jobs) AS open_job_id, (SELECT to_jsonb(changed) FROM changed) AS changed, ${holdColumns}
    FROM caller CROSS JOIN decision LEFT JOIN h ON true`,
)

/**
 * Places a hold, under the lock of the machine. A START that is QUEUED is superseded. If the caller has a hold there
 * already, that one stays. The account is locked, too: otherwise it could be deleted now, and nobody could remove the hold.
 * @throws TiebarError `start_in_flight`, `not_found`, `not_owner`, `role_too_low`, `session_ended`
 */
export async function placeHold(
  database: Database,
  caller: SessionCaller,
  machineId: number,
  reason: string,
): Promise<PlacedHold> {
  type Row = Hold & {
    decision: PlaceDecision
    caller_id: number
    superseded: JobRow | null
    open_job_id: string | null
    changed: ChangedMachine | null
  }
  const rows = await database.batch<Row>('place-hold', [
    lockAccount(caller),
    lockMachine(caller, machineId, 'operator'),
    placing({ ...caller, machineId, reason }),
  ])
  const { decision: decided, caller_id: callerId, superseded, open_job_id, changed, ...hold } = requireCaller(rows)
  if (decided === 'start_in_flight') {
    const detail = 'A START was sent to the machine, and may be executed. Send a STOP first.'
    throw new TiebarError(decided, detail, open_job_id === null ? {} : { jobId: open_job_id })
  }
  if (decided !== 'placed' && decided !== 'present') throw explainRefusal(decided)
  return {
    hold: toHold(hold),
    isNew: decided === 'placed',
    superseded: superseded === null ? undefined : jobColumns.fromJson(superseded),
    machine: changed,
    callerId,
  }
}
