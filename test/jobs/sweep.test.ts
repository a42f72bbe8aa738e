// The sweep: which jobs it publishes or ends, which it ignores, and two sweeps at the same time.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { hasRealPostgres, type Person, startWorld, type World } from '../harness.ts'
import { open, shut } from '../platform/faults.ts'
import {
  deliver,
  endLease,
  keepMessages,
  readMachineStatus,
  readRow,
  readTimeline,
  request,
  rewind,
} from './qstash-calls.ts'

let world: World
let owner: Person
beforeAll(async () => {
  // A world of its own: the tests count everything that a sweep does.
  world = await startWorld()
  owner = await world.signUp()
})
afterAll(() => world?.close())

type Item = { body: string; headers: Record<string, string> }
/** The messages of each sweep: several are sent as a batch, one is sent alone. */
const batches = (): Item[][] =>
  world.requestsTo('qstash').flatMap(({ target, headers, body }) => {
    if (target === '/v2/batch') return [JSON.parse(body.toString()) as Item[]] // the SDK's own format
    const isFirst = String(headers['upstash-deduplication-id']).endsWith(':1') // not by the sweep
    return isFirst ? [] : [[{ body: body.toString(), headers: headers as Item['headers'] }]] // single values
  })

beforeEach(async () => {
  // Each test has its own due jobs.
  await world.postgres.query('UPDATE jobs SET published_at = now()')
  world.faults.qstash.pass = keepMessages
  world.exchanges.length = 0
})

/** A job that QStash has not accepted, requested this many seconds ago. */
async function queue(command: 'START' | 'STOP' = 'START', secondsAgo = 6) {
  const machine = await world.createMachine(owner, { status: command === 'START' ? 'READY' : 'RUNNING' })
  world.faults.qstash.pass = shut
  const job = await request(world, owner, machine.id, command)
  world.faults.qstash.pass = keepMessages
  const older = 'UPDATE jobs SET requested_at = requested_at - make_interval(secs => $2) WHERE id = $1'
  await world.postgres.query(older, [job.id, secondsAgo])
  return { machine, job }
}

const publishedJobIds = () => batches().map((batch) => batch.map(({ body }) => JSON.parse(body).job_id))

describe('a job that QStash did not accept', () => {
  test('is published when it is 5 s old, with the next number', async () => {
    const { job } = await queue('STOP')
    await world.sweep()
    expect(publishedJobIds()).toEqual([[job.id]])
    expect(batches()[0]?.[0]?.headers).toMatchObject({
      'upstash-deduplication-id': `${job.id}:2`,
      'upstash-retries': '5',
      'upstash-label': 'tiebar-stop',
    })
    const row = await readRow(world, job.id)
    expect(row).toMatchObject({ state: 'QUEUED', publish_no: 2, version: 1 })
    expect(row.published_at).not.toBeNull()
  })

  test('is not published by the sweep before that', async () => {
    await queue('START', 3)
    await world.sweep()
    expect(batches()).toEqual([])
  })

  test('is sent when QStash is available again, and succeeds', async () => {
    const { job } = await queue()
    world.faults.qstash.pass = shut
    await world.sweep()
    expect(await readRow(world, job.id)).toMatchObject({ state: 'QUEUED', publish_no: 2, published_at: null })
    world.faults.qstash.pass = open
    await world.sweep()
    await world.waitForJob(owner, job.id, 'SUCCEEDED')
  })

  test('is EXPIRED after not_after: a late START is never sent', async () => {
    const { machine, job } = await queue()
    await rewind(world, job.id, 'not_after', '0 seconds')
    await world.sweep()
    expect(await readRow(world, job.id)).toMatchObject({ state: 'EXPIRED', reason: 'not_in_time' })
    expect((await readTimeline(world, job.id)).at(-1)).toEqual([2, 'EXPIRED', null, 'sweep', 'not_in_time', null])
    expect(batches()).toEqual([])
    expect(await readMachineStatus(world, machine.id)).toBe('READY')
  })
})

describe('a message that QStash accepted and lost', () => {
  test.each([
    ['START', 36, 38],
    ['STOP', 60, 62],
  ] as const)('%s: is published again after %i s', async (command, before, after) => {
    const { job } = await queue(command)
    await rewind(world, job.id, 'published_at', `${before} seconds`)
    await world.sweep()
    expect(batches()).toEqual([])
    await rewind(world, job.id, 'published_at', `${after} seconds`)
    await world.sweep()
    expect(publishedJobIds()).toEqual([[job.id]])
  })

  test('is published again after the lease, not during it', async () => {
    const { machine, job } = await queue()
    const leased = "UPDATE machines SET leased_by = 'x', leased_until = now() + interval '9 seconds' WHERE id = $1"
    await world.postgres.query(leased, [machine.id])
    await world.sweep()
    expect(batches()).toEqual([])
    await endLease(world, machine.id)
    await world.sweep()
    expect(publishedJobIds()).toEqual([[job.id]])
  })
})

