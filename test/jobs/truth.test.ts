// What a machine reports outranks what its commands said: it confirms them, settles unknown outcomes, and contradicts.
import { beforeAll, describe, expect, test } from 'vitest'
import type { Person, World } from '../harness.ts'
import { useQuietWorld } from '../shared-world.ts'
import { deliver, readRow, readTimeline, request, rewind } from './qstash-calls.ts'
import { ageReport, readMachine, reporterOf } from './reporting.ts'

let world: World
let owner: Person
beforeAll(async () => {
  world = await useQuietWorld()
  owner = await world.signUp()
})

/** A machine with an address that also reports. */
async function aMachine() {
  const machine = await world.createMachine(owner)
  const reporter = await reporterOf(world, owner, machine.id)
  await reporter.report()
  return { ...machine, ...reporter }
}
type Machine = Awaited<ReturnType<typeof aMachine>>

/** A job that has been delivered once. */
async function delivered(machine: Machine, command: 'START' | 'STOP'): Promise<string> {
  const { id } = await request(world, owner, machine.id, command)
  await deliver(world, id)
  return id
}

/** The events of a job from the second one on: state, by, reason. */
async function eventsOf(jobId: string) {
  const events = (await readTimeline(world, jobId)) as unknown[][]
  return events.slice(1).map(([, state, , by, reason]) => [state, by, reason])
}

/** Makes the end of a job as old as this. */
const ageEnd = (jobId: string, by: string) =>
  world.postgres.query('UPDATE jobs SET finished_at = finished_at - $2::interval WHERE id = $1', [jobId, by])

/** A START whose attempts were all left without an answer. */
async function anUnknownStart(machine: Machine): Promise<string> {
  machine.behave({ mode: 'fail', status: 500 })
  const id = await delivered(machine, 'START')
  await rewind(world, id, 'not_after', '1 second')
  await deliver(world, id)
  expect(await readRow(world, id)).toMatchObject({ state: 'FAILED', reason: 'outcome_unknown' })
  return id
}

describe('a START', () => {
  test('is confirmed by the machine that reports RUNNING, once', async () => {
    const machine = await aMachine()
    const job = await delivered(machine, 'START')
    expect(await readMachine(owner, machine.id)).toMatchObject({ status: 'RUNNING', status_source: 'command' })
    await machine.report({ status: 'RUNNING' })
    await machine.report({ status: 'RUNNING' })
    const { body } = await owner.request('GET', `/api/jobs/${job}`)
    expect(body).toMatchObject({ state: 'SUCCEEDED', confirmed_at: expect.stringMatching(/Z$/) })
    expect(await eventsOf(job)).toEqual([
      ['SENT', 'queue', null],
      ['SUCCEEDED', 'controller', null],
      ['SUCCEEDED', 'machine', 'confirmed'],
    ])
    expect(await readMachine(owner, machine.id)).toMatchObject({ status: 'RUNNING', status_source: 'report' })
  })

  test('that the machine does not confirm within 60 s is noted once, and the status is the reported one', async () => {
    const machine = await aMachine()
    const job = await delivered(machine, 'START')
    await machine.report()
    expect(await readMachine(owner, machine.id)).toMatchObject({ status: 'READY', status_source: 'report' })
    expect((await eventsOf(job)).at(-1)).toEqual(['SUCCEEDED', 'controller', null])
    await ageEnd(job, '60 seconds')
    await machine.report()
    await machine.report()
    expect((await eventsOf(job)).slice(2)).toEqual([['SUCCEEDED', 'machine', 'unconfirmed']])
    const { body } = await owner.request('GET', `/api/jobs/${job}`)
    expect(body).toMatchObject({ state: 'SUCCEEDED', confirmed_at: null, version: 4 })
    // Later, somebody starts it by hand: that is not this START.
    await machine.report({ status: 'RUNNING' })
    expect(await eventsOf(job)).toHaveLength(3)
  })

  test('is confirmed while its controller still executes it, and ends with the answer', async () => {
    const machine = await aMachine()
    machine.behave({ mode: 'warm-up', after_ms: 3_600_000 })
    const job = await delivered(machine, 'START')
    await machine.report({ status: 'RUNNING' })
    expect(await readRow(world, job)).toMatchObject({ state: 'PENDING', confirmed_at: expect.anything() })
    const token = machine.commands()[0]?.outcome_token
    const path = `/api/callbacks/jobs/${job}/outcome`
    const answer = await world.request('POST', path, { token, body: { result: 'SUCCESS' } })
    expect([answer.status, answer.body.state]).toEqual([200, 'SUCCEEDED'])
    expect(await readMachine(owner, machine.id)).toMatchObject({ status: 'RUNNING', status_source: 'report' })
  })

  test('whose outcome is unknown has succeeded if the machine then reports RUNNING', async () => {
    const machine = await aMachine()
    const job = await anUnknownStart(machine)
    expect(await readMachine(owner, machine.id)).toMatchObject({ status: 'READY', status_source: 'report' })
    await machine.report({ status: 'RUNNING' })
    expect(await readRow(world, job)).toMatchObject({
      state: 'SUCCEEDED',
      result: 'SUCCESS',
      reason: null,
      confirmed_at: expect.anything(),
    })
    expect((await eventsOf(job)).at(-1)).toEqual(['SUCCEEDED', 'machine', 'confirmed'])
  })

  test.each([
    ['the machine reports READY', 'READY', '0 seconds'],
    ['the machine reports RUNNING long after', 'RUNNING', '1 hour'],
  ])('whose outcome is unknown stays so if %s', async (_, status, age) => {
    const machine = await aMachine()
    const job = await anUnknownStart(machine)
    await world.postgres.query(
      'UPDATE jobs SET finished_at = finished_at - $2::interval, requested_at = requested_at - $2::interval WHERE id = $1',
      [job, age],
    )
    await machine.report({ status })
    expect(await readRow(world, job)).toMatchObject({ state: 'FAILED', reason: 'outcome_unknown', confirmed_at: null })
  })

  test('is not confirmed by what came before it was sent, nor by what follows a later STOP', async () => {
    const machine = await aMachine()
    const startJob = await delivered(machine, 'START')
    const stopJob = await delivered(machine, 'STOP')
    await machine.report({ status: 'RUNNING' })
    expect(await readRow(world, startJob)).toMatchObject({ confirmed_at: null })
    expect(await readRow(world, stopJob)).toMatchObject({ confirmed_at: null })
    await machine.report({ status: 'READY' })
    expect(await readRow(world, stopJob)).toMatchObject({ confirmed_at: expect.anything() })
  })
})

