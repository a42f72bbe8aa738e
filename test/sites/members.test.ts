// Members: granting, changing and taking away roles. A role acts at once.
import { beforeAll, describe, expect, test } from 'vitest'
import type { Person, World } from '../harness.ts'
import { deliver, readRow } from '../jobs/qstash-calls.ts'
import { useQuietWorld } from '../shared-world.ts'
import { createMachineIn, createSite, grant } from './places.ts'

let world: World
let manager: Person
let operator: Person
let staff: Person
beforeAll(async () => {
  world = await useQuietWorld()
  manager = await world.signUp()
  operator = await world.signUp()
  staff = await world.signUpStaff()
})

const inOneHour = () => new Date(Date.now() + 3_600_000).toISOString()
const expire = (accountId: number) =>
  world.postgres.query(`UPDATE members SET expires_at = now() - interval '1 second' WHERE account_id = $1`, [accountId])

describe.each(['site', 'machine'] as const)('the members of a %s', (kind) => {
  const createPlace = async () =>
    kind === 'site' ? (await createSite(manager)).path : `/api/machines/${(await world.createMachine(manager)).id}`

  test('are added, changed by a second grant, listed and removed', async () => {
    const path = await createPlace()
    const added = await grant(manager, path, operator, 'viewer')
    const member = { account_id: operator.id, username: operator.username, role: 'viewer', expires_at: null }
    expect([added.status, added.body]).toEqual([201, member])
    const expiresAt = inOneHour()
    const changed = await grant(manager, path, operator, 'operator', expiresAt)
    const after = { ...member, role: 'operator', expires_at: expiresAt.replace('Z', '000Z') }
    expect([changed.status, changed.body]).toEqual([200, after])
    const first =
      kind === 'site' ? [{ ...member, account_id: manager.id, username: manager.username, role: 'manager' }] : []
    const { body: page } = await manager.request('GET', `${path}/members`)
    expect(page).toEqual({ items: [...first, after], next_cursor: null })
    const { body: start } = await manager.request('GET', `${path}/members?limit=1`)
    expect(start.items).toHaveLength(1)
    expect((await manager.request('DELETE', `${path}/members/${operator.id}`)).status).toBe(204)
    const again = await manager.request('DELETE', `${path}/members/${operator.id}`)
    expect([again.status, again.body.code]).toEqual([404, 'not_found'])
  })

  test('an unknown or disabled account is 404 no_such_account; a case variant of the name is found', async () => {
    const path = await createPlace()
    const disabled = await world.signUp()
    await world.postgres.query('UPDATE accounts SET is_active = false WHERE id = $1', [disabled.id])
    for (const person of [{ ...operator, username: 'nobody-has-this-name' }, disabled]) {
      const answer = await grant(manager, path, person, 'viewer')
      expect([answer.status, answer.body.code]).toEqual([404, 'no_such_account'])
    }
    expect(
      (await grant(manager, path, { ...operator, username: operator.username.toUpperCase() }, 'viewer')).status,
    ).toBe(201)
  })

  test('the role of staff, and of the owner of a machine, is not lowered', async () => {
    const path = await createPlace()
    for (const person of kind === 'machine' ? [staff, manager] : [staff]) {
      const low = await grant(staff, path, person, 'operator')
      expect([low.status, low.body.code]).toEqual([409, 'role_is_fixed'])
      const passing = await grant(staff, path, person, 'manager', inOneHour())
      expect([passing.status, passing.body.code]).toEqual([409, 'role_is_fixed'])
      expect((await grant(staff, path, person, 'manager')).status).toBe(201)
    }
  })

  test('bad input is refused and changes nothing', async () => {
    const path = await createPlace()
    const before = await manager.request('GET', `${path}/members`)
    for (const [body, pointer] of [
      [{ role: 'viewer' }, '/username'],
      [{ username: operator.username }, '/role'],
      [{ username: operator.username, role: 'owner' }, '/role'],
      [{ username: operator.username, role: 'viewer', expires_at: '2020-01-01T00:00:00Z' }, '/expires_at'],
      [{ username: operator.username, role: 'viewer', expires_at: 'tomorrow' }, '/expires_at'],
      [{ username: operator.username, role: 'viewer', admin: true }, '/admin'],
    ] as const) {
      const { status, body: problem } = await manager.request('POST', `${path}/members`, { body })
      expect([status, problem.code, problem.errors?.[0].pointer]).toEqual([422, 'validation_failed', pointer])
    }
    expect((await manager.request('GET', `${path}/members`)).body).toEqual(before.body)
  })

  test('everybody may leave, whatever the role', async () => {
    const path = await createPlace()
    await grant(manager, path, operator, 'viewer')
    expect((await operator.request('DELETE', `${path}/members/${operator.id}`)).status).toBe(204)
    expect((await operator.request('GET', `${path}/members`)).status).toBe(kind === 'site' ? 404 : 403)
  })
})

