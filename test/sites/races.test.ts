// Race conditions of roles, on a real PostgreSQL: PGlite has one connection and would hide them.
import { beforeAll, describe, expect, test } from 'vitest'
import { hasRealPostgres, type Person, poll, type World } from '../harness.ts'
import { deliver, readRow } from '../jobs/qstash-calls.ts'
import { useQuietWorld } from '../shared-world.ts'
import { createMachineIn, createSite, grant } from './places.ts'

const rounds = 10

describe.skipIf(!hasRealPostgres)('at the same time', () => {
  let world: World
  let manager: Person
  let operator: Person
  beforeAll(async () => {
    world = await useQuietWorld()
    manager = await world.signUp()
    operator = await world.signUp()
  })

  test('removal and START: after the removal has been answered, no START is accepted or sent', async () => {
    for (let round = 0; round < rounds; round += 1) {
      const site = await createSite(manager)
      const machine = await createMachineIn(world, site, manager)
      await grant(manager, site.path, operator, 'operator')
      const [removal, start] = await Promise.all([
        manager.request('DELETE', `${site.path}/members/${operator.id}`),
        world.operate(operator, machine.id, 'START'),
      ])
      expect(removal.status).toBe(204)
      expect([202, 404]).toContain(start.status)
      expect((await world.operate(operator, machine.id, 'START')).status).toBe(404)
      if (start.status === 404) continue
      await deliver(world, start.body.id)
      expect(await readRow(world, start.body.id)).toMatchObject({ state: 'REJECTED', reason: 'not_allowed' })
      expect(machine.commands()).toEqual([])
    }
  })

  test('removal and claim: the START is either sent or REJECTED as not_allowed', async () => {
    for (let round = 0; round < rounds; round += 1) {
      const site = await createSite(manager)
      const machine = await createMachineIn(world, site, manager)
      await grant(manager, site.path, operator, 'operator')
      const { body: start } = await world.operate(operator, machine.id, 'START')
      await Promise.all([manager.request('DELETE', `${site.path}/members/${operator.id}`), deliver(world, start.id)])
      const { state, reason } = await readRow(world, start.id)
      expect([
        ['SUCCEEDED', null, 1],
        ['REJECTED', 'not_allowed', 0],
      ]).toContainEqual([state, reason, machine.commands().length])
    }
  })

  test('two managers remove each other: one stays', async () => {
    for (let round = 0; round < rounds; round += 1) {
      const site = await createSite(manager)
      await grant(manager, site.path, operator, 'manager')
      const answers = await Promise.all([
        manager.request('DELETE', `${site.path}/members/${operator.id}`),
        operator.request('DELETE', `${site.path}/members/${manager.id}`),
      ])
      const done = answers.filter(({ status }) => status === 204)
      expect(done).toHaveLength(1)
      expect(answers.filter(({ status }) => [404, 403, 409].includes(status))).toHaveLength(1)
      const left = `SELECT count(*)::int AS count FROM members WHERE site_id = $1 AND role = 'manager'`
      expect(await world.postgres.query(left, [site.id])).toEqual([{ count: 1 }])
    }
  })

  test('two managers leave: the last one cannot', async () => {
    for (let round = 0; round < rounds; round += 1) {
      const site = await createSite(manager)
      await grant(manager, site.path, operator, 'manager')
      const leave = (person: Person) => person.request('DELETE', `${site.path}/members/${person.id}`)
      const answers = await Promise.all([leave(manager), leave(operator)])
      expect(answers.map(({ status }) => status).toSorted()).toEqual([204, 409])
    }
  })

  test.each(['site', 'machine'] as const)('a viewer leaves a %s and is made an operator: she is one', async (kind) => {
    const place = kind === 'site' ? await createSite(manager) : await world.createMachine(manager)
    const path = `/api/${kind}s/${place.id}`
    await grant(manager, path, operator, 'viewer')
    const column = `${kind}_id`
    // Until both wait: the one who leaves is first.
    const locking = world.postgres.query(
      `SELECT pg_sleep(1) FROM (SELECT id FROM members WHERE ${column} = $1 AND account_id = $2 FOR UPDATE) locked`,
      [place.id, operator.id],
    )
    const leaving = operator.request('DELETE', `${path}/members/${operator.id}`)
    const readWaiting = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
      AND query LIKE '/* remove-member */%'`
    await poll(async () => {
      const waiting = await world.postgres.query(readWaiting)
      return { isDone: waiting.length > 0, value: waiting.length }
    }, 'the removal to wait')
    const [granted, left] = await Promise.all([grant(manager, path, operator, 'operator'), leaving, locking])
    expect([granted.status, granted.body.role, left.status]).toEqual([201, 'operator', 204])
    const rows = await world.postgres.query(`SELECT role FROM members WHERE ${column} = $1 AND account_id = $2`, [
      place.id,
      operator.id,
    ])
    expect(rows).toEqual([{ role: 'operator' }])
  })

  test('20 equal grants make one member', async () => {
    const site = await createSite(manager)
    const answers = await Promise.all(Array.from({ length: 20 }, () => grant(manager, site.path, operator, 'viewer')))
    expect(answers.map(({ status }) => status).toSorted()).toEqual([...Array(19).fill(200), 201])
  })

  test('deletion of a site and a machine that moves into it: no machine is in a deleted site', async () => {
    for (let round = 0; round < rounds; round += 1) {
      const site = await createSite(manager)
      const machine = await world.createMachine(manager)
      const [deletion, move, creation] = await Promise.all([
        manager.request('DELETE', site.path),
        manager.request('PATCH', `/api/machines/${machine.id}`, { body: { site_id: site.id } }),
        manager.request('POST', '/api/machines', { body: { name: 'x', location: 'y', site_id: site.id } }),
      ])
      const isUsed = move.status === 200 || creation.status === 201
      expect(deletion.status).toBe(isUsed ? 409 : 204)
      if (!isUsed) expect([move.body.code, creation.body.code]).toEqual(['no_such_site', 'no_such_site'])
    }
  })
})
