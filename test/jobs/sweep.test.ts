// The sweep: which jobs it publishes or ends, which it ignores, and two sweeps at the same time.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { hasRealPostgres, type Person, startWorld, type World } from '../harness.ts'
import { keepMessages, open, shut } from '../platform/faults.ts'
import { deliver, endLease, readMachineStatus, readRow, readTimeline, request, rewind } from './qstash-calls.ts'

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
  await world.postgres.query("UPDATE jobs SET published_at = now(), due_at = now() + interval '1 hour'")
  world.faults.qstash.pass = keepMessages
  world.exchanges.length = 0
})

/** A START that QStash has not accepted, requested this many seconds ago. */
async function queue(secondsAgo = 6) {
  const machine = await world.createMachine(owner)
  world.faults.qstash.pass = shut
  const job = await request(world, owner, machine.id, 'START')
  world.faults.qstash.pass = keepMessages
  const older = `UPDATE jobs SET requested_at = requested_at - make_interval(secs => $2),
    due_at = due_at - make_interval(secs => $2) WHERE id = $1`
  await world.postgres.query(older, [job.id, secondsAgo])
  return { machine, job }
}

/** A job that QStash has accepted and does not deliver. */
async function queueAtQstash(command: 'START' | 'STOP') {
  const machine = await world.createMachine(owner)
  const job = await request(world, owner, machine.id, command)
  return { machine, job }
}

const publishedJobIds = () => batches().map((batch) => batch.map(({ body }) => JSON.parse(body).job_id))

