// Counts the cost of one report that changes only counters: calls, rows and write-ahead log.
import { type BenchPlatform, type Servers, startPlatform } from './platform.ts'
import { resetReports } from './reports.ts'
import { setScene } from './scene.ts'
import { serve } from './workerd.ts'

export type ReportCost = {
  postgres_requests: number
  redis_requests: number
  /** Heap-only updates among all updates: these change no index. */
  hot_updates: number
  wal_bytes: number
}

const machineCount = 100
const reportsEach = 20

export async function measureReportCost(dir: string, date: string, servers: Servers): Promise<ReportCost> {
  const platform = await startPlatform(servers)
  const worker = await serve(dir, date, platform.vars)
  try {
    const { key, machineIds } = await setScene(platform, worker.origin, 0, machineCount)
    await resetReports(platform)
    await platform.postgres.query('CHECKPOINT')
    const send = async (seq: number) => {
      for (const id of machineIds) {
        const body = JSON.stringify({ boot_id: 'bench', seq, status: 'READY', cycles: seq, interval_seconds: 300 })
        const headers = { Authorization: `Bearer ${key.secret}`, 'Content-Type': 'application/json' }
        const answer = await fetch(`${worker.origin}/api/machines/${id}/reports`, { method: 'POST', headers, body })
        if (answer.status !== 200) throw new Error(`the report was answered ${answer.status}: ${await answer.text()}`)
      }
    }
    await send(1) // the first change of a page after a checkpoint writes the whole page
    platform.record(true)
    const before = await readPosition(platform)
    for (let seq = 2; seq < 2 + reportsEach; seq += 1) await send(seq)
    const after = await readPosition(platform)
    platform.record(false)
    const count = machineCount * reportsEach
    const callsOf = (service: string) => platform.exchanges.filter((each) => each.service === service).length / count
    return {
      postgres_requests: callsOf('postgres'),
      redis_requests: callsOf('redis'),
      hot_updates: await readHotShare(platform),
      wal_bytes: Math.round((after - before) / count),
    }
  } finally {
    await worker.close()
    await platform.close()
  }
}

/** Bytes of write-ahead log since the server was made. */
async function readPosition({ postgres }: BenchPlatform): Promise<number> {
  const [row] = await postgres.query(`SELECT (pg_current_wal_insert_lsn() - '0/0')::float8 AS bytes`)
  return Number(row?.bytes)
}

async function readHotShare({ postgres }: BenchPlatform): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const [row] = await postgres.query(
      "SELECT n_tup_upd::float8 AS updates, n_tup_hot_upd::float8 AS hot FROM pg_stat_user_tables WHERE relname = 'machine_reports'",
    )
    const { updates, hot } = { updates: Number(row?.updates), hot: Number(row?.hot) }
    if (updates >= machineCount * reportsEach) return hot / updates
    await new Promise((resolve) => setTimeout(resolve, 100)) // the server counts with a delay
  }
  throw new Error('the server has not counted the updates')
}
