// How many rows PostgreSQL reads for a page, a new machine and a sweep: the number must not grow with the tables.
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Statement } from '../../src/infra/sql-client.ts'
import { historySorts, listMachineHistory, listMyHistory } from '../../src/jobs/sql/read.ts'
import { redispatchDueJobs } from '../../src/jobs/sql/redispatch.ts'
import { insertMachine } from '../../src/machines/sql/create.ts'
import { listStatuses, statusSorts } from '../../src/machines/sql/statuses.ts'
import { sessionCallerOf } from '../accounts/people.ts'
import { textsOf } from '../bench/plan.ts'
import { type Person, startWorld, type TestMachine, type World } from '../harness.ts'
import { explain, mostRowsRead } from '../query-plan.ts'

const jobs = 5_000
const mostRows = 200
const limit = 20

let world: World
let owner: Person
let machine: TestMachine
beforeAll(async () => {
  // A world of its own: thousands of rows would slow down other tests that list or sweep.
  world = await startWorld()
  owner = await world.signUp()
  machine = await world.createMachine(owner)
  await world.postgres.query(
    `INSERT INTO jobs (id, machine_id, machine_owner_id, command, state, requested_by, requested_at, not_after, published_at,
       finished_at)
     SELECT gen_random_uuid(), $1, $2, 'START', 'EXPIRED', $2, at, at, at, at
     FROM (SELECT now() - n * interval '1 hour' AS at FROM generate_series(1, $3::int) n) times`,
    [machine.id, owner.id, jobs],
  )
  await world.postgres.query(
    `INSERT INTO machine_statuses (machine_id, at, status, source)
     SELECT $1, now() - n * interval '1 hour', 'READY', 'person' FROM generate_series(1, $2::int) n`,
    [machine.id, jobs],
  )
  // Open jobs that are not due: one half is in the queue, the other half is PENDING.
  await world.postgres.query(
    `WITH busy AS (INSERT INTO machines (name, location, owner_id) SELECT 'Busy', 'Hall 1', $1
       FROM generate_series(1, $2::int) RETURNING id)
     INSERT INTO jobs (id, machine_id, machine_owner_id, command, state, requested_by, requested_at, not_after,
       published_at, pending_since, due_at)
     SELECT gen_random_uuid(), id, $1, 'START', CASE id % 2 WHEN 0 THEN 'QUEUED' ELSE 'PENDING' END, $1, now(),
       now() + interval '1 hour', now(), now(), now() + interval '1 hour' FROM busy`,
    [owner.id, jobs],
  )
  await world.postgres.query('VACUUM ANALYZE')
})
afterAll(() => world?.close())

test.each<[what: string, plan: () => Promise<Statement[]>]>([
  [
    'the history of a machine',
    async () => {
      const caller = await sessionCallerOf(world, owner)
      return textsOf((database) =>
        listMachineHistory(database, caller, machine.id, {}, historySorts.page('-requested_at', limit)),
      )
    },
  ],
  [
    'the history of a person who operates only their own machines',
    async () => {
      const caller = await sessionCallerOf(world, owner)
      return textsOf((database) => listMyHistory(database, caller, {}, historySorts.page('-requested_at', limit)))
    },
  ],
  [
    'the statuses of a machine since a time',
    async () => {
      const caller = await sessionCallerOf(world, owner)
      const from = new Date(Date.now() - 50 * 3_600_000).toISOString()
      const page = statusSorts.page('-at', 100)
      return textsOf((database) => listStatuses(database, caller, machine.id, { from }, page))
    },
  ],
  [
    'the next page of them',
    async () => {
      const caller = await sessionCallerOf(world, owner)
      const at = new Date(Date.now() - 100 * 3_600_000).toISOString().replace('T', ' ').replace('Z', '+00')
      const page = statusSorts.page('-at', limit, { sort: '-at', value: at, id: at })
      return textsOf((database) => listStatuses(database, caller, machine.id, {}, page))
    },
  ],
  [
    'a new machine of an account that has few, beside one that has nearly all',
    async () => {
      const caller = await sessionCallerOf(world, await world.signUp())
      const values = { name: 'New', location: 'Hall 1', status: 'READY', site_id: null, controller_url: null } as const
      return textsOf((database) => insertMachine(database, caller, values, undefined, 1_000))
    },
  ],
  ['a sweep without due jobs', () => textsOf((database) => redispatchDueJobs(database, 100))],
])('%s reads few rows', async (_, plan) => {
  expect(mostRowsRead(await explain(world.postgres, await plan()))).toBeLessThan(mostRows)
})
