// Deliveries arrive late, twice and out of order: the claim allows one at a time, and none after the job has ended.
import { beforeAll, describe, expect, test } from 'vitest'
import type { Person, World } from '../harness.ts'
import { useQuietWorld } from '../shared-world.ts'
import {
  deliver,
  endLease,
  readMachineStatus,
  readRow,
  readTimeline,
  request,
  rewind,
  setMachineStatus,
} from './qstash-calls.ts'

let world: World
let owner: Person
beforeAll(async () => {
  world = await useQuietWorld()
  owner = await world.signUp()
})

async function queue(command: 'START' | 'STOP' = 'START') {
  const machine = await world.createMachine(owner, { status: command === 'START' ? 'READY' : 'RUNNING' })
  return { machine, job: await request(world, owner, machine.id, command) }
}

test('a delivery sends the command, stores the outcome and is answered 200', async () => {
  const { machine, job } = await queue()
  expect(await deliver(world, job.id)).toMatchObject({ status: 200, body: { done: true } })
  const row = await readRow(world, job.id)
  expect(row).toMatchObject({ state: 'SUCCEEDED', result: 'SUCCESS', reason: null, attempts: 1, version: 3 })
  expect(row.sent_at).not.toBeNull()
  expect(row.finished_at).not.toBeNull()
  expect(await readTimeline(world, job.id)).toEqual([
    [1, 'QUEUED', null, String(owner.id), null, null],
    [2, 'SENT', 1, 'queue', null, null],
    [3, 'SUCCEEDED', 1, 'controller', null, null],
  ])
  expect(await readMachineStatus(world, machine.id)).toBe('RUNNING')
  const [lease] = await world.postgres.query('SELECT leased_until, leased_by FROM machines WHERE id = $1', [machine.id])
  expect(lease).toEqual({ leased_until: null, leased_by: null })
})

test('a STOP that succeeds leaves the machine READY', async () => {
  const { machine, job } = await queue('STOP')
  await deliver(world, job.id)
  expect(await readMachineStatus(world, machine.id)).toBe('READY')
})

test('a message that is delivered twice sends one command, and the second delivery is answered 200', async () => {
  const { machine, job } = await queue()
  await deliver(world, job.id)
  expect(await deliver(world, job.id)).toMatchObject({ status: 200, body: { done: true } })
  expect(machine.commands()).toHaveLength(1)
  expect(await readRow(world, job.id)).toMatchObject({ version: 3, attempts: 1 })
})

describe('while an attempt holds the lease of 20 s', () => {
  test('a START is answered 503 with the rest of the lease plus 1 s, and stays SENT; a STOP takes the lease over', async () => {
    const start = await queue()
    start.machine.behave({ mode: 'slow', after_ms: 600, only: 'START' })
    const first = deliver(world, start.job.id)
    await start.machine.waitForCommand()
    expect(await readRow(world, start.job.id)).toMatchObject({ state: 'SENT', result: null, attempts: 1 })
    expect(await readMachineStatus(world, start.machine.id)).toBe('READY')

    const again = await deliver(world, start.job.id)
    expect(again).toMatchObject({ status: 503, body: { done: false } })
    expect(Number(again.headers.get('Retry-After'))).toBeGreaterThanOrEqual(20)
    expect(Number(again.headers.get('Retry-After'))).toBeLessThanOrEqual(21)

    const stop = await request(world, owner, start.machine.id, 'STOP')
    expect((await deliver(world, stop.id)).status).toBe(200)
    expect((await first).status).toBe(200)
    expect(start.machine.commands().map(({ command }) => command)).toEqual(['START', 'STOP'])
  })

  test('after a lease has expired the next attempt is sent, and the late answer of the first still counts', async () => {
    const { machine, job } = await queue()
    machine.behave({
      script: [
        { mode: 'slow', after_ms: 800 },
        { mode: 'fail', status: 503 },
      ],
    })
    const first = deliver(world, job.id)
    await machine.waitForCommand()
    await endLease(world, machine.id)
    expect((await deliver(world, job.id)).status).toBe(503)
    expect((await first).status).toBe(200)
    expect(await readRow(world, job.id)).toMatchObject({ state: 'SUCCEEDED', attempts: 2 })
    expect(await readMachineStatus(world, machine.id)).toBe('RUNNING')
  })

  test('an attempt ends only its own lease', async () => {
    const { machine, job } = await queue()
    machine.behave({
      script: [
        { mode: 'fail', status: 503, times: 1 },
        { mode: 'slow', after_ms: 700 },
      ],
    })
    const held = "UPDATE machines SET leased_by = $2, leased_until = now() + interval '20 seconds' WHERE id = $1"
    await deliver(world, job.id)
    const second = deliver(world, job.id)
    await machine.waitForCommand(({ attempt }) => attempt === 2)
    await world.postgres.query(held, [machine.id, 'another attempt'])
    expect((await second).status).toBe(200)
    const [row] = await world.postgres.query('SELECT leased_by FROM machines WHERE id = $1', [machine.id])
    expect(row?.leased_by).toBe('another attempt')
  })
})

