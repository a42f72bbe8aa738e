// The search `q` in a large registry: an index serves each text of two or more characters, in any script.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { listMachines, machineSorts } from '../../src/machines/sql/read.ts'
import { textsOf } from '../bench/plan.ts'
import { type Person, startWorld, type World } from '../harness.ts'

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

type Node = {
  'Node Type': string
  'Index Name'?: string
  'Actual Rows': number
  'Rows Removed by Filter'?: number
  'Actual Loops': number
  Plans?: Node[]
}

/** The nodes that were executed. */
function flatten(node: Node): Node[] {
  return node['Actual Loops'] === 0 ? [] : [node, ...(node.Plans ?? []).flatMap(flatten)]
}

async function explain(q: string): Promise<Node[]> {
  const [session] = await world.postgres.query('SELECT id FROM sessions WHERE account_id = $1', [owner.id])
  const caller = { kind: 'session' as const, accountId: owner.id, sessionId: String(session?.id) }
  const statements = await textsOf((database) =>
    listMachines(database, caller, { q }, machineSorts.page('-created_at', 20)),
  )
  const [statement] = statements
  const [row] = await world.postgres.query(
    `EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) ${statement?.query}`,
    statement?.params,
  )
  const [explained] = (row?.['QUERY PLAN'] ?? []) as { Plan: Node }[] // the format of FORMAT JSON
  return explained ? flatten(explained.Plan) : []
}

const mostRows = (nodes: Node[]) =>
  Math.max(...nodes.map((node) => (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops']))

test.each([
  ['two Hangul syllables', '특장', 5],
  ['two Latin letters in another case', 'qx', 5],
  ['characters that are special in a pattern', '0%_ä\\', 5],
  ['a text that no machine has', '없음', 0],
])('%s are found by the index', async (_, q, count) => {
  const nodes = await explain(q)
  expect(nodes.map((node) => node['Index Name'])).toContain('machines_by_text')
  expect(mostRows(nodes)).toBeLessThan(100)
  const { body } = await owner.request('GET', `/api/machines?q=${encodeURIComponent(q)}`)
  expect(body.items).toHaveLength(count)
})

test.each([
  ['a text that all machines have', '사출기'],
  ['a text that half of the machines have', 'Hall'],
  ['one character', '기'],
])('%s is found in the order of the list, without reading all machines', async (_, q) => {
  const nodes = await explain(q)
  expect(nodes.map((node) => node['Index Name'])).not.toContain('machines_by_text')
  expect(mostRows(nodes)).toBeLessThan(500)
})

test('the end of a name and the beginning of a location are not one text', async () => {
  const { body } = await owner.request('GET', `/api/machines?q=${encodeURIComponent('특장1')}`)
  expect(body.items).toEqual([])
})
