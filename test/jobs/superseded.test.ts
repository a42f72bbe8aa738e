// A STOP supersedes a START in the same batch. A later answer to the START is only recorded as a note.
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { type Person, poll, type World } from '../harness.ts'
import type { BehaviourOrder } from '../platform/controller/behaviour.ts'
import { startHttpServer } from '../platform/http.ts'
import { useQuietWorld } from '../shared-world.ts'
import { deliver, readMachineStatus, readRow, readTimeline, request, rewind } from './qstash-calls.ts'

let world: World
let owner: Person
beforeAll(async () => {
  world = await useQuietWorld()
  owner = await world.signUp()
})

const pending: BehaviourOrder = { mode: 'fail', status: 200, body: { result: 'PENDING' }, times: 1, only: 'START' }
const busy: BehaviourOrder = { mode: 'fail', status: 503, only: 'START' }

/** A START after this number of deliveries, and the STOP that superseded it. */
async function supersede(behaviour: BehaviourOrder, deliveries: number) {
  const machine = await world.createMachine(owner)
  machine.behave(behaviour)
  const start = await request(world, owner, machine.id, 'START')
  for (let n = 0; n < deliveries; n += 1) await deliver(world, start.id)
  const before = await readRow(world, start.id)
  const stop = await request(world, owner, machine.id, 'STOP')
  const token = machine.commands().at(-1)?.outcome_token
  const report = (result: string) =>
    world.request('POST', `/api/callbacks/jobs/${start.id}/outcome`, { token, body: { result } })
  return { machine, start, before, stop, report }
}

/** A START that was in transit when the STOP arrived; its controller answers after that. */
async function overtake(answer: unknown) {
  const released = Promise.withResolvers<void>()
  const controller = await startHttpServer('controller', async () => {
    await released.promise
    return { body: answer }
  })
  onTestFinished(() => controller.close())
  const machine = await world.createMachine(owner, { controller_url: controller.url })
  const start = await request(world, owner, machine.id, 'START')
  const delivery = deliver(world, start.id)
  await poll(async () => {
    const { state } = await readRow(world, start.id)
    return { isDone: state === 'SENT', value: state }
  }, 'the START to be SENT')
  const stop = await request(world, owner, machine.id, 'STOP')
  released.resolve()
  expect((await delivery).status).toBe(200)
  return { machine, start, stop, controller }
}

describe('an open START is SUPERSEDED by the batch that stores the STOP', () => {
  test.each([
    ['QUEUED', { mode: 'obey' }, 0],
    ['SENT', busy, 1],
    ['PENDING', pending, 1],
  ] as const)('in %s', async (state, behaviour, deliveries) => {
    const { machine, start, before, stop } = await supersede(behaviour, deliveries)
    expect(before.state).toBe(state)
    const row = await readRow(world, start.id)
    expect(row).toMatchObject({ state: 'SUPERSEDED', result: 'IGNORE', reason: 'by_stop' })
    expect(row.version).toBe(Number(before.version) + 1)
    const last = [row.version, 'SUPERSEDED', deliveries || null, String(owner.id), 'by_stop', null]
    expect((await readTimeline(world, start.id)).at(-1)).toEqual(last)
    expect(stop.state).toBe('QUEUED')
    expect((await deliver(world, start.id)).status).toBe(200)
    expect((await deliver(world, stop.id)).status).toBe(200)
    expect(machine.commands().filter(({ command }) => command === 'START')).toHaveLength(deliveries)
    expect(await readMachineStatus(world, machine.id)).toBe('READY')
  })
})

