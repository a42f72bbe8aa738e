// Measures the deletion of old history among a million ended jobs, and how long a START waits meanwhile.
import { openDatabase } from '../../src/infra/database.ts'
import { deleteOldJobs } from '../../src/jobs/sql/retention.ts'
import { Trace } from '../../src/kernel/trace.ts'
import type { BenchPlatform } from './platform.ts'
import { percentile } from './statistics.ts'

export type RetentionFigures = {
  /** Jobs that were deleted, with two events each, and audit events. */
  deleted: { jobs: number; audit_events: number }
  seconds: number
  /** One run of the statements, which deletes up to 1,000 jobs with their events and 1,000 audit events. */
  portion_ms: { p50: number; p99: number; max: number }
  /** A statement that stores a job on the machine whose history is deleted, meanwhile. */
  insert_ms: { p50: number; p99: number; max: number }
  /** The same before. */
  insert_before_ms: { p50: number; p99: number; max: number }
}

const keptDays = 1
const insertsBefore = 500

const insertJob = `
  WITH machine AS (UPDATE machines SET last_sequence = last_sequence + 1 WHERE id = $1 RETURNING *)
  INSERT INTO jobs (id, machine_id, machine_owner_id, command, state, requested_by, requested_at, not_after, finished_at)
  SELECT gen_random_uuid(), id, owner_id, 'START', 'EXPIRED', owner_id, now(), now(), now() FROM machine`

/** @param machineId has old ended jobs */
export async function measureRetention(platform: BenchPlatform, machineId: number): Promise<RetentionFigures> {
  const { postgres } = platform
  const { NEON_FETCH_ENDPOINT } = platform.vars('http://127.0.0.1')
  const database = openDatabase(postgres.databaseUrl, NEON_FETCH_ENDPOINT)(new Trace())
  const isOld = `finished_at < now() - interval '${keptDays} days'`
  await postgres.query(
    `INSERT INTO job_events (job_id, version, state, at, by)
      SELECT id, n, 'QUEUED', requested_at, 'queue' FROM jobs, generate_series(1, 2) n WHERE ${isOld}`,
  )
  await postgres.query(
    `INSERT INTO audit_events (at, action, subject, after)
      SELECT finished_at, 'machine.status', 'machine:' || machine_id, '{"status": "READY"}' FROM jobs WHERE ${isOld}`,
  )
  await postgres.query('VACUUM ANALYZE')
  const count = async () => {
    const [row] = await postgres.query(
      'SELECT (SELECT count(*) FROM jobs)::int AS jobs, (SELECT count(*) FROM audit_events)::int AS audit_events',
    )
    return { jobs: Number(row?.jobs), audit_events: Number(row?.audit_events) }
  }
  const insert = () => timeOf(() => postgres.query(insertJob, [machineId]))
  const insertsAlone: number[] = []
  while (insertsAlone.length < insertsBefore) insertsAlone.push(await insert())

  const before = await count()
  const beganAt = performance.now()
  const portions: number[] = []
  const inserts: number[] = []
  let isDone = false
  const inserting = (async () => {
    while (!isDone) inserts.push(await insert())
  })()
  const step = () => deleteOldJobs(database, { historyDays: keptDays, refusalDays: keptDays })
  for (let hasMore = true; hasMore; ) {
    portions.push(
      await timeOf(async () => {
        hasMore = await step()
      }),
    )
  }
  const seconds = (performance.now() - beganAt) / 1_000
  isDone = true
  await inserting
  const after = await count()
  return {
    deleted: {
      jobs: before.jobs + inserts.length - after.jobs,
      audit_events: before.audit_events - after.audit_events,
    },
    seconds,
    portion_ms: spread(portions),
    insert_ms: spread(inserts),
    insert_before_ms: spread(insertsAlone),
  }
}

async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const beganAt = performance.now()
  await work()
  return performance.now() - beganAt
}

function spread(values: number[]) {
  return { p50: percentile(values, 50), p99: percentile(values, 99), max: Math.max(...values) }
}
