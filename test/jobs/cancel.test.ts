// Cancelling a job: only while it is QUEUED, and only by its requester, the owner of the machine or staff.
import { beforeAll, describe, expect, test } from 'vitest'
import type { Person, World } from '../harness.ts'
import type { BehaviourOrder } from '../platform/controller/behaviour.ts'
import { useQuietWorld } from '../shared-world.ts'
import { deliver, readMachineStatus, readRow, readTimeline, request } from './qstash-calls.ts'

let world: World
let owner: Person
beforeAll(async () => {
  world = await useQuietWorld()
  owner = await world.signUp()
})

async function queue(person = owner) {
  const machine = await world.createMachine(owner)
  return { machine, job: await request(world, person, machine.id, 'START') }
}

const cancel = (person: Person, jobId: string, body?: unknown) =>
  person.request('POST', `/api/jobs/${jobId}/cancel`, { body })

test('a QUEUED job is CANCELED; the reason is stored as detail, and the machine does not change', async () => {
  const { machine, job } = await queue()
  const answer = await cancel(owner, job.id, { reason: '금형 교체' })
  expect(answer).toMatchObject({ status: 200, body: { id: job.id, state: 'CANCELED', result: 'IGNORE', version: 2 } })
  expect(answer.body).toMatchObject({ reason: 'by_person', detail: '금형 교체' })
  expect(answer.body.finished_at).not.toBeNull()
  expect((await readTimeline(world, job.id)).at(-1)).toEqual([
    2,
    'CANCELED',
    null,
    String(owner.id),
    'by_person',
    '금형 교체',
  ])
  expect(await readMachineStatus(world, machine.id)).toBe('READY')
  expect((await world.operate(owner, machine.id, 'START')).status).toBe(202)
})

test.each([
  'application/json',
  'application/json;',
  'application/json; charset=utf-8',
  'application/json; charset=euc-kr',
  'text/plain',
  'application/x-www-form-urlencoded',
])('an empty body counts as no body for every content type: %s', async (type) => {
  const { job } = await queue()
  const options = { body: '', headers: { 'Content-Type': type } }
  expect(await owner.request('POST', `/api/jobs/${job.id}/cancel`, options)).toMatchObject({
    status: 200,
    body: { state: 'CANCELED', detail: null },
  })
})

test('a reason without a JSON content type is not ignored silently', async () => {
  const { job } = await queue()
  const options = { body: '{"reason":"the wrong machine"}', headers: { 'Content-Type': '' } }
  const answer = await owner.request('POST', `/api/jobs/${job.id}/cancel`, options)
  expect([answer.status, answer.body.code]).toEqual([415, 'unsupported_media_type'])
})

test('no body, an empty object and no reason have the same effect', async () => {
  for (const body of [undefined, {}]) {
    const { job } = await queue()
    expect(await cancel(owner, job.id, body)).toMatchObject({ status: 200, body: { detail: null } })
  }
})

test('a reason of up to 1,000 characters is accepted; a longer one, NUL and other types are answered 422', async () => {
  const { job } = await queue()
  for (const reason of ['x'.repeat(1_001), 'a\0b', 7, null]) {
    expect(await cancel(owner, job.id, { reason })).toMatchObject({
      status: 422,
      body: { errors: [{ pointer: '/reason' }] },
    })
  }
  expect((await cancel(owner, job.id, { reason: '😀'.repeat(1_000) })).status).toBe(200)
})

test('owner and staff may cancel; a requester who has lost her rights gets 403, and all others 404', async () => {
  const staff = await world.signUpStaff()
  const stranger = await world.signUp()
  const { job } = await queue(staff)
  expect(await cancel(stranger, job.id)).toMatchObject({ status: 404, body: { code: 'not_found' } })
  expect((await cancel(owner, job.id)).status).toBe(200)
  const byStaff = await queue()
  expect((await cancel(staff, byStaff.job.id)).status).toBe(200)
  const ofRequester = await queue(staff)
  await world.postgres.query('UPDATE accounts SET is_staff = false WHERE id = $1', [staff.id])
  expect(await cancel(staff, ofRequester.job.id)).toMatchObject({ status: 403, body: { code: 'not_owner' } })
  expect((await cancel(owner, ofRequester.job.id)).status).toBe(200)
  expect((await cancel(owner, '0198c0de-7c1a-7000-8000-000000000003')).status).toBe(404)
  expect((await cancel(owner, 'no-uuid')).status).toBe(404)
})

describe('a job that is no longer QUEUED is answered 409 and does not change', () => {
  const states: [string, BehaviourOrder][] = [
    ['SENT', { mode: 'fail', status: 503 }],
    ['PENDING', { mode: 'fail', status: 200, body: { result: 4 } }],
    ['SUCCEEDED', { mode: 'obey' }],
    ['FAILED', { mode: 'refuse' }],
  ]
  test.each(states)('%s', async (state, behaviour) => {
    const { machine, job } = await queue()
    machine.behave(behaviour)
    await deliver(world, job.id)
    const before = await readRow(world, job.id)
    expect(before.state).toBe(state)
    const answer = await cancel(owner, job.id)
    expect(answer).toMatchObject({ status: 409, body: { code: 'not_cancelable', job_id: job.id } })
    expect(answer.body.detail).toContain(state)
    expect(await readRow(world, job.id)).toEqual(before)
  })

  test('CANCELED', async () => {
    const { job } = await queue()
    await cancel(owner, job.id)
    expect((await cancel(owner, job.id)).status).toBe(409)
    expect(await readRow(world, job.id)).toMatchObject({ version: 2 })
  })
})
