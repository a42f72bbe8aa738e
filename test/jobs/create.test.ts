// Who may send which command to which machine, and how a refusal is recorded.
import { beforeAll, describe, expect, test } from 'vitest'
import type { Person, World } from '../harness.ts'
import { useQuietWorld } from '../shared-world.ts'
import { deliver, readMachineStatus, readRow, readTimeline, request, setMachineStatus } from './qstash-calls.ts'

let world: World
let owner: Person
beforeAll(async () => {
  world = await useQuietWorld()
  owner = await world.signUp()
})

async function listRefusals(machineId: number) {
  const { body } = await owner.request('GET', `/api/machines/${machineId}/history?state=REJECTED`)
  return body.items
}

describe('a START', () => {
  test('is accepted for a READY machine: QUEUED, valid for 60 s, with Location and Retry-After; the machine does not change', async () => {
    const machine = await world.createMachine(owner)
    const answer = await world.operate(owner, machine.id, 'START')
    expect(answer.status).toBe(202)
    expect(answer.headers.get('Location')).toBe(`/api/jobs/${answer.body.id}`)
    expect(answer.headers.get('Retry-After')).toBe('1')
    expect(answer.body).toMatchObject({ state: 'QUEUED', result: null, reason: null, attempts: 0, version: 1 })
    expect(answer.body).toMatchObject({ machine_owner_id: owner.id, sent_at: null, finished_at: null })
    expect(Date.parse(answer.body.not_after) - Date.parse(answer.body.requested_at)).toBe(60_000)
    expect(await readTimeline(world, answer.body.id)).toEqual([[1, 'QUEUED', null, String(owner.id), null, null]])
    expect(await readMachineStatus(world, machine.id)).toBe('READY')
  })

  test.each(['POWEROFF', 'RUNNING', 'PENDING', 'ERROR'])('is refused 409 wrong_state when it is %s', async (status) => {
    const machine = await world.createMachine(owner, { status })
    const answer = await world.operate(owner, machine.id, 'START')
    expect(answer).toMatchObject({ status: 409, body: { code: 'wrong_state' } })
    expect(answer.body.detail).toContain(status)
    const [refusal] = await listRefusals(machine.id)
    expect(refusal).toMatchObject({ state: 'REJECTED', result: 'INVALIDCOMMAND', reason: 'wrong_state', version: 1 })
    expect(refusal.finished_at).toBe(refusal.requested_at)
    expect(await readTimeline(world, refusal.id)).toEqual([
      [1, 'REJECTED', null, String(owner.id), 'wrong_state', null],
    ])
    expect(await readMachineStatus(world, machine.id)).toBe(status)
  })

  test.each(['START', 'STOP'] as const)(
    'is refused 409 job_open with the id of the job while a %s is open',
    async (command) => {
      const machine = await world.createMachine(owner, { status: command === 'STOP' ? 'RUNNING' : 'READY' })
      const open = await request(world, owner, machine.id, command)
      const answer = await world.operate(owner, machine.id, 'START')
      expect(answer).toMatchObject({ status: 409, body: { code: 'job_open', job_id: open.id } })
      expect(await listRefusals(machine.id)).toMatchObject([{ reason: 'job_open', result: 'INVALIDCOMMAND' }])
    },
  )
})

describe('a STOP', () => {
  test.each(['RUNNING', 'PENDING', 'ERROR'])(
    'is accepted for a machine that is %s, valid for 600 s',
    async (status) => {
      const machine = await world.createMachine(owner, { status })
      const job = await request(world, owner, machine.id, 'STOP')
      expect(Date.parse(job.not_after) - Date.parse(job.requested_at)).toBe(600_000)
      expect(await readMachineStatus(world, machine.id)).toBe(status)
    },
  )

  test.each(['READY', 'POWEROFF'])(
    'is accepted when it is %s, for a machine that may run all the same',
    async (status) => {
      const machine = await world.createMachine(owner, { status })
      expect(await world.operate(owner, machine.id, 'STOP')).toMatchObject({ status: 202, body: { state: 'QUEUED' } })
    },
  )

  test('is accepted for a READY machine with an open START', async () => {
    const machine = await world.createMachine(owner)
    await request(world, owner, machine.id, 'START')
    expect((await world.operate(owner, machine.id, 'STOP')).status).toBe(202)
  })

  test('is answered with the STOP that is QUEUED already, and nothing is recorded', async () => {
    const machine = await world.createMachine(owner, { status: 'RUNNING' })
    const open = await request(world, owner, machine.id, 'STOP')
    expect(await world.operate(owner, machine.id, 'STOP')).toMatchObject({ status: 202, body: { id: open.id } })
    expect(await listRefusals(machine.id)).toEqual([])
  })

  test('checks the machine status only when it is created: a machine that became READY since then is stopped', async () => {
    const machine = await world.createMachine(owner, { status: 'RUNNING' })
    const job = await request(world, owner, machine.id, 'STOP')
    await setMachineStatus(world, machine.id, 'READY')
    expect((await deliver(world, job.id)).status).toBe(200)
    expect(await readRow(world, job.id)).toMatchObject({ state: 'SUCCEEDED' })
  })
})

