// The reports that are measured: one that changes only counters, and one that fetches a command.

import { refreshReports } from '../../src/jobs/sql/refresh-reports.ts'
import type { ReportRow } from '../../src/jobs/sql/report-input.ts'
import { storeReports } from '../../src/jobs/sql/store-reports.ts'
import { reportFloor } from './floors.ts'
import { hashInPlan, idInPlan, planOf } from './plan.ts'
import type { BenchPlatform } from './platform.ts'
import type { Route } from './routes.ts'
import type { Scene } from './scene.ts'

const report = { boot_id: 'bench', seq: 1, status: 'READY', cycles: 1, interval_seconds: 300 } as const
const row: ReportRow = {
  ...report,
  machine_id: idInPlan,
  mode: null,
  remote_enabled: null,
  last_cycle_ms: null,
  alarm_code: null,
  alarm_text: null,
  outcome_job_id: null,
}

/** How many machines fetch a command in one turn. */
const pulledCount = 1_000

export async function planReports({ key, machineIds }: Scene): Promise<Route[]> {
  const caller = { ...key.caller, secretHash: hashInPlan }
  const pulled = machineIds.slice(0, pulledCount)
  const shots = (ids: number[], path: (id: number) => string) =>
    ids.map((id) => ({ method: 'POST', path: path(id), token: key.secret, body: JSON.stringify(report) }))
  const route = (ids: number[], name: 'report' | 'pull') => ({
    name,
    status: 200,
    ours: shots(ids, (id) => `/api/machines/${id}/reports`),
    bare: shots(ids, (id) => `/${name}/${id}`),
    isOnce: true,
  })
  const taking = await planOf((database) => refreshReports(database, caller, [row], null))
  const storing = await planOf((database) => storeReports(database, caller, [row], null))
  const [first] = taking.statements
  return [
    {
      ...route(machineIds, 'report'),
      plan: { takesKey: true, ...taking },
      floor: { takesKey: true, ...reportFloor(key.caller.keyId, report) },
      reset: resetReports,
    },
    {
      ...route(pulled, 'pull'),
      plan: { takesKey: true, ...(first && { first }), ...storing, signedTokens: 2 },
      async reset(platform) {
        await resetReports(platform)
        await queueStarts(platform, pulled)
      },
    },
  ]
}

/** Every machine has reported once, and the next report of it is new. */
export async function resetReports({ postgres }: BenchPlatform): Promise<void> {
  await postgres.query(`
    INSERT INTO machine_reports (machine_id, boot_id, seq, status, interval_seconds, at)
    SELECT id, 'bench', 0, 'READY', 300, now() FROM machines
    ON CONFLICT (machine_id) DO UPDATE SET boot_id = 'bench', seq = 0, at = now()`)
  await postgres.query(`
    UPDATE machines SET status = 'READY', status_source = 'report', confirmed_sequence = last_sequence
    WHERE status_source <> 'report' OR confirmed_sequence <> last_sequence`)
}

/** Each of these machines has a START to fetch. */
async function queueStarts({ postgres }: BenchPlatform, machineIds: number[]): Promise<void> {
  await postgres.query('DELETE FROM job_events')
  await postgres.query(`DELETE FROM jobs WHERE state IN ('QUEUED', 'SENT')`)
  await postgres.query(
    `UPDATE machines SET controller_url = NULL, leased_until = NULL, last_sequence = last_sequence + 1
     WHERE id = ANY ($1::bigint[])`,
    [machineIds],
  )
  await postgres.query(
    `INSERT INTO jobs (id, machine_id, machine_owner_id, command, sequence, state, requested_by, requested_at, not_after, due_at)
     SELECT gen_random_uuid(), id, owner_id, 'START', last_sequence, 'QUEUED', owner_id, now(), now() + interval '900 seconds', now()
     FROM machines WHERE id = ANY ($1::bigint[])`,
    [machineIds],
  )
}