test('the last manager of a site whose role does not expire cannot leave, be lowered or get an expiry', async () => {
  const site = await createSite(manager)
  await grant(manager, site.path, operator, 'manager', inOneHour())
  const attempts = [
    () => manager.request('DELETE', `${site.path}/members/${manager.id}`),
    () => operator.request('DELETE', `${site.path}/members/${manager.id}`),
    () => grant(manager, site.path, manager, 'operator'),
    () => grant(staff, site.path, manager, 'manager', inOneHour()),
  ]
  for (const attempt of attempts) {
    const { status, body } = await attempt()
    expect([status, body.code]).toEqual([409, 'last_manager'])
  }
  await grant(manager, site.path, operator, 'manager')
  expect((await manager.request('DELETE', `${site.path}/members/${manager.id}`)).status).toBe(204)
  expect((await manager.request('GET', site.path)).status).toBe(404)
})

test('a disabled manager does not count: the last active one cannot leave, nor delete the account', async () => {
  const [active, disabled] = [await world.signUp(), await world.signUp()]
  const site = await createSite(active)
  await grant(active, site.path, disabled, 'manager')
  await staff.request('PATCH', `/api/accounts/${disabled.id}`, { body: { is_active: false } })
  const leave = await active.request('DELETE', `${site.path}/members/${active.id}`)
  const erase = await active.request('DELETE', '/api/me', { body: { current_password: active.password } })
  for (const { status, body } of [leave, erase]) expect([status, body.code]).toEqual([409, 'last_manager'])
})

test('an operator starts a machine of the site with her own name in the history, and after she has left she has no access', async () => {
  const site = await createSite(manager)
  const machine = await createMachineIn(world, site, manager)
  await grant(manager, site.path, operator, 'operator')
  const { status, body: job } = await world.operate(operator, machine.id, 'START')
  expect([status, job.requested_by]).toEqual([202, operator.id])
  await deliver(world, job.id)
  const { body: history } = await manager.request('GET', `/api/machines/${machine.id}/history`)
  expect(history.items).toMatchObject([{ requested_by: operator.id, state: 'SUCCEEDED' }])
  await operator.request('DELETE', `${site.path}/members/${operator.id}`)
  const path = `/api/machines/${machine.id}`
  expect((await operator.request('GET', path)).status).toBe(404)
  expect((await world.operate(operator, machine.id, 'STOP')).status).toBe(404)
  // Her own job stays visible to her.
  expect((await operator.request('GET', `/api/jobs/${job.id}`)).status).toBe(200)
})

describe('a START of somebody who has lost the role before it is sent', () => {
  const losses: [string, (path: string) => Promise<unknown>][] = [
    ['by removal', (path) => manager.request('DELETE', `${path}/members/${operator.id}`)],
    ['by a lower role', (path) => grant(manager, path, operator, 'viewer')],
    ['by expiry', () => expire(operator.id)],
  ]
  test.each(losses)('%s, is REJECTED and never sent; a STOP goes out', async (_, lose) => {
    const site = await createSite(manager)
    const machine = await createMachineIn(world, site, manager)
    await grant(manager, site.path, operator, 'operator')
    const { body: start } = await world.operate(operator, machine.id, 'START')
    await lose(site.path)
    await deliver(world, start.id)
    expect(await readRow(world, start.id)).toMatchObject({ state: 'REJECTED', reason: 'not_allowed' })
    expect(machine.commands()).toEqual([])
    await grant(manager, site.path, operator, 'operator')
    const { body: stop } = await world.operate(operator, machine.id, 'STOP')
    await lose(site.path)
    await deliver(world, stop.id)
    expect(await readRow(world, stop.id)).toMatchObject({ state: 'SUCCEEDED' })
  })

  test('because the machine moved to a site where she has none', async () => {
    const [here, elsewhere] = [await createSite(manager), await createSite(manager)]
    const machine = await createMachineIn(world, here, manager)
    await grant(manager, here.path, operator, 'operator')
    const { body: start } = await world.operate(operator, machine.id, 'START')
    await manager.request('PATCH', `/api/machines/${machine.id}`, { body: { site_id: elsewhere.id } })
    await deliver(world, start.id)
    expect(await readRow(world, start.id)).toMatchObject({ state: 'REJECTED', reason: 'not_allowed' })
    expect(machine.commands()).toEqual([])
  })
})

test('the higher of two roles counts, and an expired one does not', async () => {
  const site = await createSite(manager)
  const machine = await createMachineIn(world, site, manager)
  const path = `/api/machines/${machine.id}`
  const roleNow = async () => (await operator.request('GET', path)).body.my_role
  await grant(manager, site.path, operator, 'viewer')
  await grant(manager, path, operator, 'manager')
  expect(await roleNow()).toBe('manager')
  await world.postgres.query(`UPDATE members SET expires_at = now() WHERE account_id = $1 AND machine_id = $2`, [
    operator.id,
    machine.id,
  ])
  expect(await roleNow()).toBe('viewer')
})
