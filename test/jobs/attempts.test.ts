// The number of attempts of a job, and how it ends when no attempt got a usable answer.
import { beforeAll, describe, expect, test } from 'vitest'
import type { Person, World } from '../harness.ts'
import type { BehaviourOrder } from '../platform/controller/behaviour.ts'
import { useQuietWorld } from '../shared-world.ts'
import { deliver, endLease, readMachineStatus, readRow, request, rewind } from './qstash-calls.ts'

let world: World
let owner: Person
beforeAll(async () => {
  world = await useQuietWorld()
  owner = await world.signUp()
})

async function queue(command: 'START' | 'STOP', behaviour: BehaviourOrder) {
  const machine = await world.createMachine(owner, { status: command === 'START' ? 'READY' : 'RUNNING' })
  machine.behave(behaviour)
  return { machine, job: await request(world, owner, machine.id, command) }
}

async function deliverTimes(jobId: string, times: number): Promise<number[]> {
  const statuses: number[] = []
  for (let n = 0; n < times; n += 1) statuses.push((await deliver(world, jobId)).status)
  return statuses
}

const busy = { mode: 'fail', status: 503 } as const
const broken = { mode: 'fail', status: 500 } as const

describe('a START has 4 attempts and then is FAILED with INTERNALFAILED', () => {
  test('as unreachable if all were answered 429 or 503; the machine is in ERROR', async () => {
    const { machine, job } = await queue('START', { script: [busy, { mode: 'fail', status: 429 }, busy, busy] })
    expect(await deliverTimes(job.id, 5)).toEqual([503, 503, 503, 503, 200])
    expect(await readRow(world, job.id)).toMatchObject({
      state: 'FAILED',
      result: 'INTERNALFAILED',
      reason: 'unreachable',
      attempts: 4,
    })
    expect(machine.commands().map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4])
    expect(await readMachineStatus(world, machine.id)).toBe('ERROR')
  })

  test.each([
    ['the first one was answered 500', [broken, busy, busy, busy]],
    ['the last one lost its connection', [busy, busy, busy, { mode: 'away' }]],
    ['one was answered 408', [busy, { mode: 'fail', status: 408 }, busy, busy]],
  ] as const)('as outcome_unknown if %s', async (_, script) => {
    const { machine, job } = await queue('START', { script: [...script] })
    expect(await deliverTimes(job.id, 5)).toEqual([503, 503, 503, 503, 200])
    expect(await readRow(world, job.id)).toMatchObject({ state: 'FAILED', reason: 'outcome_unknown', attempts: 4 })
    expect(await readMachineStatus(world, machine.id)).toBe('ERROR')
  })

  test('as outcome_unknown if the lease of one expired without an answer', async () => {
    const { machine, job } = await queue('START', busy)
    await deliverTimes(job.id, 3)
    // The state after the Worker stops between the claim and the answer.
    const dead = 'UPDATE jobs SET attempts = 4, may_have_executed = true, version = version + 1 WHERE id = $1'
    await world.postgres.query(dead, [job.id])
    await endLease(world, machine.id)
    expect(await deliverTimes(job.id, 1)).toEqual([200])
    expect(await readRow(world, job.id)).toMatchObject({ state: 'FAILED', reason: 'outcome_unknown' })
  })

  test('whether or not not_after has passed', async () => {
    const { job } = await queue('START', busy)
    await deliverTimes(job.id, 4)
    await rewind(world, job.id, 'not_after', '1 second')
    await deliver(world, job.id)
    expect(await readRow(world, job.id)).toMatchObject({ state: 'FAILED', reason: 'unreachable' })
  })
})

test('a START that was executed but whose answer was lost succeeds by a later attempt', async () => {
  const { machine, job } = await queue('START', { mode: 'act-then-die', times: 1 })
  expect(await deliverTimes(job.id, 2)).toEqual([503, 200])
  expect(await readRow(world, job.id)).toMatchObject({ state: 'SUCCEEDED', attempts: 2 })
  expect(machine.commands().filter(({ done }) => done)).toHaveLength(1)
  expect(await readMachineStatus(world, machine.id)).toBe('RUNNING')
})

test('a START that may have been executed is FAILED with outcome_unknown after not_after, never EXPIRED', async () => {
  const { machine, job } = await queue('START', broken)
  await deliver(world, job.id)
  await rewind(world, job.id, 'not_after', '0 seconds')
  expect((await deliver(world, job.id)).status).toBe(200)
  expect(await readRow(world, job.id)).toMatchObject({ state: 'FAILED', reason: 'outcome_unknown', attempts: 1 })
  expect(await readMachineStatus(world, machine.id)).toBe('ERROR')
})

describe('a STOP is retried until its not_after', () => {
  test('more often than a START', async () => {
    const { machine, job } = await queue('STOP', { script: [broken, broken, busy, broken, busy, broken] })
    expect(await deliverTimes(job.id, 7)).toEqual([503, 503, 503, 503, 503, 503, 200])
    expect(await readRow(world, job.id)).toMatchObject({ state: 'SUCCEEDED', attempts: 7 })
    expect(await readMachineStatus(world, machine.id)).toBe('READY')
  })

  test.each([
    ['EXPIRED', busy, { result: 'IGNORE', reason: 'not_in_time' }, 'RUNNING'],
    ['FAILED', broken, { result: 'INTERNALFAILED', reason: 'outcome_unknown' }, 'ERROR'],
  ] as const)('and is then %s', async (state, behaviour, ending, status) => {
    const { machine, job } = await queue('STOP', behaviour)
    await deliverTimes(job.id, 5)
    await rewind(world, job.id, 'not_after', '0 seconds')
    expect((await deliver(world, job.id)).status).toBe(200)
    expect(await readRow(world, job.id)).toMatchObject({ state, ...ending, attempts: 5 })
    expect(await readMachineStatus(world, machine.id)).toBe(status)
  })
})
