// Counts the cost of one job: a START that succeeds and is polled three times while it runs, and the bytes that it
// stores.
import { startController } from '../platform/controller.ts'
import { startHttpServer } from '../platform/http.ts'
import { type BenchPlatform, type Servers, startPlatform } from './platform.ts'
import { insertEndedJobs, setScene } from './scene.ts'
import { serve } from './workerd.ts'

export type JobCost = {
  worker_requests: number
  postgres_requests: number
  redis_requests: number
  redis_commands: number
  qstash_messages: number
  rows: number
  /** With indexes. */
  bytes: number
}

const looks = 3
const sampleSize = 20_000

export async function measureCost(dir: string, compatibilityDate: string, servers: Servers): Promise<JobCost> {
  const platform = await startPlatform(servers, { delivers: true })
  const controller = await startController()
  let commands = 0
  // A pipeline is a list of commands, so the commands are counted on the wire.
  const wire = await startHttpServer('wire', async ({ target, headers, body }) => {
    const sent: unknown = JSON.parse(body.toString())
    commands += Array.isArray(sent) && Array.isArray(sent[0]) ? sent.length : 1
    const response = await fetch(`${platform.redis.url}${target}`, {
      method: 'POST',
      headers: { Authorization: headers.authorization ?? '' },
      body: new Uint8Array(body),
    })
    return { status: response.status, body: await response.text() }
  })
  const vars = (origin: string) => ({ ...platform.vars(origin), UPSTASH_REDIS_REST_URL: wire.url })
  const worker = await serve(dir, compatibilityDate, vars)
  try {
    const { accessTokens, machineIds, caller } = await setScene(platform, worker.origin, 0, 1)
    const [machineId = 0] = machineIds
    // The controller has confirmed the machine before: that is done once.
    await platform.postgres.query(
      'UPDATE machines SET controller_url = $1, confirmed_address = $1, controller_confirmed_at = now()',
      [`${controller.url}/machines/one`],
    )
    platform.record(true)
    const { rows, requests } = await runOne(platform, worker.origin, accessTokens[0] ?? '', machineId)
    platform.record(false)
    const count = (service: string) => platform.exchanges.filter((each) => each.service === service).length
    const messages = count('qstash')
    return {
      worker_requests: requests + messages, // each message is delivered to the Worker
      postgres_requests: count('postgres'),
      redis_requests: count('redis'),
      redis_commands: commands,
      qstash_messages: messages,
      rows,
      bytes: await measureBytes(platform, machineId, caller.accountId, rows - 1),
    }
  } finally {
    await worker.close()
    await Promise.all([wire.close(), controller.close()])
    await platform.close()
  }
}

/** Starts the machine and polls the job until it has ended, at least three times. */
async function runOne({ postgres }: BenchPlatform, origin: string, token: string, machineId: number) {
  const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' }
  const url = `${origin}/api/machines/${machineId}/operation`
  const started = await fetch(url, { method: 'POST', headers, body: '{"command":"START"}' })
  if (started.status !== 202) throw new Error(`START answered ${started.status}: ${await started.text()}`)
  const { id } = (await started.json()) as { id: string } // a job
  let requests = 1
  for (let state = 'QUEUED'; state !== 'SUCCEEDED' || requests <= looks; requests++) {
    if (requests > 100) throw new Error(`the job is still ${state}`)
    await new Promise((resolve) => setTimeout(resolve, 100))
    const answer = await fetch(`${origin}/api/jobs/${id}`, { headers })
    state = ((await answer.json()) as { state: string }).state // as above
  }
  const [counted] = await postgres.query('SELECT count(*)::int AS events FROM job_events WHERE job_id = $1', [id])
  return { requests, rows: 1 + Number(counted?.events) }
}

/** Average bytes in PostgreSQL of a job with this number of events. */
async function measureBytes(platform: BenchPlatform, machineId: number, accountId: number, events: number) {
  const size = async () => {
    const [row] = await platform.postgres.query(
      `SELECT (pg_total_relation_size('jobs') + pg_total_relation_size('job_events'))::float8 AS bytes`,
    )
    return Number(row?.bytes)
  }
  const before = await size()
  const jobs = await insertEndedJobs(platform, machineId, accountId, sampleSize)
  await platform.postgres.query(
    `INSERT INTO job_events (job_id, version, state, at, attempt, by)
     SELECT id::uuid, n, 'SUCCEEDED', now(), 1, 'controller' FROM unnest($1::text[]) id, generate_series(1, $2::int) n`,
    [jobs.map(({ id }) => String(id)), events],
  )
  return Math.round(((await size()) - before) / sampleSize)
}
