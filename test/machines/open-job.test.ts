// Which changes of a machine are allowed while it has an open job.
import { beforeAll, describe, expect, test } from 'vitest'
import type { Person, TestMachine, World } from '../harness.ts'
import { keepMessages, open } from '../platform/faults.ts'
import { useWorld } from '../shared-world.ts'

let world: World
let owner: Person
beforeAll(async () => {
  world = await useWorld()
  // QStash delivers nothing, so a job stays QUEUED.
  world.faults.qstash.pass = keepMessages
  owner = await world.signUp()
})

async function withOpenJob(overrides = {}): Promise<{ machine: TestMachine; jobId: string; path: string }> {
  const machine = await world.createMachine(owner, overrides)
  const { status, body: job } = await world.operate(owner, machine.id, 'START', 900)
  expect([status, job.state]).toEqual([202, 'QUEUED'])
  return { machine, jobId: job.id, path: `/api/machines/${machine.id}` }
}

const otherUrl = 'https://controller.example.com/other'

describe('while a job is open', () => {
  test.each<[string, string, (machine: TestMachine) => unknown]>([
    ['DELETE', 'the machine', () => undefined],
    ['PATCH', 'its status', () => ({ status: 'POWEROFF' })],
    ['PATCH', 'its controller', () => ({ controller_url: otherUrl })],
    ['PATCH', 'its controller to none', () => ({ controller_url: null })],
    ['PATCH', 'its name and its status', () => ({ name: 'New', status: 'ERROR' })],
    ['PUT', 'its status', ({ body }) => ({ ...body, status: 'ERROR' })],
    ['PUT', 'its controller, by leaving it out', ({ body: { name, location } }) => ({ name, location })],
  ])('%s of %s is answered 409 with the job, and changes nothing', async (method, _, bodyFor) => {
    const { machine, jobId, path } = await withOpenJob()
    const answer = await owner.request(method, path, { body: bodyFor(machine) })
    expect([answer.status, answer.body.code, answer.body.job_id]).toEqual([409, 'job_open', jobId])
    expect((await owner.request('GET', path)).headers.get('ETag')).toBe(machine.etag)
  })

  test.each<[string, string, (machine: TestMachine) => unknown]>([
    ['PATCH', 'its name', () => ({ name: 'New' })],
    ['PATCH', 'its place', () => ({ location: 'Hall 2' })],
    ['PATCH', 'its status to what it is', () => ({ status: 'READY' })],
    ['PATCH', 'its controller to what it is', ({ body }) => ({ controller_url: body.controller_url })],
    ['PUT', 'its name', ({ body }) => ({ ...body, name: 'New' })],
    ['PUT', 'its name, without a status', ({ body: { status, ...rest } }) => ({ ...rest, name: 'New' })],
  ])('%s of %s succeeds', async (method, _, bodyFor) => {
    const { machine, path } = await withOpenJob()
    const answer = await owner.request(method, path, { body: bodyFor(machine) })
    expect(answer.status).toBe(200)
    expect(answer.body).toMatchObject({ status: 'READY', controller_url: machine.body.controller_url })
  })

  test('403, 404 and 412 are checked before the open job, so that strangers do not learn of it', async () => {
    const { machine, path } = await withOpenJob()
    const stranger = await world.signUp()
    const forbidden = await stranger.request('DELETE', path)
    expect([forbidden.status, forbidden.body.job_id]).toEqual([403, undefined])
    expect((await owner.request('DELETE', path, { headers: { 'If-Match': '"x"' } })).status).toBe(412)
    const stale = await owner.request('DELETE', path, { headers: { 'If-Match': machine.etag } })
    expect(stale.status).toBe(409)
  })

  test('after a STOP superseded a START, the 409 names the STOP', async () => {
    const { machine, path } = await withOpenJob()
    const { body: stop } = await world.operate(owner, machine.id, 'STOP')
    const answer = await owner.request('DELETE', path)
    expect([answer.status, answer.body.job_id]).toEqual([409, stop.id])
  })
})

test('a PENDING job also prevents changes', async () => {
  const machine = await world.createMachine(owner)
  machine.behave({ mode: 'warm-up', after_ms: 3_600_000 })
  world.faults.qstash.pass = open
  const { body: job } = await world.operate(owner, machine.id, 'START')
  world.faults.qstash.pass = keepMessages
  await world.waitForJob(owner, job.id, 'PENDING')
  const path = `/api/machines/${machine.id}`
  const answer = await owner.request('PATCH', path, { body: { status: 'READY' } })
  expect([answer.status, answer.body.job_id]).toEqual([409, job.id])
  expect((await owner.request('PATCH', path, { body: { name: 'New' } })).body.status).toBe('PENDING')
})

test('after the job has ended, everything can be changed', async () => {
  const { jobId, path } = await withOpenJob()
  expect((await owner.request('POST', `/api/jobs/${jobId}/cancel`)).status).toBe(200)
  const changed = await owner.request('PATCH', path, { body: { status: 'POWEROFF', controller_url: otherUrl } })
  expect([changed.status, changed.body.status, changed.body.controller_url]).toEqual([200, 'POWEROFF', otherUrl])
  expect((await owner.request('DELETE', path)).status).toBe(204)
})

test('of a simultaneous START and DELETE one is refused', async () => {
  for (let round = 0; round < 5; round += 1) {
    const machine = await world.createMachine(owner)
    const path = `/api/machines/${machine.id}`
    const [start, removal] = await Promise.all([
      world.operate(owner, machine.id, 'START'),
      owner.request('DELETE', path),
    ])
    expect([
      [202, 409],
      [404, 204],
    ]).toContainEqual([start.status, removal.status])
    if (start.status === 202) expect(removal.body.job_id).toBe(start.body.id)
  }
})

test('status can be set to any value when no job is open, also to leave ERROR', async () => {
  const machine = await world.createMachine(owner, { status: 'ERROR' })
  const path = `/api/machines/${machine.id}`
  for (const status of ['READY', 'RUNNING', 'PENDING', 'POWEROFF', 'ERROR']) {
    expect((await owner.request('PATCH', path, { body: { status } })).body.status).toBe(status)
  }
})
