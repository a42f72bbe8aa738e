// How a job is published to QStash: the settings, an unavailable QStash, and the failure callback.
import { beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { type Person, poll, type World } from '../harness.ts'
import { type CallInterceptor, keepMessages, only, open, shut } from '../platform/faults.ts'
import type { StandInRequest } from '../platform/http.ts'
import { useWorld } from '../shared-world.ts'
import {
  deliver,
  deliverPath,
  failedPath,
  readMachineStatus,
  readRow,
  request,
  rewind,
  sendFailureCallback,
  waitUntilDue,
} from './qstash-calls.ts'

let world: World
let owner: Person
beforeAll(async () => {
  world = await useWorld()
  owner = await world.signUp()
})

beforeEach(() => {
  world.faults.qstash.pass = keepMessages
})

async function queue(command: 'START' | 'STOP' = 'START') {
  const machine = await world.createMachine(owner, { status: command === 'START' ? 'READY' : 'RUNNING' })
  return { machine, job: await request(world, owner, machine.id, command) }
}

const sentFor = (jobId: string): StandInRequest[] =>
  world.requestsTo('qstash').filter(({ body }) => body.includes(jobId))

const readPublication = async (jobId: string) => {
  const { publish_no, published_at } = await readRow(world, jobId)
  return [publish_no, published_at !== null]
}

const countQueueErrors = () =>
  world.logs().filter(({ channel, upstream }) => channel === 'error' && upstream === 'qstash').length

const untilQueueError = (before: number) =>
  poll(async () => ({ isDone: countQueueErrors() > before, value: before }), 'the refusal in the error log')

describe('a job is published to QStash', () => {
  test.each([
    ['START', '3'],
    ['STOP', '5'],
  ] as const)(
    '%s with %s retries, a delay, a deduplication id, a failure callback, a label and a timeout of 25 s',
    async (command, retries) => {
      const { job } = await queue(command)
      const [message, ...others] = sentFor(job.id)
      expect(others).toEqual([])
      expect(message?.target).toBe(`/v2/publish/${world.url}${deliverPath}`)
      expect(JSON.parse(String(message?.body))).toEqual({ job_id: job.id })
      expect(message?.headers).toMatchObject({
        'upstash-method': 'POST',
        'upstash-retries': retries,
        'upstash-retry-delay': '1000 * min(pow(2, retried), 30 * min(2, max(1, retried - 4)))',
        'upstash-deduplication-id': `${job.id}:1`,
        'upstash-failure-callback': `${world.url}${failedPath}`,
        'upstash-label': `tiebar-${command.toLowerCase()}`,
        'upstash-timeout': '25s',
      })
      expect(message?.headers).not.toHaveProperty('upstash-delay')
    },
  )

  test('and published_at is stored by the first delivery, and not changed by the next', async () => {
    const { machine, job } = await queue('STOP')
    expect(await readPublication(job.id)).toEqual([1, false])
    machine.behave({ mode: 'fail', status: 503, times: 2 })
    await deliver(world, job.id)
    const { published_at, sent_at } = await readRow(world, job.id)
    expect(published_at).toBe(sent_at)
    await waitUntilDue(world, job.id)
    await deliver(world, job.id)
    expect(await readRow(world, job.id)).toMatchObject({ attempts: 2, published_at })
  })

  test('the stand-in of QStash delivers it to the machine', async () => {
    world.faults.qstash.pass = open
    const { job } = await queue()
    await world.waitForJob(owner, job.id, 'SUCCEEDED')
    expect(world.qstash.deliveries().at(-1)).toMatchObject({ retried: 0, status: 200 })
  })
})

test.each([
  ['cuts connections', shut],
  ['answers 500', async () => ({ status: 500, body: { error: 'no' } })],
  ['answers 429', async () => ({ status: 429, body: { error: 'too many' } })],
] satisfies [string, CallInterceptor][])('a job is accepted although QStash %s: 202, QUEUED', async (_, pass) => {
  world.faults.qstash.pass = pass
  const before = countQueueErrors()
  const { job } = await queue()
  expect(job.state).toBe('QUEUED')
  await untilQueueError(before)
  await owner.request('POST', `/api/jobs/${job.id}/cancel`)
})

test('a QStash that does not answer delays the request by 2 s at most', async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  world.faults.qstash.pass = async () => {
    await promise
    return { cut: true }
  }
  const [beganAt, before] = [performance.now(), countQueueErrors()]
  const { job } = await queue()
  expect(performance.now() - beganAt).toBeLessThan(4_000)
  expect(job.state).toBe('QUEUED')
  await untilQueueError(before)
  resolve()
})

