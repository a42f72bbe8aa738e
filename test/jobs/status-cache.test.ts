// The copy of a job in Redis: who is served from it, when it is written, its lifetime, and its loss.
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Person, poll, type World } from '../harness.ts'
import type { BehaviourOrder } from '../platform/controller/behaviour.ts'
import { open, shut } from '../platform/faults.ts'
import { useQuietWorld } from '../shared-world.ts'
import { deliver, request } from './qstash-calls.ts'

let world: World
let owner: Person
beforeAll(async () => {
  world = await useQuietWorld()
  owner = await world.signUp()
})
beforeEach(() => {
  world.faults.redis.pass = open
})

async function queue(behaviour: BehaviourOrder = { mode: 'obey' }) {
  const machine = await world.createMachine(owner)
  machine.behave(behaviour)
  return { machine, job: await request(world, owner, machine.id, 'START') }
}

const readStatus = (person: Person, jobId: string) => person.request('GET', `/api/jobs/${jobId}`)

/** The answer and the upstreams that were called for it. */
async function ask(person: Person, jobId: string) {
  const before = world.requestsTo('postgres').length
  const answer = await readStatus(person, jobId)
  return { answer, asksPostgres: world.requestsTo('postgres').length > before }
}

async function readCopy(jobId: string) {
  const text = await world.redis.command('GET', `job:${jobId}`)
  const seconds = Number(await world.redis.command('TTL', `job:${jobId}`))
  return { job: typeof text === 'string' ? JSON.parse(text) : undefined, seconds }
}

const waitForCopy = (jobId: string, state: string) =>
  poll(async () => {
    const copy = await readCopy(jobId)
    return { isDone: copy.job?.state === state, value: copy }
  }, `${state} in Redis`)

/** Waits until the next read can be served from Redis. */
const sessionOf = (person: Person): string =>
  JSON.parse(String(Buffer.from(person.access.split('.')[1] ?? '', 'base64url'))).sid

async function cacheSession(person: Person, jobId: string) {
  await readStatus(person, jobId)
  await world.redis.command('SET', `session:${sessionOf(person)}`, 'alive', 'EX', 60)
}

describe('the status of a job', () => {
  test('is answered from Redis to requester and owner, without a call to PostgreSQL', async () => {
    const { job } = await queue()
    await cacheSession(owner, job.id)
    const { answer, asksPostgres } = await ask(owner, job.id)
    expect(answer).toMatchObject({ status: 200, body: job })
    expect(asksPostgres).toBe(false)
  })

  test('is answered from PostgreSQL on a miss, and written back with the cache entry of the session', async () => {
    const person = await world.signUp()
    const machine = await world.createMachine(person)
    const job = await request(world, person, machine.id, 'START')
    await world.redis.command('DEL', `job:${job.id}`)
    const { answer, asksPostgres } = await ask(person, job.id)
    expect(answer.body).toEqual(job)
    expect(asksPostgres).toBe(true)
    expect((await waitForCopy(job.id, 'QUEUED')).job).toEqual(job)
    const mark = `session:${sessionOf(person)}`
    expect(await world.redis.command('GET', mark)).toBe('alive')
    expect(Number(await world.redis.command('TTL', mark))).toBeGreaterThan(50)
    expect((await ask(person, job.id)).asksPostgres).toBe(false)
  })

  test('is answered from PostgreSQL to staff, and is a 404 for a stranger even if Redis has it', async () => {
    const [staff, stranger] = [await world.signUpStaff(), await world.signUp()]
    const { job } = await queue()
    for (const person of [staff, stranger]) await cacheSession(person, job.id)
    expect(await ask(staff, job.id)).toMatchObject({ answer: { status: 200 }, asksPostgres: true })
    expect(await ask(stranger, job.id)).toMatchObject({ answer: { status: 404 }, asksPostgres: true })
  })

  test('is the same from Redis and from PostgreSQL', async () => {
    const { job } = await queue({ mode: 'refuse', detail: '"version":999 안전문' })
    await deliver(world, job.id)
    await waitForCopy(job.id, 'FAILED')
    await cacheSession(owner, job.id)
    const fromRedis = await ask(owner, job.id)
    await world.redis.command('DEL', `job:${job.id}`)
    const fromPostgres = await ask(owner, job.id)
    expect([fromRedis.asksPostgres, fromPostgres.asksPostgres]).toEqual([false, true])
    expect(fromRedis.answer.body).toEqual(fromPostgres.answer.body)
  })

  test('is a 404 for an unknown job and for an invalid id', async () => {
    for (const id of ['0198c0de-7c1a-7000-8000-000000000004', 'x']) {
      expect(await readStatus(owner, id)).toMatchObject({ status: 404, body: { code: 'not_found' } })
    }
  })
})

