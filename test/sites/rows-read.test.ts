// The lists of somebody with roles on a few sites: each reads few rows, also where one account owns all machines, which
// makes PostgreSQL expect that every account owns many.
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Statement } from '../../src/infra/sql-client.ts'
import { auditSorts, listAuditEvents } from '../../src/machines/sql/audit.ts'
import { listMachines, machineSorts } from '../../src/machines/sql/read.ts'
import { sessionCallerOf } from '../accounts/people.ts'
import { textsOf } from '../bench/plan.ts'
import { type Person, startWorld, type World } from '../harness.ts'
import { explain, mostRowsRead } from '../query-plan.ts'

const siteCount = 100
const machinesPerSite = 50
/** Of the operator: more machines than a list may read. */
const machinesInLargeSite = 1_000
/** Of all nodes of a plan. A list of 20 reads 21 rows of each of three sites. */
const mostRows = 400

let world: World
let owner: Person
let member: Person
let operator: Person
let stranger: Person
beforeAll(async () => {
  // A world of its own: thousands of machines would slow down the lists of other tests.
  world = await startWorld()
  const signUp = () => world.signUp()
  ;[owner, member, operator, stranger] = await Promise.all([signUp(), signUp(), signUp(), signUp()])
  await world.postgres.query(
    `INSERT INTO sites (name, created_by) SELECT 'Site ' || n, $1 FROM generate_series(1, $2::int) n`,
    [owner.id, siteCount],
  )
  await world.postgres.query(`INSERT INTO members (site_id, account_id, role) SELECT id, $1, 'manager' FROM sites`, [
    owner.id,
  ])
  await world.postgres.query(
    `INSERT INTO members (site_id, account_id, role) SELECT id, $1, 'manager' FROM sites ORDER BY id LIMIT 3`,
    [member.id],
  )
  await world.postgres.query(
    `WITH made AS (
      INSERT INTO machines (name, location, owner_id, site_id)
      SELECT 'Machine ' || n, 'Hall', $1, s.id FROM sites s, generate_series(1, $2::int) n RETURNING id
    )
    INSERT INTO audit_events (at, actor, action, subject) SELECT now() - n * interval '1 hour', $1, 'machine.status', 'machine:' || id
    FROM made, generate_series(1, 3) n`,
    [owner.id, machinesPerSite],
  )
  await world.postgres.query(
    `WITH large AS (INSERT INTO members (site_id, account_id, role)
       SELECT id, $2, 'operator' FROM sites ORDER BY id DESC LIMIT 3 RETURNING site_id)
     INSERT INTO machines (name, location, owner_id, site_id) SELECT 'Other ' || n, 'Hall', $1, site_id
     FROM large, generate_series(1, $3::int) n`,
    [owner.id, operator.id, machinesInLargeSite],
  )
  await world.postgres.query('VACUUM ANALYZE')
})
afterAll(() => world?.close())

const countRows = async (statements: Statement[]) => mostRowsRead(await explain(world.postgres, statements))

test.each(machineSorts.orders)('machines by %s', async (order) => {
  for (const [person, count] of [
    [member, 20],
    [operator, 20],
    [stranger, 0],
  ] as const) {
    const caller = await sessionCallerOf(world, person)
    const statements = await textsOf((database) => listMachines(database, caller, {}, machineSorts.page(order, 20)))
    expect(await countRows(statements)).toBeLessThan(mostRows)
    const { body } = await person.request('GET', `/api/machines?sort=${order}`)
    expect(body.items.length).toBe(count)
  }
})

test.each([
  ['all events', {}],
  ['of one machine', { subject: 'machine:7' }],
  ['of one action', { action: 'machine.status' as const }],
])('audit events: %s', async (_, filter) => {
  for (const person of [member, stranger]) {
    const caller = await sessionCallerOf(world, person)
    const statements = await textsOf((database) =>
      listAuditEvents(database, caller, filter, auditSorts.page('-at', 20)),
    )
    expect(await countRows(statements)).toBeLessThan(2 * machinesPerSite * 3 * 3)
  }
})
