// Migrations and demo data on a database of the stand-in.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { verifyPassword } from '../../src/accounts/password.ts'
import { runStatements } from '../../src/tools/statements.ts'
import { openMigrated } from '../migrated.ts'
import { type ControllerStandIn, startController } from './controller.ts'
import { type PostgresStandIn, startPostgres } from './postgres.ts'
import {
  demoAccounts,
  demoMachines,
  pinMachines,
  prepareGateway,
  reportingMachines,
  seedDemo,
  setDemoBehaviours,
  updateControllerUrls,
} from './seed.ts'

let controller: ControllerStandIn
beforeAll(async () => {
  controller = await startController()
})
afterAll(() => controller.close())

function serviceOf({ databaseUrl, fetchEndpoint }: PostgresStandIn) {
  return { database_url: databaseUrl, fetch_endpoint: fetchEndpoint }
}

/** Runs the test with a new, migrated database. */
async function withDatabase(use: (service: ReturnType<typeof serviceOf>, postgres: PostgresStandIn) => Promise<void>) {
  const postgres = await startPostgres({ snapshot: await openMigrated() })
  try {
    await use(serviceOf(postgres), postgres)
  } finally {
    await postgres.close()
  }
}

test('a database that cannot be reached is an error with its address', async () => {
  const service = { database_url: 'postgresql://u:p@h/d', fetch_endpoint: 'http://127.0.0.1:9/sql' }
  await expect(runStatements(service, [])).rejects.toThrow('http://127.0.0.1:9/sql cannot be reached')
})

test('demo data is two accounts that can log in and six machines of one of them, and is written once', () =>
  withDatabase(async (service, postgres) => {
    expect(await seedDemo(service, controller.url)).toBe(true)
    expect(await seedDemo(service, 'http://elsewhere')).toBe(false)
    const accounts = await postgres.query('SELECT username, is_staff, password_hash FROM accounts ORDER BY id')
    expect(accounts).toMatchObject([
      { username: 'demo', is_staff: false },
      { username: 'demo-staff', is_staff: true },
    ])
    for (const [index, { password }] of demoAccounts.entries()) {
      expect(await verifyPassword(password, String(accounts[index]?.password_hash))).toMatchObject({ isRight: true })
    }
    const machines = await postgres.query(
      `SELECT m.name, m.location, m.status, m.controller_url, a.username FROM machines m
       JOIN accounts a ON a.id = m.owner_id WHERE m.site_id IS NULL ORDER BY m.id`,
    )
    expect(machines).toEqual(
      demoMachines.map(({ key, name, location }) => ({
        name,
        location,
        status: 'READY',
        controller_url: `${controller.url}/machines/${key}`,
        username: 'demo',
      })),
    )
  }))

test('each machine of the controller is told its id, and confirms no other', () =>
  withDatabase(async (service, postgres) => {
    await seedDemo(service, controller.url)
    await pinMachines(service, controller)
    const [first] = await postgres.query('SELECT id, controller_url FROM machines ORDER BY id')
    const confirm = async (machine_id: number) => {
      const body = JSON.stringify({ command: 'CONFIRM', machine_id, owner: 'demo', challenge: 'c' })
      const headers = { Authorization: 'Bearer x' }
      return (await fetch(String(first?.controller_url), { method: 'POST', headers, body })).status
    }
    expect([await confirm(Number(first?.id)), await confirm(Number(first?.id) + 1)]).toEqual([200, 401])
  }))

test('machines get the new address of the controller, in the demo account or in all, with a new ETag', () =>
  withDatabase(async (service, postgres) => {
    await seedDemo(service, 'http://127.0.0.1:1111')
    await postgres.query(
      `INSERT INTO machines (name, location, owner_id, controller_url)
       SELECT 'x', 'y', id, unnest(ARRAY['http://127.0.0.1:1111/machines/x', 'http://10.0.0.1/machines/x', NULL])
       FROM accounts WHERE username = 'demo-staff'`,
    )
    expect(await updateControllerUrls(service, 'http://127.0.0.1:2222', 'demo')).toBe(demoMachines.length)
    expect(await updateControllerUrls(service, 'http://127.0.0.1:2222', 'demo')).toBe(0)
    expect(await updateControllerUrls(service, 'http://127.0.0.1:2222', 'all')).toBe(1)
    const rows = await postgres.query('SELECT controller_url, revision FROM machines WHERE site_id IS NULL ORDER BY id')
    expect(rows.map(({ controller_url, revision }) => [controller_url, revision])).toEqual([
      ...demoMachines.map(({ key }) => [`http://127.0.0.1:2222/machines/${key}`, '2']),
      ['http://127.0.0.1:2222/machines/x', '2'],
      ['http://10.0.0.1/machines/x', '1'],
      [null, '1'],
    ])
  }))

test('the machines behind NAT are in a site, and each start gives their gateway a new key', () =>
  withDatabase(async (service, postgres) => {
    await seedDemo(service, controller.url)
    const [first, second] = [await prepareGateway(service), await prepareGateway(service)]
    expect(second).toMatchObject({ machines: first?.machines, siteId: first?.siteId })
    expect(first?.machines.map(({ behaviour }) => behaviour)).toEqual(
      reportingMachines.map(({ behaviour }) => behaviour),
    )
    const keys = await postgres.query('SELECT revoked_at IS NULL AS is_valid, scopes FROM keys ORDER BY id')
    expect(keys).toEqual([
      { is_valid: false, scopes: ['report'] },
      { is_valid: true, scopes: ['report'] },
    ])
    await postgres.query('UPDATE machines SET deleted_at = now()')
    expect(await prepareGateway(service)).toBeUndefined()
  }))

test('the bar of each demo machine has something in it', () =>
  withDatabase(async (service, postgres) => {
    await seedDemo(service, controller.url)
    const machines = await postgres.query(
      `SELECT m.site_id IS NOT NULL AS reports, array_agg(s.status ORDER BY s.at) AS statuses, min(s.at) < now() - interval '1 day' AS is_whole
        FROM machines m JOIN machine_statuses s ON s.machine_id = m.id GROUP BY m.id ORDER BY m.id`,
    )
    expect(machines).toHaveLength(demoMachines.length + reportingMachines.length)
    const all = ['READY', 'RUNNING', 'READY', 'RUNNING', 'ERROR', 'READY', 'RUNNING', null, 'RUNNING', 'READY']
    for (const { reports, statuses, is_whole } of machines) {
      expect([statuses, is_whole]).toEqual([all.filter((status) => reports || status !== null), true])
    }
  }))

test('the demo machines have different behaviours', () => {
  setDemoBehaviours(controller)
  const modes = demoMachines.map(({ key }) => controller.machine(key).state().behaviour.mode)
  expect(modes).toEqual(['obey', 'warm-up', 'refuse', 'away', 'fail', 'slow'])
})
