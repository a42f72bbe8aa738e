// Only the owner and staff may see all of a machine and change it.
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

const body = { name: '사출기 1호', location: '1공장 A열 3번' }

test('everyone can read a machine, but only a manager sees its controller', async () => {
  const machine = await world.createMachine(owner)
  const path = `/api/machines/${machine.id}`
  for (const manager of [owner, staff]) {
    expect((await manager.request('GET', path)).body).toEqual(machine.body)
    const { body: page } = await manager.request('GET', `/api/machines?owner_id=${owner.id}&limit=100`)
    expect(page.items).toContainEqual(machine.body)
  }
  const asPublic = { ...machine.body, my_role: null, controller_url: null, controller_confirmed_at: null }
  expect((await stranger.request('GET', path)).body).toEqual(asPublic)
  const { body: page } = await stranger.request('GET', `/api/machines?owner_id=${owner.id}&limit=100`)
  expect(page.items).toContainEqual(asPublic)
  expect(page.items.every((item: { controller_url: unknown }) => item.controller_url === null)).toBe(true)
})

test('others get 403 for every write, and nothing changes; staff can write', async () => {
  const machine = await world.createMachine(owner)
  const path = `/api/machines/${machine.id}`
  for (const [method, sent] of [
    ['PUT', body],
    ['PATCH', { name: 'Mine' }],
    ['DELETE', undefined],
  ] as const) {
    const answer = await stranger.request(method, path, { body: sent })
    expect([method, answer.status, answer.body.code]).toEqual([method, 403, 'not_owner'])
  }
  expect((await owner.request('GET', path)).body).toEqual(machine.body)
  expect((await staff.request('PATCH', path, { body: { name: 'Ours' } })).body).toMatchObject({
    name: 'Ours',
    owner_id: owner.id,
  })
  expect((await staff.request('DELETE', path)).status).toBe(204)
})

test('an ended session is refused everywhere', async () => {
  const person = await world.signUp()
  const machine = await world.createMachine(person)
  await person.request('POST', '/api/log-out')
  for (const [method, path, sent] of [
    ['GET', '/api/machines', undefined],
    ['POST', '/api/machines', body],
    ['GET', `/api/machines/${machine.id}`, undefined],
    ['PUT', `/api/machines/${machine.id}`, body],
    ['PATCH', `/api/machines/${machine.id}`, { name: 'New' }],
    ['DELETE', `/api/machines/${machine.id}`, undefined],
    ['GET', `/api/machines/${machine.id}/history`, undefined],
    ['GET', '/api/machines/history', undefined],
  ] as const) {
    const answer = await person.request(method, path, { body: sent })
    expect([method, path, answer.status, answer.body.code]).toEqual([method, path, 401, 'session_ended'])
  }
  expect((await owner.request('GET', `/api/machines/${machine.id}`)).body.name).toBe('Machine')
})

test('an account without its former staff right can no longer change machines with the same token', async () => {
  const helper = await world.signUpStaff()
  const machine = await world.createMachine(owner)
  expect((await helper.request('PATCH', `/api/machines/${machine.id}`, { body: { name: 'A' } })).status).toBe(200)
  await world.postgres.query('UPDATE accounts SET is_staff = false WHERE id = $1', [helper.id])
  const answer = await helper.request('PATCH', `/api/machines/${machine.id}`, { body: { name: 'B' } })
  expect([answer.status, answer.body.code]).toEqual([403, 'not_owner'])
})
