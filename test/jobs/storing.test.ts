// The answer of a controller must not be lost: storing it is retried for 8 s while PostgreSQL is unavailable.
import { beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest'
import { type Person, poll, type World } from '../harness.ts'
import { answerLate, loseAnswer, only, open, shut } from '../platform/faults.ts'
import { startHttpServer } from '../platform/http.ts'
import { useQuietWorld } from '../shared-world.ts'
import { deliver, endLease, readMachineStatus, readRow, readTimeline, request, rewind } from './qstash-calls.ts'

let world: World
let owner: Person
beforeAll(async () => {
  world = await useQuietWorld()
  owner = await world.signUp()
})
beforeEach(() => {
  world.faults.postgres.pass = open
})

/** A START whose controller runs `meanwhile` and then sends this answer. */
async function queue(status: number, meanwhile: () => void) {
  const commands: string[] = []
  const controller = await startHttpServer('controller', async ({ body }) => {
    commands.push(body.toString())
    meanwhile()
    return { status, body: { result: 'SUCCESS' } }
  })
  onTestFinished(() => controller.close())
  const machine = await world.createMachine(owner, { controller_url: controller.url })
  return { machine, job: await request(world, owner, machine.id, 'START'), commands }
}

test('a short outage of PostgreSQL causes no second command', async () => {
  const { machine, job, commands } = await queue(200, () => {
    world.faults.postgres.pass = shut
    setTimeout(() => {
      world.faults.postgres.pass = open
    }, 1_200)
  })
  expect((await deliver(world, job.id)).status).toBe(200)
  expect(await readRow(world, job.id)).toMatchObject({ state: 'SUCCEEDED', attempts: 1, version: 3 })
  expect(await readMachineStatus(world, machine.id)).toBe('RUNNING')
  expect(commands).toHaveLength(1)
})

test('after 8 s the delivery is answered 503; the job stays SENT under its lease, and the next attempt ends it', async () => {
  const { machine, job, commands } = await queue(200, () => {
    world.faults.postgres.pass = shut
  })
  const beganAt = performance.now()
  const answer = await deliver(world, job.id)
  expect(performance.now() - beganAt).toBeGreaterThan(7_500)
  expect(performance.now() - beganAt).toBeLessThan(10_000)
  expect(answer.status).toBe(503)
  expect(answer.headers.has('Retry-After')).toBe(false)
  expect(await readRow(world, job.id)).toMatchObject({ state: 'SENT', attempts: 1, may_have_executed: true })

  world.faults.postgres.pass = open
  expect(Number((await deliver(world, job.id)).headers.get('Retry-After'))).toBeGreaterThan(5)
  await endLease(world, machine.id)
  expect((await deliver(world, job.id)).status).toBe(503)
  expect(commands.map((body) => JSON.parse(body).attempt)).toEqual([1, 2])
})

test('when the answer of PostgreSQL is lost after the outcome was stored, it is stored once and Redis is updated', async () => {
  const { job } = await queue(200, () => {
    world.faults.postgres.pass = async (stored, forward) => {
      world.faults.postgres.pass = open
      return loseAnswer(stored, forward)
    }
  })
  expect((await deliver(world, job.id)).status).toBe(200)
  expect(await readRow(world, job.id)).toMatchObject({ state: 'SUCCEEDED', version: 3 })
  await poll(async () => {
    const copy = String(await world.redis.command('GET', `job:${job.id}`))
    return { isDone: copy.includes('"SUCCEEDED"'), value: copy }
  }, 'SUCCEEDED in Redis')
})

test('the same applies to the end of a failed attempt', async () => {
  const { job } = await queue(500, () => {
    world.faults.postgres.pass = async (stored, forward) => {
      world.faults.postgres.pass = open
      return loseAnswer(stored, forward)
    }
  })
  expect((await deliver(world, job.id)).status).toBe(503)
  expect(await readRow(world, job.id)).toMatchObject({ state: 'SENT', attempts: 1, version: 3 })
  expect(await readTimeline(world, job.id)).toHaveLength(3)
})

test('when the claim fails, no command is sent and the answer is 503', async () => {
  const { job, commands } = await queue(200, () => {})
  world.faults.postgres.pass = shut
  expect((await deliver(world, job.id)).status).toBe(503)
  expect(commands).toEqual([])
  world.faults.postgres.pass = open
  expect(await readRow(world, job.id)).toMatchObject({ state: 'QUEUED', attempts: 0 })
})

test('when the claim is answered after not_after, no command is sent and the job is EXPIRED', async () => {
  const { machine, job, commands } = await queue(200, () => {})
  await rewind(world, job.id, 'not_after', '-3 seconds')
  world.faults.postgres.pass = only(answerLate(3_100), { count: 1 })
  expect((await deliver(world, job.id)).status).toBe(503)
  expect(commands).toEqual([])
  expect((await deliver(world, job.id)).status).toBe(200)
  expect(await readRow(world, job.id)).toMatchObject({
    state: 'EXPIRED',
    reason: 'not_in_time',
    may_have_executed: false,
  })
  expect(await readMachineStatus(world, machine.id)).toBe('READY')
})

test.each([
  ['a serialization failure (40001)', { code: '40001', message: 'could not serialize access' }],
  ['a deadlock (40P01)', { code: '40P01', message: 'deadlock detected' }],
  ['a violation of the open-job index', { code: '23505', message: 'duplicate key', constraint: 'jobs_one_open' }],
])('an operation that fails with %s is retried once', async (_, fault) => {
  const machine = await world.createMachine(owner)
  world.faults.postgres.pass = async () => {
    world.faults.postgres.pass = open
    return { status: 400, body: fault }
  }
  const answer = await world.operate(owner, machine.id, 'START')
  expect(answer.status).toBe(202)
  expect(await readTimeline(world, answer.body.id)).toHaveLength(1)
})

test('an operation that fails twice is answered 503 with Retry-After, and nothing has changed', async () => {
  const machine = await world.createMachine(owner)
  let decisions = 0
  world.faults.postgres.pass = async () => {
    decisions += 1
    return { status: 400, body: { code: '40P01', message: 'deadlock detected' } }
  }
  const answer = await world.operate(owner, machine.id, 'START')
  expect(answer).toMatchObject({ status: 503, body: { code: 'database_unavailable' } })
  expect([decisions, answer.headers.get('Retry-After')]).toEqual([2, '1'])
})

test('an operation that does not reach PostgreSQL is answered 503 database_unavailable with Retry-After', async () => {
  const machine = await world.createMachine(owner)
  world.faults.postgres.pass = shut
  const answer = await world.operate(owner, machine.id, 'START')
  expect(answer).toMatchObject({ status: 503, body: { code: 'database_unavailable' } })
  expect(Number(answer.headers.get('Retry-After'))).toBeGreaterThan(0)
})

test('an operation whose answer was lost is still sent; a retry with its key is answered 202', async () => {
  const machine = await world.createMachine(owner)
  const options = { body: { command: 'START' }, headers: { 'Idempotency-Key': 'lost-answer' } }
  const operate = () => owner.request('POST', `/api/machines/${machine.id}/operation`, options)
  world.faults.postgres.pass = loseAnswer
  expect((await operate()).status).toBe(503)
  world.faults.postgres.pass = open
  const again = await operate()
  expect(again.status).toBe(202)
  expect(again.headers.get('Idempotency-Replayed')).toBe('true')
  expect(await readRow(world, again.body.id)).toMatchObject({ state: 'QUEUED', publish_no: expect.any(Number) })
})
