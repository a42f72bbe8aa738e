// Calls the callbacks in place of QStash, with its signature. The test decides when a job is delivered, how often and
// with which signature.
import type { Answer, Person, World } from '../harness.ts'
import { signDelivery } from '../platform/qstash/signature.ts'

export const deliverPath = '/api/callbacks/jobs/deliver'
export const failedPath = '/api/callbacks/jobs/failed'

/** A port without a server: an unavailable queue. */
export const unusedUrl = 'http://127.0.0.1:1'

/** Posts a callback, with a valid signature unless another is given. */
export function postCallback(world: World, path: string, body: unknown, signature?: string | null): Promise<Answer> {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const signed =
    signature === undefined
      ? signDelivery(world.qstash.currentSigningKey, `${world.url}${path}`, Buffer.from(text), Date.now())
      : signature
  return world.request('POST', path, { body: text, headers: signed === null ? {} : { 'Upstash-Signature': signed } })
}

/** Delivers a job at once, even before its next attempt may begin. */
export const deliverEarly = (world: World, jobId: string): Promise<Answer> =>
  postCallback(world, deliverPath, { job_id: jobId })

/** Delivers a job when the delay before its next attempt has passed. */
export async function deliver(world: World, jobId: string): Promise<Answer> {
  await waitUntilDue(world, jobId)
  return deliverEarly(world, jobId)
}

/** Sends the failure callback of QStash: https://upstash.com/docs/qstash/features/callbacks */
export const sendFailureCallback = (world: World, jobId: string): Promise<Answer> =>
  postCallback(world, failedPath, {
    status: 503,
    retried: 3,
    maxRetries: 3,
    sourceMessageId: 'msg_1',
    url: `${world.url}${deliverPath}`,
    sourceBody: Buffer.from(JSON.stringify({ job_id: jobId })).toString('base64'),
  })

export type JobRow = Record<string, unknown>

/** All columns of a job. */
export async function readRow(world: World, jobId: string): Promise<JobRow> {
  const [row] = await world.postgres.query('SELECT to_jsonb(jobs) AS job FROM jobs WHERE id = $1', [jobId])
  if (!row) throw new Error(`there is no job ${jobId}`)
  return row.job as JobRow // to_jsonb of a row
}

/** The timeline without its times. */
export async function readTimeline(world: World, jobId: string): Promise<unknown[]> {
  const rows = await world.postgres.query(
    'SELECT version, state, attempt, by, reason, detail FROM job_events WHERE job_id = $1 ORDER BY version',
    [jobId],
  )
  return rows.map(({ version, state, attempt, by, reason, detail }) => [version, state, attempt, by, reason, detail])
}

export async function readMachineStatus(world: World, machineId: number): Promise<unknown> {
  const [row] = await world.postgres.query('SELECT status FROM machines WHERE id = $1', [machineId])
  return row?.status
}

export const setMachineStatus = (world: World, machineId: number, status: string) =>
  world.postgres.query('UPDATE machines SET status = $2 WHERE id = $1', [machineId, status])

/** Makes the lease of the machine expire. */
export const endLease = (world: World, machineId: number) =>
  world.postgres.query("UPDATE machines SET leased_until = now() - interval '1 second' WHERE id = $1", [machineId])

/** When the sweep takes care of a job after this column has passed. */
const dueAfter = { not_after: '0 seconds', pending_since: '10 minutes' } as const

/** Moves a time of a job into the past, and the time at which the sweep takes care of it. */
export const rewind = (world: World, jobId: string, column: keyof typeof dueAfter, by: string) =>
  world.postgres.query(
    `UPDATE jobs SET ${column} = now() - $2::interval, due_at = now() - $2::interval + $3::interval WHERE id = $1`,
    [jobId, by, dueAfter[column]],
  )

/** Lets the delay before the next attempt of a job pass. */
export const waitUntilDue = (world: World, jobId: string) =>
  world.postgres.query('UPDATE jobs SET next_attempt_at = now() WHERE id = $1 AND next_attempt_at > now()', [jobId])

/** Requests a job. @throws Error when it is not accepted */
export async function request(world: World, person: Person, machineId: number, command: 'START' | 'STOP') {
  const answer = await world.operate(person, machineId, command)
  if (answer.status !== 202) throw new Error(`${command} was answered ${answer.status}: ${answer.text}`)
  return answer.body
}