describe('when QStash has given up a message', () => {
  test('a job that can continue is published again, with a new deduplication id', async () => {
    const { job } = await queue()
    for (const publishNo of [2, 3]) {
      expect((await sendFailureCallback(world, job.id)).status).toBe(200)
      expect(sentFor(job.id).at(-1)?.headers['upstash-deduplication-id']).toBe(`${job.id}:${publishNo}`)
      expect(await readPublication(job.id)).toEqual([publishNo, true])
    }
    expect(await readRow(world, job.id)).toMatchObject({ state: 'QUEUED', version: 1 })
  })

  test('and refuses it again, published_at is null, so that the sweep publishes it', async () => {
    const { job } = await queue()
    world.faults.qstash.pass = shut
    expect((await sendFailureCallback(world, job.id)).status).toBe(200)
    // Stored after the answer.
    const publication = await poll(async () => {
      const value = await readPublication(job.id)
      return { isDone: value[1] === false, value }
    }, 'published_at to be null')
    expect(publication).toEqual([2, false])
  })

  test('and that cannot be stored, the job is due when QStash should have delivered it', async () => {
    const { job } = await queue()
    world.faults.qstash.pass = shut
    world.faults.postgres.pass = only(shut, { count: 1, fits: ({ body }) => body.includes('/* mark-unpublished */') })
    onTestFinished(() => {
      world.faults.postgres.pass = open
    })
    expect((await sendFailureCallback(world, job.id)).status).toBe(200)
    await poll(async () => {
      const line = world.logs().findLast(({ doing }) => doing === 'mark jobs as not published')
      return { isDone: String(line?.job_ids).includes(job.id), value: line }
    }, 'the failure in the error log')
    const row = await readRow(world, job.id)
    expect(await readPublication(job.id)).toEqual([2, true])
    expect((Date.parse(String(row.due_at)) - Date.parse(String(row.published_at))) / 1_000).toBeCloseTo(30, 1)
  })

  test('under an active lease the callback is retried after the rest of the lease', async () => {
    const { machine, job } = await queue()
    const leased = "UPDATE machines SET leased_by = 'x', leased_until = now() + interval '9 seconds' WHERE id = $1"
    await world.postgres.query(leased, [machine.id])
    const answer = await sendFailureCallback(world, job.id)
    expect(answer.status).toBe(503)
    expect(Number(answer.headers.get('Retry-After'))).toBeGreaterThanOrEqual(9)
    expect(Number(answer.headers.get('Retry-After'))).toBeLessThanOrEqual(10)
    expect(sentFor(job.id)).toHaveLength(1)
  })

  test('a job past its not_after is ended, also in Redis', async () => {
    const { job } = await queue()
    await rewind(world, job.id, 'not_after', '0 seconds')
    expect((await sendFailureCallback(world, job.id)).status).toBe(200)
    expect(await readRow(world, job.id)).toMatchObject({ state: 'EXPIRED', reason: 'not_in_time' })
    expect(sentFor(job.id)).toHaveLength(1)
    await poll(async () => {
      const copy = String(await world.redis.command('GET', `job:${job.id}`))
      return { isDone: copy.includes('EXPIRED'), value: copy }
    }, 'EXPIRED in Redis')
  })

  test('a STOP continues after any number of attempts', async () => {
    const { machine, job } = await queue('STOP')
    machine.behave({ mode: 'fail', status: 500, times: 6 })
    for (let n = 0; n < 6; n += 1) await deliver(world, job.id)
    await sendFailureCallback(world, job.id)
    expect(sentFor(job.id)).toHaveLength(2)
    expect(await readRow(world, job.id)).toMatchObject({ state: 'SENT', attempts: 6, publish_no: 2 })
  })

  test('a job that has ended or is PENDING does not change', async () => {
    const ended = await queue()
    await deliver(world, ended.job.id)
    const pending = await queue()
    pending.machine.behave({ mode: 'fail', status: 200, body: { result: 'PENDING' } })
    await deliver(world, pending.job.id)
    for (const { job } of [ended, pending]) {
      const before = await readRow(world, job.id)
      expect((await sendFailureCallback(world, job.id)).status).toBe(200)
      expect({ ...(await readRow(world, job.id)), published_at: null }).toEqual({ ...before, published_at: null })
    }
  })

  test('the envelope that QStash sends is accepted: after four attempts the START is FAILED', async () => {
    world.faults.qstash.pass = open
    const machine = await world.createMachine(owner)
    machine.behave({ mode: 'fail', status: 503 })
    const { id } = await request(world, owner, machine.id, 'START')
    await poll(async () => {
      const { state } = await readRow(world, id)
      return { isDone: state === 'FAILED', value: state }
    }, 'the START to fail')
    expect(await readRow(world, id)).toMatchObject({ reason: 'unreachable', attempts: 4 })
    expect(await readMachineStatus(world, machine.id)).toBe('ERROR')
    const at = machine.commands().map(({ received_at }) => Date.parse(received_at))
    const waitsMs = at.slice(1).map((time, index) => time - Number(at[index]))
    // Without this setting QStash would wait 12 s before the first retry.
    for (const [index, atLeast] of [1_000, 2_000, 4_000].entries()) {
      expect(waitsMs[index]).toBeGreaterThanOrEqual(atLeast)
      expect(waitsMs[index]).toBeLessThan(atLeast + 6_000)
    }
  })
})
