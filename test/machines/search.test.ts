// The search `q` in a large registry: an index serves each text of two or more characters, in any script.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { listMachines, machineSorts } from '../../src/machines/sql/read.ts'
import { sessionCallerOf } from '../accounts/people.ts'
import { textsOf } from '../bench/plan.ts'
import { type Person, startWorld, type World } from '../harness.ts'
import { explain, mostRowsRead, type PlanNode } from '../query-plan.ts'

const machines = 5_000

let world: World
let owner: Person
beforeAll(async () => {
  // A world of its own: thousands of machines would slow down the lists of other tests.
  world = await startWorld()
  owner = await world.signUp()
  await world.postgres.query(
    `INSERT INTO machines (name, location, owner_id)
     SELECT '사출기 ' || n || CASE n % 1000 WHEN 1 THEN ' 특장' WHEN 2 THEN ' QX' WHEN 3 THEN ' 50%_Ä' || chr(92) ELSE '' END,
       CASE n % 2 WHEN 0 THEN 'Hall ' || n % 30 ELSE n % 30 || '공장' END, $1
     FROM generate_series(1, $2::int) n`,
    [owner.id, machines],
  )
  await world.postgres.query('VACUUM ANALYZE machines')
})
afterAll(() => world?.close())

async function search(q: string): Promise<PlanNode[]> {
  const caller = await sessionCallerOf(world, owner)
  const page = machineSorts.page('-created_at', 20)
  return explain(world.postgres, await textsOf((database) => listMachines(database, caller, { q }, page)))
}

test.each([
  ['two Hangul syllables', '특장', 5],
  ['two Latin letters in another case', 'qx', 5],
  ['characters that are special in a pattern', '0%_ä\\', 5],
  ['a text that no machine has', '없음', 0],
])('%s are found by the index', async (_, q, count) => {
  const nodes = await search(q)
  expect(nodes.map((node) => node['Index Name'])).toContain('machines_by_text')
  expect(mostRowsRead(nodes)).toBeLessThan(100)
  const { body } = await owner.request('GET', `/api/machines?q=${encodeURIComponent(q)}`)
  expect(body.items).toHaveLength(count)
})

test.each([
  ['a text that all machines have', '사출기'],
  ['a text that half of the machines have', 'Hall'],
  ['one character', '기'],
])('%s is found in the order of the list, without reading all machines', async (_, q) => {
  const nodes = await search(q)
  expect(nodes.map((node) => node['Index Name'])).not.toContain('machines_by_text')
  expect(mostRowsRead(nodes)).toBeLessThan(500)
})

test('the end of a name and the beginning of a location are not one text', async () => {
  const { body } = await owner.request('GET', `/api/machines?q=${encodeURIComponent('특장1')}`)
  expect(body.items).toEqual([])
})