describe('a job that QStash did not accept', () => {
  test('is published when it is 5 s old, with the next number', async () => {
    const { job } = await queue()
    await world.sweep()
    expect(publishedJobIds()).toEqual([[job.id]])
    expect(batches()[0]?.[0]?.headers).toMatchObject({
      'upstash-deduplication-id': `${job.id}:2`,
      'upstash-retries': '3',
      'upstash-label': 'tiebar-start',
    })
    const row = await readRow(world, job.id)
    expect(row).toMatchObject({ state: 'QUEUED', publish_no: 2, version: 1 })
    expect(row.published_at).not.toBeNull()
  })

  test('is not published by the sweep before that', async () => {
    await queue(3)
    await world.sweep()
    expect(batches()).toEqual([])
  })

  test('is sent when QStash is available again, and succeeds', async () => {
    const { job } = await queue()
    world.faults.qstash.pass = shut
    await world.sweep()
    expect(await readRow(world, job.id)).toMatchObject({ state: 'QUEUED', publish_no: 2, published_at: null })
    world.faults.qstash.pass = open
    await world.postgres.query('UPDATE jobs SET due_at = now() WHERE id = $1', [job.id])
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
  test.each(['START', 'STOP'] as const)(
    '%s: is published again 5 s after the request, and 30 s after it was published again',
    async (command) => {
      const { job } = await queueAtQstash(command)
      const sweepAfter = async (seconds: number) => {
        const pass = 'UPDATE jobs SET due_at = due_at - make_interval(secs => $2) WHERE id = $1'
        await world.postgres.query(pass, [job.id, seconds])
        await world.sweep()
        return publishedJobIds()
      }
      const secondsUntilDue = async (since: 'requested_at' | 'published_at') => {
        const row = await readRow(world, job.id)
        return (Date.parse(String(row.due_at)) - Date.parse(String(row[since]))) / 1_000
      }
      expect(await secondsUntilDue('requested_at')).toBeCloseTo(5, 1)
      expect(await sweepAfter(5)).toEqual([[job.id]])
      expect(await secondsUntilDue('published_at')).toBeCloseTo(30, 1)
      expect(await sweepAfter(20)).toEqual([[job.id]])
      expect(await sweepAfter(10)).toEqual([[job.id], [job.id]])
    },
  )

  test('is lost later after a failed attempt, because the next one comes later', async () => {
    const { machine, job } = await queueAtQstash('STOP')
    machine.behave({ mode: 'fail', status: 503 })
    for (const delay of [1, 2, 4, 8, 16, 30]) {
      await deliver(world, job.id)
      const [row] = await world.postgres.query(
        'SELECT extract(epoch FROM due_at - now())::int AS s FROM jobs WHERE id = $1',
        [job.id],
      )
      expect(Number(row?.s)).toBeGreaterThan(delay + 27)
      expect(Number(row?.s)).toBeLessThanOrEqual(delay + 30)
    }
  })

  test('is published again after the lease, not during it', async () => {
    const { machine, job } = await queue()
    const leased = "UPDATE machines SET leased_by = 'x', leased_until = now() + interval '9 seconds' WHERE id = $1"
    await world.postgres.query(leased, [machine.id])
    await world.sweep()
    expect(batches()).toEqual([])
    await endLease(world, machine.id)
    await world.postgres.query("UPDATE jobs SET due_at = due_at - interval '9 seconds' WHERE id = $1", [job.id])
    await world.sweep()
    expect(publishedJobIds()).toEqual([[job.id]])
  })
})

test('a SENT job whose Worker stopped is ended after its last attempt', async () => {
  const { machine, job } = await queue()
  machine.behave({ mode: 'fail', status: 503 })
  for (let n = 0; n < 4; n += 1) await deliver(world, job.id)
  await world.postgres.query('UPDATE jobs SET due_at = now() WHERE id = $1', [job.id])
  await world.sweep()
  expect(await readRow(world, job.id)).toMatchObject({ state: 'FAILED', reason: 'unreachable' })
  expect(await readMachineStatus(world, machine.id)).toBe('ERROR')
  expect(String(await world.redis.command('GET', `job:${job.id}`))).toContain('"state":"FAILED"')
})

/** This number of QUEUED STARTs that QStash has not accepted, each on its own machine. */
async function queueMany(count: number): Promise<void> {
  await world.postgres.query(
    `WITH machine AS (
      INSERT INTO machines (name, location, status, owner_id, controller_url)
      SELECT 'many', 'Hall 1', 'READY', $1, 'http://127.0.0.1:1' FROM generate_series(1, $2::int) RETURNING id
    )
    INSERT INTO jobs (id, machine_id, machine_owner_id, command, sequence, state, requested_by, requested_at, not_after,
      due_at)
    SELECT gen_random_uuid(), id, $1, 'START', 1, 'QUEUED', $1, now() - interval '1 minute', now() + interval '5 minutes',
      now() - interval '1 minute'
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

  test('are published STOPs first, even if the STARTs are due for longer', async () => {
    await queueMany(150)
    const { job: stop } = await queueAtQstash('STOP')
    await world.postgres.query('UPDATE jobs SET due_at = now() WHERE id = $1', [stop.id])
    await world.sweep()
    expect(publishedJobIds().map((batch) => [batch.length, batch.includes(stop.id)])).toEqual([
      [100, true],
      [51, false],
    ])
    await world.postgres.query("DELETE FROM jobs USING machines m WHERE m.id = machine_id AND m.name = 'many'")
  })

  test('do not prevent other jobs from ending while QStash is unavailable: each is tried once', async () => {
    const { machine, job } = await queue()
    machine.behave({ mode: 'fail', status: 200, body: { result: 'PENDING' } })
    await deliver(world, job.id)
    await rewind(world, job.id, 'pending_since', '11 minutes')
    await queueMany(150)
    world.faults.qstash.pass = shut
    await world.sweep()
    expect(batches()).toHaveLength(2)
    expect(await countManyUnpublished()).toEqual([150, 2])
    expect(await readRow(world, job.id)).toMatchObject({ state: 'TIMED_OUT', reason: 'no_report' })
    await world.postgres.query("DELETE FROM jobs USING machines m WHERE m.id = machine_id AND m.name = 'many'")
  })
})

test('only the messages of a batch that QStash refused are due again', async () => {
  const [one, other] = [await queue(8), await queue(7)]
  world.faults.qstash.pass = async ({ body }) => {
    const items: Item[] = JSON.parse(body.toString())
    const isRefused = (item: Item) => JSON.parse(item.body).job_id === other.job.id
    return { body: items.map((item) => (isRefused(item) ? { error: 'too large' } : { messageId: 'msg_1' })) }
  }
  await world.sweep()
  expect((await readRow(world, one.job.id)).published_at).not.toBeNull()
  expect(await readRow(world, other.job.id)).toMatchObject({ published_at: null, publish_no: 2 })
})

test('two simultaneous sweeps publish a job once and end a job once', async () => {
  const sent = await queue()
  const late = await queue()
  await rewind(world, late.job.id, 'not_after', '0 seconds')
  await Promise.all(Array.from({ length: hasRealPostgres ? 4 : 2 }, () => world.sweep()))
  expect(publishedJobIds().flat()).toEqual([sent.job.id])
  expect(await readRow(world, late.job.id)).toMatchObject({ state: 'EXPIRED', version: 2 })
  expect(await readTimeline(world, late.job.id)).toHaveLength(2)
})

test('the sweep logs what it did', async () => {
  await queue()
  await world.sweep()
  const line = world.logs().findLast(({ channel }) => channel === 'sweep')
  expect(line).toMatchObject({ published: 1, not_published: 0, ended: 0, duration_ms: expect.any(Number) })
})