describe('a STOP', () => {
  test.each(['READY', 'POWEROFF', 'ERROR', 'PENDING'])('is confirmed by the report %s', async (status) => {
    const machine = await aMachine()
    await machine.report({ status: 'RUNNING' })
    const job = await delivered(machine, 'STOP')
    await machine.report({ status })
    expect(await readRow(world, job)).toMatchObject({ state: 'SUCCEEDED', confirmed_at: expect.anything() })
  })

  test('after which the machine goes on is noted', async () => {
    const machine = await aMachine()
    await machine.report({ status: 'RUNNING' })
    const job = await delivered(machine, 'STOP')
    await machine.report({ status: 'RUNNING' })
    await ageEnd(job, '60 seconds')
    await machine.report({ status: 'RUNNING' })
    expect((await eventsOf(job)).at(-1)).toEqual(['SUCCEEDED', 'machine', 'unconfirmed'])
    expect(await readMachine(owner, machine.id)).toMatchObject({ status: 'RUNNING', status_source: 'report' })
  })

  test('that nobody has answered is not ended by a report: it is sent until it is answered', async () => {
    const machine = await aMachine()
    machine.behave({ mode: 'fail', status: 500 })
    const job = await delivered(machine, 'STOP')
    await machine.report()
    expect(await readRow(world, job)).toMatchObject({ state: 'SENT', confirmed_at: expect.anything() })
    machine.behave({ mode: 'obey' })
    await deliver(world, job)
    expect(await readRow(world, job)).toMatchObject({ state: 'SUCCEEDED', attempts: 2 })
  })
})

test('a STOP whose outcome is unknown is not settled by a report from before, while the machine runs', async () => {
  const machine = await aMachine()
  machine.behave({ mode: 'fail', status: 500 })
  const job = await delivered(machine, 'STOP')
  await machine.report()
  await rewind(world, job, 'not_after', '1 second')
  await deliver(world, job)
  await machine.report({ status: 'RUNNING' })
  expect(await readRow(world, job)).toMatchObject({ state: 'FAILED', reason: 'outcome_unknown' })
  await machine.report()
  expect(await readRow(world, job)).toMatchObject({ state: 'SUCCEEDED' })
})

test('a late success of a STOP does not hide that the machine reports RUNNING: it is not started', async () => {
  const machine = await aMachine()
  machine.behave({ mode: 'fail', status: 500 })
  const job = await delivered(machine, 'STOP')
  await rewind(world, job, 'not_after', '1 second')
  await deliver(world, job)
  await machine.report({ status: 'RUNNING' })
  const token = machine.commands()[0]?.outcome_token
  const path = `/api/callbacks/jobs/${job}/outcome`
  expect((await world.request('POST', path, { token, body: { result: 'SUCCESS' } })).status).toBe(200)
  expect(await readRow(world, job)).toMatchObject({ state: 'SUCCEEDED' })
  expect(await readMachine(owner, machine.id)).toMatchObject({ status: 'RUNNING', status_source: 'report' })
  expect((await world.operate(owner, machine.id, 'START')).body.code).toBe('wrong_state')
})

describe('a failure', () => {
  test.each([
    ['of a machine that reports leaves what it reports', '0 seconds', ['READY', 'report']],
    ['of a machine that has stopped reporting is an ERROR', '1 hour', ['ERROR', 'command']],
  ])('%s', async (_, age, expected) => {
    const machine = await aMachine()
    machine.behave({ mode: 'refuse' })
    const { id } = await request(world, owner, machine.id, 'STOP')
    await ageReport(world, machine.id, age)
    await deliver(world, id)
    expect(await readRow(world, id)).toMatchObject({ state: 'FAILED' })
    const { status, status_source } = await readMachine(owner, machine.id)
    expect([status, status_source]).toEqual(expected)
  })
})

test('the status of a job in Redis is not older than 5 s while a report can still confirm it', async () => {
  const machine = await aMachine()
  const job = await delivered(machine, 'START')
  await owner.request('GET', `/api/jobs/${job}`)
  await world.settle()
  expect(Number(await world.redis.command('TTL', `job:${job}`))).toBeLessThanOrEqual(5)
})