test('a machine leaves ERROR by a STOP, or when its status is set by hand', async () => {
  const stopped = await world.createMachine(owner, { status: 'ERROR' })
  const job = await request(world, owner, stopped.id, 'STOP')
  await deliver(world, job.id)
  expect(await readMachineStatus(world, stopped.id)).toBe('READY')
  const mended = await world.createMachine(owner, { status: 'ERROR' })
  await owner.request('PATCH', `/api/machines/${mended.id}`, { body: { status: 'READY' } })
  expect((await world.operate(owner, mended.id, 'START')).status).toBe(202)
})

test('a command for a machine without a controller_url is refused 409 no_controller and recorded', async () => {
  const machine = await world.createMachine(owner, { controller_url: null })
  expect(await world.operate(owner, machine.id, 'START')).toMatchObject({
    status: 409,
    body: { code: 'no_controller' },
  })
  expect(await listRefusals(machine.id)).toMatchObject([{ reason: 'no_controller', result: 'INVALIDCOMMAND' }])
})

test('a stranger is refused 403 not_owner, which leaves no row in the history of anybody', async () => {
  const machine = await world.createMachine(owner)
  const stranger = await world.signUp()
  expect(await world.operate(stranger, machine.id, 'START')).toMatchObject({ status: 403, body: { code: 'not_owner' } })
  expect(await listRefusals(machine.id)).toEqual([])
  expect((await stranger.request('GET', '/api/machines/history?requested_by=me')).body.items).toEqual([])
})

test('staff operate the machines of others', async () => {
  const machine = await world.createMachine(owner)
  const staff = await world.signUpStaff()
  const job = await request(world, staff, machine.id, 'START')
  expect(job).toMatchObject({ requested_by: staff.id, machine_owner_id: owner.id })
})

test('an unknown and a deleted machine are answered 404, and nothing is recorded', async () => {
  const machine = await world.createMachine(owner)
  await owner.request('DELETE', `/api/machines/${machine.id}`)
  expect(await world.operate(owner, machine.id, 'START')).toMatchObject({ status: 404, body: { code: 'not_found' } })
  expect(await listRefusals(machine.id)).toEqual([])
  expect((await world.operate(owner, 999_999_999, 'START')).status).toBe(404)
})

test('one refusal per requester, machine, command and reason is recorded in 60 s', async () => {
  const machine = await world.createMachine(owner, { status: 'POWEROFF', controller_url: null })
  for (let n = 0; n < 3; n += 1) expect((await world.operate(owner, machine.id, 'START')).status).toBe(409)
  expect(await listRefusals(machine.id)).toHaveLength(1)

  await world.operate(owner, machine.id, 'STOP')
  const [stranger, staff] = [await world.signUp(), await world.signUpStaff()]
  for (let n = 0; n < 2; n += 1) await world.operate(stranger, machine.id, 'START')
  await world.operate(staff, machine.id, 'START')
  // The owner's START, for its status; the owner's STOP and the START of staff. A stranger's leaves nothing.
  expect(await listRefusals(machine.id)).toHaveLength(3)

  const older = "UPDATE jobs SET requested_at = requested_at - interval '60 seconds' WHERE machine_id = $1"
  await world.postgres.query(older, [machine.id])
  await world.operate(owner, machine.id, 'START')
  expect(await listRefusals(machine.id)).toHaveLength(4)
})

test('expires_in sets not_after, from 1 to 900 whole seconds', async () => {
  for (const seconds of [1, 900]) {
    const machine = await world.createMachine(owner)
    const { status, body } = await world.operate(owner, machine.id, 'START', seconds)
    expect(status).toBe(202)
    expect(Date.parse(body.not_after) - Date.parse(body.requested_at)).toBe(seconds * 1_000)
  }
  const machine = await world.createMachine(owner)
  for (const expires_in of [0, -1, 901, 1.5, '60', null]) {
    const body = { command: 'START', expires_in }
    const answer = await owner.request('POST', `/api/machines/${machine.id}/operation`, { body })
    expect(answer).toMatchObject({
      status: 422,
      body: { code: 'validation_failed', errors: [{ pointer: '/expires_in' }] },
    })
  }
})

test('a command that is neither START nor STOP is answered 422, and nothing is recorded', async () => {
  const machine = await world.createMachine(owner)
  for (const command of ['start', 'EXPLODE', 1, null, undefined]) {
    const answer = await owner.request('POST', `/api/machines/${machine.id}/operation`, { body: { command } })
    expect(answer).toMatchObject({ status: 422, body: { errors: [{ pointer: '/command' }] } })
  }
  expect((await owner.request('GET', `/api/machines/${machine.id}/history`)).body.items).toEqual([])
})