test('a job past its not_after is EXPIRED without a command, and the machine does not change', async () => {
  for (const command of ['START', 'STOP'] as const) {
    const { machine, job } = await queue(command)
    await rewind(world, job.id, 'not_after', '0 seconds')
    expect((await deliver(world, job.id)).status).toBe(200)
    expect(await readRow(world, job.id)).toMatchObject({ state: 'EXPIRED', result: 'IGNORE', reason: 'not_in_time' })
    expect(machine.commands()).toEqual([])
    expect(await readMachineStatus(world, machine.id)).toBe(command === 'START' ? 'READY' : 'RUNNING')
  }
})

test('not_after is checked at every attempt: a job that was answered 503 until then is EXPIRED', async () => {
  const { machine, job } = await queue()
  machine.behave({ mode: 'fail', status: 503 })
  expect((await deliver(world, job.id)).status).toBe(503)
  await rewind(world, job.id, 'not_after', '0 seconds')
  expect((await deliver(world, job.id)).status).toBe(200)
  expect(await readRow(world, job.id)).toMatchObject({ state: 'EXPIRED', attempts: 1 })
  expect(machine.commands()).toHaveLength(1)
  expect(await readMachineStatus(world, machine.id)).toBe('READY')
})

test('a START whose machine changed before it was sent is REJECTED as changed', async () => {
  const { machine, job } = await queue()
  await setMachineStatus(world, machine.id, 'POWEROFF')
  expect((await deliver(world, job.id)).status).toBe(200)
  expect(await readRow(world, job.id)).toMatchObject({ state: 'REJECTED', result: 'INVALIDCOMMAND', reason: 'changed' })
  expect(machine.commands()).toEqual([])
  expect(await readMachineStatus(world, machine.id)).toBe('POWEROFF')
})

test('so is a START that was answered 503 before, because it was never executed', async () => {
  const { machine, job } = await queue()
  machine.behave({ mode: 'fail', status: 503 })
  await deliver(world, job.id)
  await setMachineStatus(world, machine.id, 'ERROR')
  expect((await deliver(world, job.id)).status).toBe(200)
  expect(await readRow(world, job.id)).toMatchObject({ state: 'REJECTED', reason: 'changed', attempts: 1 })
  expect(machine.commands()).toHaveLength(1)
})

test('a job that FAILED with outcome_unknown accepts the late answer of its attempt', async () => {
  const { machine, job } = await queue()
  machine.behave({ mode: 'slow', after_ms: 700 })
  const delivery = deliver(world, job.id)
  await machine.waitForCommand()
  await endLease(world, machine.id)
  await rewind(world, job.id, 'not_after', '0 seconds')
  await deliver(world, job.id)
  expect(await readRow(world, job.id)).toMatchObject({ state: 'FAILED', reason: 'outcome_unknown' })
  expect(await readMachineStatus(world, machine.id)).toBe('ERROR')
  expect((await delivery).status).toBe(200)
  expect(await readRow(world, job.id)).toMatchObject({ state: 'SUCCEEDED', result: 'SUCCESS', reason: null })
  expect((await readTimeline(world, job.id)).at(-1)).toEqual([4, 'SUCCEEDED', 1, 'controller', 'late_answer', null])
  expect(await readMachineStatus(world, machine.id)).toBe('RUNNING')
})

test('a delivery of a cancelled job is answered 200, and no command is sent', async () => {
  const { machine, job } = await queue()
  await owner.request('POST', `/api/jobs/${job.id}/cancel`)
  expect((await deliver(world, job.id)).status).toBe(200)
  expect(machine.commands()).toEqual([])
})
