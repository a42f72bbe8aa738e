// Registering, reading, changing and deleting machines.
import { beforeAll, expect, test } from 'vitest'
import type { Person, World } from '../harness.ts'
import { useWorld } from '../shared-world.ts'

let world: World
let owner: Person
let stranger: Person
let staff: Person
beforeAll(async () => {
  world = await useWorld()
  owner = await world.signUp()
  stranger = await world.signUp()
  staff = await world.signUpStaff()
})

const members = [
  'id',
  'name',
  'location',
  'status',
  'status_source',
  'status_at',
  'delivery',
  'reported',
  'owner_id',
  'site_id',
  'my_role',
  'controller_url',
  'controller_confirmed_at',
]
members.push('created_at', 'updated_at')
const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/
const statuses = ['POWEROFF', 'READY', 'RUNNING', 'PENDING', 'ERROR']
const body = { name: '사출기 1호', location: '1공장 A열 3번' }
const everyRequest = [
  ['GET', undefined],
  ['PUT', body],
  ['PATCH', {}],
  ['DELETE', undefined],
] as const

test('POST /machines answers 201 with the complete machine, defaults, Location and ETag', async () => {
  const answer = await owner.request('POST', '/api/machines', { body })
  expect(answer.status).toBe(201)
  expect(Object.keys(answer.body).toSorted()).toEqual(members.toSorted())
  expect(answer.body).toEqual({
    ...body,
    id: expect.any(Number),
    status: 'READY',
    status_source: 'person',
    status_at: answer.body.created_at,
    delivery: 'push',
    reported: null,
    owner_id: owner.id,
    site_id: null,
    my_role: 'manager',
    controller_url: null,
    controller_confirmed_at: null,
    created_at: expect.stringMatching(time),
    updated_at: answer.body.created_at,
  })
  expect(answer.headers.get('Location')).toBe(`/api/machines/${answer.body.id}`)
  const read = await owner.request('GET', answer.headers.get('Location') ?? '')
  expect(read.status).toBe(200)
  expect(read.body).toEqual(answer.body)
  expect(read.headers.get('ETag')).toBe(answer.headers.get('ETag'))
  expect(answer.headers.get('ETag')).toMatch(/^"[^"]+"$/)
})

test('the owner is the caller, whatever the body contains', async () => {
  const sent = { ...body, owner_id: stranger.id, id: 1, created_at: '2001-01-01T00:00:00Z' }
  const { body: made } = await owner.request('POST', '/api/machines', { body: sent })
  expect(made).toMatchObject({ ...body, owner_id: owner.id })
  expect(made.id).not.toBe(1)
  expect(made.created_at).not.toMatch(/^2001/)
  for (const method of ['PUT', 'PATCH']) {
    const changed = await staff.request(method, `/api/machines/${made.id}`, { body: { ...sent, owner_id: staff.id } })
    expect(changed.status).toBe(200)
    expect(changed.body).toMatchObject({ id: made.id, owner_id: owner.id, created_at: made.created_at })
  }
})

test.each(statuses.map((name, number): [number, string] => [number, name]))(
  'the old number %i and the name %s are both accepted, and the answer has the name',
  async (number, name) => {
    for (const status of [number, name]) {
      const made = await owner.request('POST', '/api/machines', { body: { ...body, status } })
      expect(made.body.status).toBe(name)
      const path = `/api/machines/${made.body.id}`
      expect((await owner.request('PATCH', path, { body: { status } })).body.status).toBe(name)
      expect((await owner.request('PUT', path, { body: { ...body, status } })).body.status).toBe(name)
    }
  },
)

test('PUT replaces the whole machine: omitted members are reset, but status stays', async () => {
  const machine = await world.createMachine(owner, { status: 'ERROR' })
  const path = `/api/machines/${machine.id}`
  const answer = await owner.request('PUT', path, { body: { name: 'New', location: 'Elsewhere' } })
  expect(answer.status).toBe(200)
  expect(Object.keys(answer.body).toSorted()).toEqual(members.toSorted())
  expect(answer.body).toMatchObject({ name: 'New', location: 'Elsewhere', status: 'ERROR', controller_url: null })
  expect(answer.body.created_at).toBe(machine.body.created_at)
  expect(answer.body.updated_at > machine.body.updated_at).toBe(true)
  expect(answer.body.status_at).toBe(machine.body.status_at)
  expect((await owner.request('GET', path)).body).toEqual(answer.body)
})

