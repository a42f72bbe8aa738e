// Breaks each invariant on purpose and expects that it is reported.
import { randomUUID } from 'node:crypto'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Person, World } from '../harness.ts'
import { deliver, keepMessages, request, setMachineStatus } from '../jobs/qstash-calls.ts'
import { useWorld } from '../shared-world.ts'
import { checkCommands, findViolations } from './invariants.ts'

let world: World
let owner: Person
beforeAll(async () => {
  world = await useWorld()
  world.faults.qstash.pass = keepMessages
  owner = await world.signUp()
})

async function succeed() {
  const machine = await world.createMachine(owner)
  const job = await request(world, owner, machine.id, 'START')
  await deliver(world, job.id)
  return { machine, id: String(job.id) }
}

test('a job that succeeds violates no invariant', async () => {
  const { machine, id } = await succeed()
  expect(await findViolations({ world, machines: [machine], accepted: [id] })).toEqual([])
})

test('lost jobs, stuck jobs, unknown jobs, missing events, wrong statuses and stale copies are found', async () => {
  const [done, forgotten, claimed] = await Promise.all([succeed(), succeed(), succeed()])
  const open = await world.createMachine(owner)
  const stuck = await request(world, owner, open.id, 'START')
  const lost = randomUUID()
  await world.postgres.query('DELETE FROM job_events WHERE job_id = $1 AND version = 2', [done.id])
  await setMachineStatus(world, claimed.machine.id, 'READY')
  await world.redis.command('SET', `job:${claimed.id}`, JSON.stringify({ state: 'SENT', version: 2 }))
  const machines = [done.machine, forgotten.machine, claimed.machine, open]
  const found = await findViolations({ world, machines, accepted: [done.id, claimed.id, stuck.id, lost] })
  expect(found).toEqual([
    `job ${lost} was accepted and is lost`,
    `no client was told of the START ${forgotten.id}`,
    `the timeline of START ${done.id} has versions 1 3`,
    `START ${done.id} is at version 3 and has 2 events`,
    `START ${stuck.id} does not end: it is QUEUED`,
    `machine ${claimed.machine.id} is READY, but its jobs say RUNNING`,
    `machine ${claimed.machine.id} is READY in the database, but its controller says running`,
    `Redis shows SENT (2) for the SUCCEEDED (3) job ${claimed.id}`,
  ])
})

describe('checkCommands', () => {
  const start = { id: 'start', command: 'START' as const, state: 'SUPERSEDED', attempts: 1 }
  const stop = { id: 'stop', command: 'STOP' as const, state: 'SUCCEEDED', attempts: 1 }
  const command = (job: typeof start | typeof stop, changes: object = {}) => ({
    job_id: job.id,
    idempotency_key: job.id,
    attempt: 1,
    command: job.command,
    received_at: '2026-11-23T10:00:00.000Z',
    not_after: '2026-11-23T10:00:30.000Z',
    ...changes,
  })

  test('accepts a START and the STOP after it', () => {
    expect(checkCommands([start, stop], [command(start), command(stop)])).toEqual([])
  })

  test.each([
    ['a command with another key', [command(start, { idempotency_key: 'other' })], 'came under the key other'],
    ['one attempt too many', [command(start, { attempt: 2 })], 'has no attempt in the database'],
    ['a command without a job', [command({ ...start, id: 'nobody' })], 'has no attempt in the database'],
    [
      'a late command',
      [command(start, { not_after: '2026-11-23T09:59:50.000Z' })],
      'came 10000 ms after its not_after',
    ],
    ['a START after a later STOP', [command(stop), command(start)], 'came after a later STOP'],
  ])('finds %s', (_, commands, violation) => {
    expect(checkCommands([start, stop], commands)).toEqual([expect.stringContaining(violation)])
  })
})
