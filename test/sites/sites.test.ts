// Sites: creating, renaming and deleting them, and moving machines between them.
import { beforeAll, describe, expect, test } from 'vitest'
import type { Person, World } from '../harness.ts'
import { useQuietWorld } from '../shared-world.ts'
import { createMachineIn, createSite, grant } from './places.ts'

let world: World
let manager: Person
let other: Person
let staff: Person
beforeAll(async () => {
  world = await useQuietWorld({ SITES_PER_ACCOUNT: '40' })
  manager = await world.signUp()
  other = await world.signUp()
  staff = await world.signUpStaff()
})

const move = (person: Person, machineId: number, site_id: number | null) =>
  person.request('PATCH', `/api/machines/${machineId}`, { body: { site_id } })

test('a site is created, read, renamed and deleted by its manager', async () => {
  const created = await manager.request('POST', '/api/sites', { body: { name: '  1공장 ' } })
  expect([created.status, created.headers.get('Location')]).toEqual([201, `/api/sites/${created.body.id}`])
  expect(created.body).toEqual({
    id: created.body.id,
    name: '1공장',
    my_role: 'manager',
    created_at: created.body.updated_at,
    updated_at: created.body.updated_at,
  })
  const path = `/api/sites/${created.body.id}`
  expect((await manager.request('GET', path)).body).toEqual(created.body)
  const same = await manager.request('PATCH', path, { body: { name: '1공장' } })
  expect(same.body).toEqual(created.body)
  expect((await manager.request('PATCH', path, { body: {} })).body).toEqual(created.body)
  const renamed = await manager.request('PATCH', path, { body: { ...created.body, name: '2공장' } })
  expect(renamed.body).toMatchObject({ id: created.body.id, name: '2공장' })
  expect(renamed.body.updated_at > created.body.updated_at).toBe(true)
  expect((await manager.request('DELETE', path)).status).toBe(204)
  for (const method of ['GET', 'DELETE']) expect((await manager.request(method, path)).status).toBe(404)
})

test('a list shows the sites on which the caller has a role; staff see all', async () => {
  const site = await createSite(manager)
  const ofOther = await createSite(other)
  const idsOf = async (person: Person) => {
    const { body } = await person.request('GET', '/api/sites?sort=-id&limit=100')
    return body.items.map(({ id }: { id: number }) => id)
  }
  expect(await idsOf(manager)).toContain(site.id)
  expect(await idsOf(manager)).not.toContain(ofOther.id)
  expect(await idsOf(staff)).toEqual(expect.arrayContaining([site.id, ofOther.id]))
  const first = await manager.request('GET', '/api/sites?sort=name&limit=1')
  expect(first.body.items).toHaveLength(1)
})

test('a site with machines is not deleted; a deleted machine does not count', async () => {
  const site = await createSite(manager)
  const machine = await createMachineIn(world, site, manager)
  const refused = await manager.request('DELETE', site.path)
  expect([refused.status, refused.body.code]).toEqual([409, 'site_not_empty'])
  await manager.request('DELETE', `/api/machines/${machine.id}`)
  expect((await manager.request('DELETE', site.path)).status).toBe(204)
})

test('an account may create so many sites; a deleted one does not count', async () => {
  await world.reconfigure({ SITES_PER_ACCOUNT: '2' })
  const person = await world.signUp()
  const [first] = [await createSite(person), await createSite(person)]
  const refused = await person.request('POST', '/api/sites', { body: { name: 'x' } })
  expect([refused.status, refused.body.code]).toEqual([409, 'quota_exceeded'])
  await person.request('DELETE', first?.path ?? '')
  const answers = await Promise.all([0, 1, 2].map(() => person.request('POST', '/api/sites', { body: { name: 'x' } })))
  expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 409, 409])
  await world.reconfigure({})
})

describe('a machine', () => {
  test('in a site is invisible to all who have no role on it', async () => {
    const site = await createSite(manager)
    const machine = await createMachineIn(world, site, manager)
    const path = `/api/machines/${machine.id}`
    for (const [method, each, body] of [
      ['GET', path, undefined],
      ['PATCH', path, { name: 'x' }],
      ['POST', `${path}/operation`, { command: 'START' }],
      ['GET', `${path}/history`, undefined],
      ['GET', `${path}/members`, undefined],
    ] as const) {
      const answer = await other.request(method, each, body ? { body } : {})
      expect([each, answer.status, answer.body.code]).toEqual([each, 404, 'not_found'])
    }
    for (const sort of ['id', '-name', 'created_at', '-updated_at']) {
      const { body } = await other.request('GET', `/api/machines?owner_id=${manager.id}&sort=${sort}&limit=100`)
      expect(body.items.map(({ id }: { id: number }) => id)).not.toContain(machine.id)
      const mine = await manager.request('GET', `/api/machines?owner_id=me&site_id=${site.id}&sort=${sort}`)
      expect(mine.body.items).toEqual([machine.body])
    }
  })

  test('moves between sites by a manager of both, and keeps its owner as a manager', async () => {
    const [from, to] = [await createSite(manager), await createSite(other)]
    const machine = await createMachineIn(world, from, manager)
    const refused = await move(manager, machine.id, to.id)
    expect([refused.status, refused.body.code]).toEqual([404, 'no_such_site'])
    await grant(other, to.path, manager, 'operator')
    const tooLow = await move(manager, machine.id, to.id)
    expect([tooLow.status, tooLow.body.code]).toEqual([403, 'role_too_low'])
    await grant(other, to.path, manager, 'manager')
    const moved = await move(manager, machine.id, to.id)
    expect(moved.body).toMatchObject({ site_id: to.id, my_role: 'manager' })
    expect((await other.request('GET', `/api/machines/${machine.id}`)).body.my_role).toBe('manager')
    await other.request('DELETE', `${to.path}/members/${manager.id}`)
    expect((await manager.request('GET', `/api/machines/${machine.id}`)).body.my_role).toBe('manager')
    const out = await move(other, machine.id, null)
    expect(out.body).toMatchObject({ site_id: null, my_role: null, controller_url: null })
  })

  test('stays in its site after a PUT without site_id, and after a change by somebody who manages only the machine', async () => {
    const site = await createSite(other)
    await grant(other, site.path, manager, 'manager')
    const machine = await createMachineIn(world, site, manager)
    await other.request('DELETE', `${site.path}/members/${manager.id}`)
    const put = await manager.request('PUT', `/api/machines/${machine.id}`, { body: { name: 'New', location: 'New' } })
    expect(put.body).toMatchObject({ name: 'New', site_id: site.id })
    const same = await manager.request('PATCH', `/api/machines/${machine.id}`, {
      body: { name: 'N', site_id: site.id },
    })
    expect(same.body).toMatchObject({ name: 'N', site_id: site.id })
  })

  test('is registered in a site by its managers only', async () => {
    const site = await createSite(manager)
    const body = { name: 'x', location: 'y', site_id: site.id }
    const invisible = await other.request('POST', '/api/machines', { body })
    expect([invisible.status, invisible.body.code]).toEqual([404, 'no_such_site'])
    await grant(manager, site.path, other, 'operator')
    const refused = await other.request('POST', '/api/machines', { body })
    expect([refused.status, refused.body.code]).toEqual([403, 'role_too_low'])
    expect((await manager.request('POST', '/api/machines', { body })).body.site_id).toBe(site.id)
  })
})
