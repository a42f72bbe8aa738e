// Breaks each invariant on purpose and expects that it is reported.

import { randomUUID } from 'node:crypto'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Person, World } from '../harness.ts'
import { deliver, request, setMachineStatus } from '../jobs/qstash-calls.ts'
import { useQuietWorld } from '../shared-world.ts'
import { checkCommands, expectStatus, findViolations } from './invariants.ts'

let world: World
let owner: Person
beforeAll(async () => {
  world = await useQuietWorld()
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
  await world.postgres.query("DELETE FROM machine_statuses WHERE machine_id = $1 AND status = 'RUNNING'", [
    forgotten.machine.id,
  ])
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
    `machine ${forgotten.machine.id} is RUNNING, but its history ends with READY`,
    `Redis shows SENT (2) for the SUCCEEDED (3) job ${claimed.id}`,
  ])
})

describe('checkCommands', () => {
  const start = { id: 'start', sequence: 1, command: 'START' as const, state: 'SUPERSEDED', attempts: 1 }
  const stop = { id: 'stop', sequence: 2, command: 'STOP' as const, state: 'SUCCEEDED', attempts: 1 }
  const command = (job: typeof start | typeof stop, changes: object = {}) => ({
    job_id: job.id,
    sequence: job.sequence,
    idempotency_key: job.id,
    attempt: 1,
    command: job.command,
    received_at: '2026-11-23T10:00:00.000Z',
    not_after: '2026-11-23T10:00:30.000Z',
    done: true,
    ...changes,
  })

  test('accepts a START and the STOP after it', () => {
    expect(checkCommands([start, stop], [command(start), command(stop)])).toEqual([])
  })

  test('accepts a START that arrives after a later STOP and is not executed', () => {
    expect(checkCommands([start, stop], [command(stop), command(start, { done: false })])).toEqual([])
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
    ['a command with another sequence', [command(start, { sequence: 2 })], 'came as 2, not 1'],
    ['a START executed after a later STOP', [command(stop), command(start)], 'was executed after a later STOP'],
  ])('finds %s', (_, commands, violation) => {
    expect(checkCommands([start, stop], commands)).toEqual([expect.stringContaining(violation)])
  })
})

describe('expectStatus', () => {
  /** A job with the sequence `sequence` whose events have these states, and reasons after a colon. */
  const job = (
    command: 'START' | 'STOP',
    sequence: number,
    events: [at: number, event: string, detail?: string][],
  ) => ({
    command,
    sequence,
    must_succeed: false,
    events: events.map(([at, event, detail = null], index) => {
      const [state = '', reason = null] = event.split(':')
      return { version: index + 1, state, at, reason, detail }
    }),
  })
  const stopped = job('STOP', 2, [
    [3, 'QUEUED'],
    [4, 'SENT'],
    [5, 'SUCCEEDED'],
  ])

  test.each([
    [
      'undefined after a job that was never sent',
      [
        job('START', 1, [
          [1, 'QUEUED'],
          [2, 'EXPIRED:not_in_time'],
        ]),
      ],
      undefined,
    ],
    [
      'RUNNING after a START',
      [
        job('START', 1, [
          [1, 'QUEUED'],
          [2, 'SUCCEEDED'],
        ]),
      ],
      'RUNNING',
    ],
    [
      'READY after a START and a STOP',
      [
        job('START', 1, [
          [1, 'QUEUED'],
          [2, 'SUCCEEDED'],
        ]),
        stopped,
      ],
      'READY',
    ],
    [
      'PENDING before the report',
      [
        job('START', 1, [
          [1, 'QUEUED'],
          [2, 'PENDING'],
        ]),
      ],
      'PENDING',
    ],
    [
      'READY when a START succeeded late, before the STOP ended',
      [
        job('START', 1, [
          [1, 'SENT'],
          [3, 'SUPERSEDED:by_stop'],
          [4, 'SUPERSEDED:late_answer', 'SUCCESS'],
        ]),
        stopped,
      ],
      'READY',
    ],
    [
      'ERROR when a START succeeded late, after the STOP had ended',
      [
        job('START', 1, [
          [1, 'SENT'],
          [3, 'SUPERSEDED:by_stop'],
          [6, 'SUPERSEDED:late_answer', 'SUCCESS'],
        ]),
        stopped,
      ],
      'ERROR',
    ],
    [
      'READY when a START failed late, after the STOP had ended',
      [
        job('START', 1, [
          [1, 'SENT'],
          [3, 'SUPERSEDED:by_stop'],
          [6, 'SUPERSEDED:late_answer', 'REMOTEFAILED'],
        ]),
        stopped,
      ],
      'READY',
    ],
  ] as const)('is %s', (_, jobs, status) => {
    expect(expectStatus(jobs.map((each) => each))).toBe(status)
  })
})
