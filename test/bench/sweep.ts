// Measures the sweep among many ended jobs: with nothing to do, and its steps of 100 jobs with many jobs due.
import { createTokenIssuer } from '../../src/accounts/token.ts'
import { type Database, openDatabase } from '../../src/infra/database.ts'
import { redispatchDueJobs } from '../../src/jobs/sql/redispatch.ts'
import { sweep } from '../../src/jobs/sweep.ts'
import { UnwrittenTrace } from '../unwritten-trace.ts'
import type { BenchPlatform } from './platform.ts'
import { median } from './statistics.ts'

export type SweepFigures = {
  /** With 100,000 open jobs, of which none is due. */
  idle_ms: number
  /** 100 jobs of this number of due ones. */
  due_ms: Record<number, number>
}

const rounds = 7
const openJobs = 100_000
const dueCounts = [1_000, 10_000, 100_000]
const batchSize = 100

export async function measureSweep(platform: BenchPlatform): Promise<SweepFigures> {
  const { JWT_KEYS = '[]' } = platform.vars('http://127.0.0.1')
  const database = databaseOf(platform)
  const idle_ms = await measureIdle(platform, database, JWT_KEYS)
  const due_ms: Record<number, number> = {}
  for (const count of dueCounts) due_ms[count] = await measureDue(platform, database, count)
  return { idle_ms, due_ms }
}

/** The database as the Worker uses it. */
export function databaseOf({ postgres, vars }: BenchPlatform): Database {
  return openDatabase(postgres.databaseUrl, vars('http://127.0.0.1').NEON_FETCH_ENDPOINT)(new UnwrittenTrace())
}

/** Replaces the open jobs: one for each of the first `count` machines, every second one a START. */
export async function replaceOpenJobs({ postgres }: BenchPlatform, count: number, due: string): Promise<void> {
  await postgres.query("DELETE FROM job_events e USING jobs j WHERE j.id = e.job_id AND j.state IN ('QUEUED', 'SENT')")
  await postgres.query("DELETE FROM jobs WHERE state IN ('QUEUED', 'SENT')")
  await postgres.query(
    `INSERT INTO jobs (id, machine_id, machine_owner_id, command, sequence, state, requested_by, requested_at, not_after,
       published_at, due_at)
     SELECT gen_random_uuid(), id, owner_id, CASE WHEN id % 2 = 0 THEN 'STOP' ELSE 'START' END, 1, 'QUEUED', owner_id,
       now(), now() + interval '10 minutes', now(), now() + interval '${due}'
     FROM machines ORDER BY id LIMIT ${count}`,
  )
  await postgres.query('VACUUM ANALYZE jobs')
}

async function measureIdle(platform: BenchPlatform, database: Database, keys: string): Promise<number> {
  await replaceOpenJobs(platform, openJobs, '10 minutes')
  const never = async () => {
    throw new TypeError('nothing is due')
  }
  const context = {
    trace: new UnwrittenTrace(),
    upstreams: {
      database,
      cache: {
        read: never,
        write: async () => true,
        subscribe: never,
        readFeed: never,
        lastFeedId: never,
        ping: never,
      },
      queue: { publish: async () => [], ping: never },
      limiter: { consume: never, refund: never },
    },
    tokens: createTokenIssuer(JSON.parse(keys), 'http://localhost'),
    publicUrl: 'http://localhost',
    allowPrivateControllers: true,
    waitUntil: () => {},
  }
  return measureRounds(() => sweep(context, { historyDays: undefined, refusalDays: 30 }))
}

/** @returns the median time of a step of the sweep with `count` due jobs */
export async function measureDue(platform: BenchPlatform, database: Database, count: number): Promise<number> {
  await replaceOpenJobs(platform, count, '-1 seconds')
  return measureRounds(() => redispatchDueJobs(database, batchSize))
}

async function measureRounds(run: () => Promise<unknown>): Promise<number> {
  const durations: number[] = []
  for (let round = 0; round <= rounds; round++) {
    const beganAt = performance.now()
    await run()
    durations.push(performance.now() - beganAt)
  }
  return median(durations.slice(1))
}
