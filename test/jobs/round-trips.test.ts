// The number of sequential upstream calls of each job request, counted on the wire.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { makeKey } from '../accounts/people.ts'
import { type Person, poll, startWorld, type World } from '../harness.ts'
import { countRoundTrips } from '../round-trips.ts'
import { deliver, request, sendFailureCallback, unusedUrl } from './qstash-calls.ts'

let world: World
let owner: Person
beforeAll(async () => {
  world = await startWorld({ latencyMs: 100, vars: { QSTASH_URL: unusedUrl } })
  owner = await world.signUp()
})
afterAll(() => world?.close())

/** Waits until the background work of earlier requests has ended: no call for a while. */
const waitForQuiet = () =>
  poll(async () => {
    const last = Math.max(0, ...world.exchanges.map(({ endedAt }) => endedAt))
    return { isDone: performance.now() - last > 300, value: last }
  }, 'quiet')
beforeEach(waitForQuiet)

const count = (method: string, path: string, options?: Parameters<Person['request']>[2]) =>
  countRoundTrips(world, () => owner.request(method, path, options))

const start = (id: number, key?: string) =>
  count('POST', `/api/machines/${id}/operation`, {
    body: { command: 'START' },
    headers: key === undefined ? {} : { 'Idempotency-Key': key },
  })

test('a refused operation makes one call, a replay two', async () => {
  const machine = await world.createMachine(owner)
  await start(machine.id, 'replay')
  expect(await start(machine.id)).toMatchObject({ answer: { status: 409 }, chain: 1 })
  expect(await start(machine.id, 'replay')).toMatchObject({ answer: { status: 202 }, chain: 2 })
})

test('a cancellation makes two calls', async () => {
  const machine = await world.createMachine(owner)
  const job = await request(world, owner, machine.id, 'START')
  const { answer, chain, services } = await count('POST', `/api/jobs/${job.id}/cancel`)
  expect(answer.status).toBe(200)
  expect([chain, services]).toEqual([2, ['postgres', 'redis']])
})

test('the status makes one call to Redis, two on a miss', async () => {
  const machine = await world.createMachine(owner)
  const job = await request(world, owner, machine.id, 'START')
  await world.redis.command('DEL', `job:${job.id}`)
  const missed = await count('GET', `/api/jobs/${job.id}`)
  expect([missed.chain, missed.services]).toEqual([2, ['redis', 'postgres']])
  await poll(async () => {
    const copy = await world.redis.command('GET', `job:${job.id}`)
    return { isDone: copy !== null, value: copy }
  }, 'the copy')
  const found = await count('GET', `/api/jobs/${job.id}`)
  expect([found.answer.status, found.chain, found.services]).toEqual([200, 1, ['redis']])
})

test('with a key, an operation, a cancellation and the status make as many calls', async () => {
  const machine = await world.createMachine(owner)
  const key = await makeKey(world, owner)
  const send = (method: string, path: string, options = {}) =>
    countRoundTrips(world, () => key.request(method, path, options))
  const operation = `/api/machines/${machine.id}/operation`
  const started = await send('POST', operation, { body: { command: 'START' } })
  expect([started.answer.status, started.services.includes('postgres'), started.chain]).toEqual([202, true, 2])
  const path = `/api/jobs/${started.answer.body.id}`
  await waitForQuiet()
  const canceled = await send('POST', `${path}/cancel`)
  expect([canceled.chain, canceled.services]).toEqual([2, ['postgres', 'redis']])
  const missed = await send('GET', path)
  expect([missed.chain, missed.services]).toEqual([2, ['redis', 'postgres']])
  await waitForQuiet()
  const found = await send('GET', path)
  expect([found.answer.status, found.chain, found.services]).toEqual([200, 1, ['redis']])
})

test('the timeline and both histories make one call', async () => {
  const machine = await world.createMachine(owner)
  const job = await request(world, owner, machine.id, 'START')
  for (const path of [`/api/jobs/${job.id}/events`, `/api/machines/${machine.id}/history`, '/api/machines/history']) {
    const { answer, chain, services } = await count('GET', path)
    expect([path, answer.status, chain, services]).toEqual([path, 200, 1, ['postgres']])
  }
})

test('a delivery makes two calls and the call to the controller', async () => {
  const machine = await world.createMachine(owner)
  const job = await request(world, owner, machine.id, 'START')
  const { answer, chain, services } = await countRoundTrips(world, () => deliver(world, job.id))
  expect(answer.status).toBe(200)
  expect(chain).toBe(3)
  expect(services.filter((service) => service !== 'redis')).toEqual(['postgres', 'controller', 'postgres'])
})

test('a report makes two calls', async () => {
  const machine = await world.createMachine(owner)
  machine.behave({ mode: 'fail', status: 200, body: { result: 'PENDING' } })
  const job = await request(world, owner, machine.id, 'START')
  await deliver(world, job.id)
  const token = machine.commands()[0]?.outcome_token
  await waitForQuiet()
  const { answer, chain, services } = await countRoundTrips(world, () =>
    world.request('POST', `/api/callbacks/jobs/${job.id}/outcome`, { token, body: { result: 'SUCCESS' } }),
  )
  expect([answer.status, chain, services]).toEqual([200, 2, ['postgres', 'redis']])
})

test('a delivery and a failure callback of an ended job make one call', async () => {
  const machine = await world.createMachine(owner)
  const job = await request(world, owner, machine.id, 'START')
  await owner.request('POST', `/api/jobs/${job.id}/cancel`)
  expect(await countRoundTrips(world, () => deliver(world, job.id))).toMatchObject({
    answer: { status: 200 },
    chain: 1,
  })
  expect(await countRoundTrips(world, () => sendFailureCallback(world, job.id))).toMatchObject({
    answer: { status: 200 },
    chain: 1,
  })
})

test('an operation makes two calls: the decision, then QStash and Redis in parallel', async () => {
  const [machine, another] = [await world.createMachine(owner), await world.createMachine(owner)]
  await world.reconfigure({ QSTASH_URL: world.qstash.url })
  // The first one compiles code between its calls, which takes its time on a busy machine.
  await start(another.id)
  await waitForQuiet()
  const { answer, chain, services } = await start(machine.id)
  expect(answer.status).toBe(202)
  expect(chain).toBe(2)
  expect(services.toSorted()).toEqual(['postgres', 'qstash', 'redis'])
})