test('PUT without name and location is answered 422 for each and changes nothing', async () => {
  const machine = await world.createMachine(owner)
  const answer = await owner.request('PUT', `/api/machines/${machine.id}`, { body: { status: 'ERROR' } })
  expect(answer.status).toBe(422)
  expect(answer.body.errors.map(({ pointer }: { pointer: string }) => pointer)).toEqual(['/name', '/location'])
  expect((await owner.request('GET', `/api/machines/${machine.id}`)).body).toEqual(machine.body)
})

test('PATCH changes only the given members, and null removes the controller', async () => {
  const machine = await world.createMachine(owner)
  const path = `/api/machines/${machine.id}`
  const renamed = await owner.request('PATCH', path, { body: { name: 'New' } })
  expect(renamed.body).toEqual({ ...machine.body, name: 'New', updated_at: expect.stringMatching(time) })
  const cleared = await owner.request('PATCH', path, { body: { controller_url: null } })
  expect(cleared.body).toMatchObject({ name: 'New', location: machine.body.location, controller_url: null })
  const unchanged = await owner.request('PATCH', path, { body: {} })
  expect(unchanged.body).toEqual({ ...cleared.body, updated_at: expect.stringMatching(time) })
})

test.each(['name', 'location', 'status'])('PATCH with null for %s answers 422', async (member) => {
  const machine = await world.createMachine(owner)
  const answer = await owner.request('PATCH', `/api/machines/${machine.id}`, { body: { [member]: null } })
  expect(answer.status).toBe(422)
  expect(answer.body.errors).toMatchObject([{ pointer: `/${member}` }])
})

test.each([
  '999999999',
  '9007199254740991',
  '9007199254740992',
  '99999999999999999999',
  '0',
  '-1',
  '1.5',
  '1e3',
  '0x1',
  'x',
  '%00',
  'null',
])('every request for the machine %s is answered 404', async (id) => {
  for (const [method, sent] of everyRequest) {
    const answer = await owner.request(method, `/api/machines/${id}`, { body: sent })
    expect([method, answer.status, answer.body.code]).toEqual([method, 404, 'not_found'])
  }
})

test('a deleted machine is a 404 everywhere, but owner and staff can still read its history', async () => {
  const machine = await world.createMachine(owner)
  const path = `/api/machines/${machine.id}`
  const { body: job } = await world.operate(owner, machine.id, 'START')
  await world.waitForJob(owner, job.id, 'SUCCEEDED')
  await owner.request('PATCH', path, { body: { status: 'READY' } })

  const answer = await owner.request('DELETE', path)
  expect([answer.status, answer.text]).toEqual([204, ''])
  for (const [method, sent] of everyRequest) {
    for (const person of [owner, stranger, staff]) {
      expect((await person.request(method, path, { body: sent })).status).toBe(404)
    }
  }
  expect((await world.operate(owner, machine.id, 'STOP')).status).toBe(404)
  const { body: page } = await owner.request('GET', '/api/machines?owner_id=me&limit=100')
  expect(page.items.map(({ id }: { id: number }) => id)).not.toContain(machine.id)

  for (const person of [owner, staff]) {
    const history = await person.request('GET', `${path}/history`)
    expect(history.status).toBe(200)
    expect(history.body.items).toMatchObject([{ id: job.id, state: 'SUCCEEDED' }])
  }
  expect((await stranger.request('GET', `${path}/history`)).status).toBe(403)
  expect((await owner.request('GET', '/api/machines/history')).body.items).toMatchObject([{ id: job.id }])
})

test('HEAD answers with the headers of GET and no body', async () => {
  const machine = await world.createMachine(owner)
  const answer = await owner.request('HEAD', `/api/machines/${machine.id}`)
  expect([answer.status, answer.text, answer.headers.get('ETag')]).toEqual([200, '', machine.etag])
})

test('a trailing slash is ignored', async () => {
  const made = await owner.request('POST', '/api/machines/', { body })
  expect(made.status).toBe(201)
  const path = `/api/machines/${made.body.id}/`
  expect((await owner.request('GET', path)).body).toEqual(made.body)
  expect((await owner.request('PATCH', path, { body: { name: 'New' } })).status).toBe(200)
  expect((await owner.request('GET', '/api/machines/history/')).status).toBe(200)
  expect((await owner.request('GET', `${path}history/`)).status).toBe(200)
  expect((await owner.request('DELETE', path)).status).toBe(204)
})