test('a SENT job whose Worker stopped is ended after its last attempt', async () => {
  const { machine, job } = await queue()
  machine.behave({ mode: 'fail', status: 503 })
  for (let n = 0; n < 4; n += 1) await deliver(world, job.id)
  await rewind(world, job.id, 'published_at', '1 minute')
  await world.sweep()
  expect(await readRow(world, job.id)).toMatchObject({ state: 'FAILED', reason: 'unreachable' })
  expect(await readMachineStatus(world, machine.id)).toBe('ERROR')
  expect(String(await world.redis.command('GET', `job:${job.id}`))).toContain('"state":"FAILED"')
})

/** This number of QUEUED STOPs that QStash has not accepted, each on its own machine. */
async function queueMany(count: number): Promise<void> {
  await world.postgres.query(
    `WITH machine AS (
      INSERT INTO machines (name, location, status, owner_id, controller_url)
      SELECT 'many', 'Hall 1', 'RUNNING', $1, 'http://127.0.0.1:1' FROM generate_series(1, $2::int) RETURNING id
    )
    INSERT INTO jobs (id, machine_id, machine_owner_id, command, state, requested_by, requested_at, not_after)
    SELECT gen_random_uuid(), id, $1, 'STOP', 'QUEUED', $1, now() - interval '1 minute', now() + interval '5 minutes'
    FROM machine`,
    [owner.id, count],
  )
}

const countManyUnpublished = async () => {
  const [row] = await world.postgres.query(
    `SELECT count(*) FILTER (WHERE published_at IS NULL)::int AS n, max(publish_no) AS no
    FROM jobs j JOIN machines m ON m.id = j.machine_id WHERE m.name = 'many' AND state = 'QUEUED'`,
  )
  return [row?.n, row?.no]
}

describe('more than a hundred due jobs', () => {
  test('are published in batches of a hundred until none is due', async () => {
    await queueMany(230)
    await world.sweep()
    expect(batches().map((batch) => batch.length)).toEqual([100, 100, 30])
    expect(new Set(publishedJobIds().flat()).size).toBe(230)
    expect(await countManyUnpublished()).toEqual([0, 2])
    await world.postgres.query("DELETE FROM jobs USING machines m WHERE m.id = machine_id AND m.name = 'many'")
  })

  test('do not prevent other jobs from ending while QStash is unavailable: the sweep tries one batch and stops', async () => {
    const { machine, job } = await queue()
    machine.behave({ mode: 'fail', status: 200, body: { result: 'PENDING' } })
    await deliver(world, job.id)
    await rewind(world, job.id, 'pending_since', '11 minutes')
    await queueMany(150)
    world.faults.qstash.pass = shut
    await world.sweep()
    expect(batches()).toHaveLength(1)
    expect(await countManyUnpublished()).toEqual([150, 2])
    expect(await readRow(world, job.id)).toMatchObject({ state: 'TIMED_OUT', reason: 'no_report' })
    await world.postgres.query("DELETE FROM jobs USING machines m WHERE m.id = machine_id AND m.name = 'many'")
  })
})

test('only the messages of a batch that QStash refused are due again', async () => {
  const [one, other] = [await queue('STOP', 8), await queue('STOP', 7)]
  world.faults.qstash.pass = async () => ({ body: [{ messageId: 'msg_1' }, { error: 'too large' }] })
  await world.sweep()
  expect((await readRow(world, one.job.id)).published_at).not.toBeNull()
  expect(await readRow(world, other.job.id)).toMatchObject({ published_at: null, publish_no: 2 })
})

test('two simultaneous sweeps publish a job once and end a job once', async () => {
  const sent = await queue('STOP')
  const late = await queue()
  await rewind(world, late.job.id, 'not_after', '0 seconds')
  await Promise.all(Array.from({ length: hasRealPostgres ? 4 : 2 }, () => world.sweep()))
  expect(publishedJobIds().flat()).toEqual([sent.job.id])
  expect(await readRow(world, late.job.id)).toMatchObject({ state: 'EXPIRED', version: 2 })
  expect(await readTimeline(world, late.job.id)).toHaveLength(2)
})

test('the sweep logs what it did', async () => {
  await queue('STOP')
  await world.sweep()
  const line = world.logs().findLast(({ channel }) => channel === 'sweep')
  expect(line).toMatchObject({ published: 1, not_published: 0, ended: 0, duration_ms: expect.any(Number) })
})