describe('a report for a superseded START', () => {
  test.each([
    ['SUCCESS', 'RUNNING'],
    ['REMOTEFAILED', 'ERROR'],
  ])('%s is recorded as a note, is answered 200, and makes the machine %s', async (result, status) => {
    const { machine, start, report } = await supersede(pending, 1)
    for (let n = 0; n < 2; n += 1) expect((await report(result)).status).toBe(200)
    expect(await readRow(world, start.id)).toMatchObject({ state: 'SUPERSEDED', result: 'IGNORE', version: 5 })
    const note = [5, 'SUPERSEDED', null, 'controller', 'late_answer', result]
    expect((await readTimeline(world, start.id)).slice(4)).toEqual([note])
    expect(await readMachineStatus(world, machine.id)).toBe(status)
  })

  test('sets ERROR if it is SUCCESS and comes after the STOP has ended, and changes nothing if it is REMOTEFAILED', async () => {
    for (const [result, status] of [
      ['REMOTEFAILED', 'READY'],
      ['SUCCESS', 'ERROR'],
    ] as const) {
      const { machine, start, stop, report } = await supersede(pending, 1)
      await deliver(world, stop.id)
      expect((await report(result)).status).toBe(200)
      expect((await readTimeline(world, start.id)).at(-1)).toContain('late_answer')
      expect(await readMachineStatus(world, machine.id)).toBe(status)
    }
  })

  test('sets the machine even if a later command was refused', async () => {
    const { machine, report } = await supersede(pending, 1)
    expect((await world.operate(owner, machine.id, 'START')).status).toBe(409)
    await report('SUCCESS')
    expect(await readMachineStatus(world, machine.id)).toBe('RUNNING')
  })
})

describe('the answer to a START that was superseded while in transit', () => {
  test.each([
    ['SUCCESS', { result: 'SUCCESS' }, 'RUNNING', 'SUCCESS'],
    ['REMOTEFAILED', { result: 2, detail: 'gate' }, 'ERROR', 'REMOTEFAILED: gate'],
    ['PENDING', { result: 'PENDING' }, 'PENDING', 'PENDING'],
    ['with an invalid result', { result: 'MAYBE' }, 'ERROR', expect.stringMatching(/^bad_answer: /)],
  ])('%s is recorded as a note and sets the machine, and the STOP continues', async (_, answer, status, note) => {
    const { machine, start, stop } = await overtake(answer)
    expect(await readRow(world, start.id)).toMatchObject({ state: 'SUPERSEDED', result: 'IGNORE', version: 4 })
    const last = [4, 'SUPERSEDED', 1, 'controller', 'late_answer', note]
    expect((await readTimeline(world, start.id)).at(-1)).toEqual(last)
    expect(await readMachineStatus(world, machine.id)).toBe(status)
    expect(await readRow(world, stop.id)).toMatchObject({ state: 'QUEUED', must_succeed: true })
    const [lease] = await world.postgres.query('SELECT leased_until FROM machines WHERE id = $1', [machine.id])
    expect(lease?.leased_until).toBeNull()
  })
})

describe('a STOP that superseded a START that was SENT or PENDING', () => {
  test.each([
    ['SENT', busy],
    ['PENDING', pending],
  ] as const)('(%s) cannot be cancelled: 409', async (_, behaviour) => {
    const { stop } = await supersede(behaviour, 1)
    const answer = await owner.request('POST', `/api/jobs/${stop.id}/cancel`)
    expect(answer).toMatchObject({ status: 409, body: { code: 'not_cancelable', job_id: stop.id } })
    expect(await readRow(world, stop.id)).toMatchObject({ state: 'QUEUED' })
  })

  test('and EXPIRED leaves the machine in ERROR', async () => {
    const { machine, stop } = await supersede(busy, 1)
    await rewind(world, stop.id, 'not_after', '0 seconds')
    await deliver(world, stop.id)
    expect(await readRow(world, stop.id)).toMatchObject({ state: 'EXPIRED' })
    expect(await readMachineStatus(world, machine.id)).toBe('ERROR')
  })

  test('and was REJECTED leaves the machine in ERROR', async () => {
    const { machine, stop } = await supersede(pending, 1)
    await world.postgres.query('UPDATE machines SET deleted_at = now() WHERE id = $1', [machine.id])
    await deliver(world, stop.id)
    expect(await readRow(world, stop.id)).toMatchObject({ state: 'REJECTED', reason: 'changed' })
    expect(await readMachineStatus(world, machine.id)).toBe('ERROR')
  })
})

test('a STOP that superseded a QUEUED START can be cancelled, and can expire without setting ERROR', async () => {
  const canceled = await supersede({ mode: 'obey' }, 0)
  expect((await owner.request('POST', `/api/jobs/${canceled.stop.id}/cancel`)).status).toBe(200)
  const expired = await supersede({ mode: 'obey' }, 0)
  await rewind(world, expired.stop.id, 'not_after', '0 seconds')
  await deliver(world, expired.stop.id)
  for (const { machine } of [canceled, expired]) expect(await readMachineStatus(world, machine.id)).toBe('READY')
})