describe('every transition is written to Redis', () => {
  test('by the operation before its answer, and by a STOP also for the START that it superseded', async () => {
    const { machine, job } = await queue()
    expect((await readCopy(job.id)).job).toEqual(job)
    const stop = await request(world, owner, machine.id, 'STOP')
    expect((await readCopy(stop.id)).job).toEqual(stop)
    expect((await readCopy(job.id)).job).toMatchObject({ state: 'SUPERSEDED', version: 2 })
  })

  test('by a cancellation before its answer', async () => {
    const { job } = await queue()
    const { body } = await owner.request('POST', `/api/jobs/${job.id}/cancel`)
    expect((await readCopy(job.id)).job).toEqual(body)
  })

  test('by a delivery: SENT while the controller is at work, then the end', async () => {
    const { job } = await queue({ mode: 'slow', after_ms: 700 })
    const delivery = deliver(world, job.id)
    await waitForCopy(job.id, 'SENT')
    await delivery
    await waitForCopy(job.id, 'SUCCEEDED')
  })

  test('by a report before its answer', async () => {
    const { machine, job } = await queue({ mode: 'fail', status: 200, body: { result: 'PENDING' } })
    await deliver(world, job.id)
    await waitForCopy(job.id, 'PENDING')
    const token = machine.commands()[0]?.outcome_token
    await world.request('POST', `/api/callbacks/jobs/${job.id}/outcome`, { token, body: { result: 1 } })
    expect((await readCopy(job.id)).job).toMatchObject({ state: 'SUCCEEDED', version: 4 })
  })

  test('only over an older version', async () => {
    const { job } = await queue()
    const newer = JSON.stringify({ ...job, version: 99 })
    await world.redis.command('SET', `job:${job.id}`, newer, 'EX', 60)
    await owner.request('POST', `/api/jobs/${job.id}/cancel`)
    expect((await readCopy(job.id)).job).toEqual({ ...job, version: 99 })
  })
})

describe('the copy is kept', () => {
  test('5 s while the job is open', async () => {
    const { job } = await queue()
    const { seconds } = await readCopy(job.id)
    expect(seconds).toBeGreaterThan(0)
    expect(seconds).toBeLessThanOrEqual(5)
  })

  test('5 s when the result is INTERNALFAILED, which a late answer may change', async () => {
    const { job } = await queue({ mode: 'garbage' })
    await deliver(world, job.id)
    const { seconds } = await waitForCopy(job.id, 'FAILED')
    expect(seconds).toBeLessThanOrEqual(5)
  })

  test('5 s when a STOP has superseded the job, because its answer may still come', async () => {
    const { machine, job } = await queue()
    await request(world, owner, machine.id, 'STOP')
    const { seconds } = await waitForCopy(job.id, 'SUPERSEDED')
    expect(seconds).toBeLessThanOrEqual(5)
  })

  test('24 h when the job has ended otherwise', async () => {
    const { job } = await queue()
    await owner.request('POST', `/api/jobs/${job.id}/cancel`)
    const { seconds } = await readCopy(job.id)
    expect(seconds).toBeGreaterThan(86_300)
    expect(seconds).toBeLessThanOrEqual(86_400)
  })
})

describe('an ended session', () => {
  test('has the cache entry `ask`: PostgreSQL is called and the answer is 401', async () => {
    const person = await world.signUp()
    const machine = await world.createMachine(person)
    const job = await request(world, person, machine.id, 'START')
    await cacheSession(person, job.id)
    await person.request('POST', '/api/log-out')
    expect(await world.redis.command('GET', `session:${sessionOf(person)}`)).toBe('ask')
    expect(await ask(person, job.id)).toMatchObject({ answer: { status: 401 }, asksPostgres: true })
    expect(await world.redis.command('GET', `session:${sessionOf(person)}`)).toBe('ask')
  })

  test('whose cache entry could not be overwritten can still read the status of its own jobs, and nothing else', async () => {
    const person = await world.signUp()
    const machine = await world.createMachine(person)
    const job = await request(world, person, machine.id, 'START')
    await cacheSession(person, job.id)
    world.faults.redis.pass = shut
    expect((await person.request('POST', '/api/log-out')).status).toBe(204)
    world.faults.redis.pass = open
    expect((await readStatus(person, job.id)).status).toBe(200)
    const others = [`/api/jobs/${job.id}/events`, `/api/machines/${machine.id}/history`, `/api/machines/${machine.id}`]
    for (const path of others) expect((await person.request('GET', path)).status).toBe(401)
    expect(Number(await world.redis.command('TTL', `session:${sessionOf(person)}`))).toBeLessThanOrEqual(60)
  })
})
