// The histories of a machine and of a person: filters, order and pages.
import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { encodeCursor } from '../../src/kernel/page.ts'
import type { Answer, Person, World } from '../harness.ts'
import { useWorld } from '../shared-world.ts'

let world: World
beforeAll(async () => {
  world = await useWorld()
})

type Job = {
  id: string
  machine_id: number
  command: string
  state: string
  requested_by: number
  requested_at: string
}

const members = [
  'id',
  'machine_id',
  'machine_owner_id',
  'command',
  'sequence',
  'state',
  'result',
  'reason',
  'detail',
  'attempts',
]
members.push('requested_by', 'key_id', 'requested_at', 'not_after', 'sent_at', 'finished_at', 'confirmed_at', 'version')

type JobRow = { at?: string; command?: string; state?: string; result?: string; by?: Person }

/** Inserts jobs by SQL, so that there can be many, with the same microsecond. */
async function insertJobs(owner: Person, machineId: number, rows: JobRow[]): Promise<string[]> {
  const ids = rows.map(() => randomUUID())
  const standard = { at: '2026-01-01T00:00:00Z', command: 'START', state: 'SUCCEEDED', result: 'SUCCESS' }
  const whole = rows.map(({ by = owner, ...row }, index) => ({ ...standard, ...row, id: ids[index], by: by.id }))
  await world.postgres.query(
    `INSERT INTO jobs (id, machine_id, machine_owner_id, command, state, result, requested_by, requested_at, not_after, finished_at)
     SELECT id, $2, $3, command, state, result, "by", at, at, at
     FROM jsonb_to_recordset($1) AS r (id uuid, command text, state text, result text, "by" bigint, at timestamptz)`,
    [JSON.stringify(whole), machineId, owner.id],
  )
  return ids
}

const historyOf = (machineId: number) => `/api/machines/${machineId}/history`
const mine = '/api/machines/history'
const read = (person: Person, path: string, query: Record<string, string> = {}): Promise<Answer> =>
  person.request('GET', `${path}?${new URLSearchParams(query)}`)
const idsOf = (answer: Answer): string[] => answer.body.items.map(({ id }: Job) => id)

async function walk(person: Person, path: string, limit: number): Promise<Job[]> {
  const items: Job[] = []
  for (let next: string | undefined = `${path}?limit=${limit}`; next !== undefined; ) {
    const answer = await person.request('GET', next)
    expect(answer.status).toBe(200)
    items.push(...answer.body.items)
    if (items.length > 1_000) throw new Error('the pages do not come to an end')
    next = /^<([^>]+)>; rel="next"$/.exec(answer.headers.get('Link') ?? '')?.[1]
    expect(next === undefined).toBe(answer.body.next_cursor === null)
  }
  return items
}

test('a history lists complete jobs, newest first, in the same form as a single job', async () => {
  const owner = await world.signUp()
  const machine = await world.createMachine(owner)
  const { body: start } = await world.operate(owner, machine.id, 'START')
  await world.waitForJob(owner, start.id, 'SUCCEEDED')
  const { body: stop } = await world.operate(owner, machine.id, 'STOP')
  await world.waitForJob(owner, stop.id, 'SUCCEEDED')
  for (const path of [historyOf(machine.id), mine]) {
    const answer = await read(owner, path)
    expect(idsOf(answer)).toEqual([stop.id, start.id])
    for (const item of answer.body.items) {
      expect(Object.keys(item).toSorted()).toEqual(members.toSorted())
      expect((await owner.request('GET', `/api/jobs/${item.id}`)).body).toEqual(item)
    }
  }
})

test('a machine without commands has an empty history', async () => {
  const owner = await world.signUp()
  const machine = await world.createMachine(owner)
  for (const path of [historyOf(machine.id), mine]) {
    expect((await read(owner, path)).body).toEqual({ items: [], next_cursor: null })
  }
})

test('only owner and staff can read the history of a machine: 403 for others, 404 for an unknown machine', async () => {
  const owner = await world.signUp()
  const stranger = await world.signUp()
  const staff = await world.signUpStaff()
  const machine = await world.createMachine(owner)
  const [id] = await insertJobs(owner, machine.id, [{}])
  expect(idsOf(await read(staff, historyOf(machine.id)))).toEqual([id])
  const forbidden = await read(stranger, historyOf(machine.id))
  expect([forbidden.status, forbidden.body.code]).toEqual([403, 'not_owner'])
  for (const unknown of ['999999999', 'x', '0', '9007199254740992']) {
    expect((await read(owner, `/api/machines/${unknown}/history`)).status).toBe(404)
  }
})

test('my history has the jobs on my machines and the jobs that I requested, each once, and no others', async () => {
  const [me, other, third] = [await world.signUp(), await world.signUpStaff(), await world.signUp()]
  const ours = await world.createMachine(me)
  const theirs = await world.createMachine(other)
  const [byMeOnMine, byOtherOnMine] = await insertJobs(me, ours.id, [
    { by: me, at: '2026-01-04T00:00:00Z' },
    { by: other, at: '2026-01-02T00:00:00Z' },
  ])
  const [byMeOnTheirs, byOtherOnTheirs] = await insertJobs(other, theirs.id, [
    { by: me, at: '2026-01-03T00:00:00Z', state: 'REJECTED', result: 'PERMISSIONDENIED' },
    { by: other, at: '2026-01-05T00:00:00Z' },
  ])
  expect(idsOf(await read(me, mine))).toEqual([byMeOnMine, byMeOnTheirs, byOtherOnMine])
  expect(idsOf(await read(me, mine, { requested_by: 'me' }))).toEqual([byMeOnMine, byMeOnTheirs])
  expect(idsOf(await read(me, mine, { requested_by: String(other.id) }))).toEqual([byOtherOnMine])
  // Staff see the jobs of others in the history of a machine, not in their own history.
  expect(idsOf(await read(other, mine))).toEqual([byOtherOnTheirs, byMeOnTheirs, byOtherOnMine])
  expect(idsOf(await read(third, mine))).toEqual([])
})

test('a refusal with 403 is in nobody’s history: strangers cannot fill it', async () => {
  const [owner, stranger] = [await world.signUp(), await world.signUp()]
  const machine = await world.createMachine(owner)
  expect((await world.operate(stranger, machine.id, 'STOP')).status).toBe(403)
  for (const [person, path] of [
    [owner, mine],
    [stranger, mine],
    [owner, historyOf(machine.id)],
  ] as const) {
    expect((await read(person, path)).body.items).toEqual([])
  }
  expect((await read(stranger, historyOf(machine.id))).status).toBe(403)
})

describe('filters', () => {
  let owner: Person
  let helper: Person
  let paths: string[]
  let ids: string[]
  beforeAll(async () => {
    owner = await world.signUp()
    helper = await world.signUp()
    const machine = await world.createMachine(owner)
    paths = [historyOf(machine.id), mine]
    ids = await insertJobs(owner, machine.id, [
      { at: '2026-01-05T00:00:00Z', command: 'STOP', state: 'FAILED', result: 'REMOTEFAILED' },
      { at: '2026-01-04T00:00:00Z', state: 'EXPIRED', result: 'IGNORE' },
      { at: '2026-01-03T00:00:00.000002Z', state: 'FAILED', result: 'INTERNALFAILED', by: helper },
      { at: '2026-01-03T00:00:00.000001Z', command: 'STOP' },
      { at: '2026-01-02T00:00:00Z', state: 'REJECTED', result: 'INVALIDCOMMAND' },
      { at: '2026-01-01T00:00:00Z', state: 'REJECTED', result: 'PERMISSIONDENIED', by: helper },
    ])
  })

  test.each<[Record<string, string>, number[]]>([
    [{}, [0, 1, 2, 3, 4, 5]],
    [{ command: 'START' }, [1, 2, 4, 5]],
    [{ command: 'STOP' }, [0, 3]],
    [{ state: 'FAILED' }, [0, 2]],
    [{ state: 'CANCELED' }, []],
    [{ result: 'SUCCESS' }, [3]],
    [{ result: '1' }, [3]],
    [{ result: '2' }, [0]],
    [{ result: '3' }, [2]],
    [{ result: '4' }, []],
    [{ result: '5' }, [5]],
    [{ result: '6' }, [4]],
    [{ result: '7' }, [1]],
    [{ requested_by: 'me' }, [0, 1, 3, 4]],
    [{ from: '2026-01-03T00:00:00.000001Z' }, [0, 1, 2, 3]],
    [{ from: '2026-01-03T00:00:00.000002Z' }, [0, 1, 2]],
    [{ to: '2026-01-03T00:00:00.000002Z' }, [3, 4, 5]],
    [{ to: '2026-01-03T00:00:00.000003Z' }, [2, 3, 4, 5]],
    [{ from: '2026-01-03T00:00:00Z', to: '2026-01-04T00:00:00Z' }, [2, 3]],
    [{ from: '2026-01-04T09:00:00+09:00', to: '2026-01-04T23:58:59-00:01' }, [1]],
    [{ from: '2026-01-04T00:00:00Z', to: '2026-01-03T00:00:00Z' }, []],
    [{ from: '2026-01-04T00:00:00Z', to: '2026-01-04T00:00:00Z' }, []],
    [{ command: 'START', state: 'REJECTED', requested_by: 'me' }, [4]],
  ])('%j', async (query, expected) => {
    for (const path of paths) {
      expect(idsOf(await read(owner, path, query))).toEqual(expected.map((index) => ids[index]))
      const one = await read(owner, path, { ...query, limit: '1' })
      expect(idsOf(one)).toEqual(expected.slice(0, 1).map((index) => ids[index]))
      expect(one.body.next_cursor === null).toBe(expected.length < 2)
    }
  })

  test('requested_by accepts an account id', async () => {
    for (const path of paths) {
      expect(idsOf(await read(owner, path, { requested_by: String(helper.id) }))).toEqual([ids[2], ids[5]])
    }
  })

  test('requested_at of an answer can be used as from without a gap', async () => {
    const [path = ''] = paths
    const { body } = await read(owner, path)
    const third: Job = body.items[2]
    expect(idsOf(await read(owner, path, { from: third.requested_at })).at(-1)).toBe(third.id)
    expect(idsOf(await read(owner, path, { to: third.requested_at })).at(0)).toBe(ids[3])
  })

  test('a + that was not escaped arrives as a space and is still accepted as an offset', async () => {
    const answer = await owner.request('GET', `${paths[0]}?from=2026-01-05T09:00:00+09:00`)
    expect(idsOf(answer)).toEqual([ids[0]])
  })

  const cursorFor = (sort: string, value: string, id: string) => encodeCursor({ sort, value, id })
  const uuid = '0198c0de-7c1a-7000-8000-000000000001'

  test.each<[string, string]>([
    ['command', 'PAUSE'],
    ['command', ''],
    ['command', '1'],
    ['state', 'DONE'],
    ['state', '1'],
    ['result', '0'],
    ['result', '8'],
    ['result', 'WRONG'],
    ['requested_by', 'you'],
    ['requested_by', '0'],
    ['requested_by', '1e3'],
    ['from', 'yesterday'],
    ['from', '2026-01-01'],
    ['from', '2026-01-01T00:00:00'],
    ['from', '2026-02-30T00:00:00Z'],
    ['from', '0000-01-01T00:00:00Z'],
    ['from', '2026-01-01T00:00:00+23:59'],
    ['from', `2026-01-01T00:00:00.${'1'.repeat(500)}Z`],
    ['to', 'infinity'],
    ['to', '2026-01-01T24:00:00Z'],
    ['limit', '0'],
    ['limit', '501'],
    ['cursor', 'garbage'],
    ['cursor', cursorFor('requested_at', '2026-01-01 00:00:00+00', uuid)],
    ['cursor', cursorFor('id', '1', '1')],
    ['cursor', cursorFor('-requested_at', '2026-02-30 00:00:00+00', uuid)],
    ['cursor', cursorFor('-requested_at', '2026-01-01 00:00:00+00', '1')],
    ['cursor', cursorFor('-requested_at', 'now', uuid)],
    ['cursor', cursorFor('-requested_at', '2026-01-01 00:00:00+00\0', uuid)],
  ])('%s=%s is answered 422 with the name of the parameter', async (parameter, value) => {
    for (const path of paths) {
      const answer = await read(owner, path, { [parameter]: value })
      expect([answer.status, answer.body.code]).toEqual([422, 'validation_failed'])
      for (const error of answer.body.errors) expect(error).toEqual({ parameter, detail: expect.stringMatching(/./) })
    }
  })
})

test('the pages of my history show every job exactly once, also with equal times', async () => {
  const owner = await world.signUp()
  const other = await world.signUp()
  const at = fc.constantFrom('2026-01-01T00:00:00Z', '2026-01-01T00:00:00.000001Z', '2026-01-01T00:00:00.5Z')
  const scenario = fc.record({
    onMine: fc.array(at, { maxLength: 8 }),
    askedFor: fc.array(at, { maxLength: 8 }),
    limit: fc.integer({ min: 1, max: 4 }),
  })
  await fc.assert(
    fc.asyncProperty(scenario, async ({ onMine, askedFor, limit }) => {
      await world.postgres.query('DELETE FROM jobs WHERE requested_by = ANY ($1)', [[owner.id, other.id]])
      const mineId = (await world.createMachine(owner)).id
      const theirsId = (await world.createMachine(other)).id
      const inserted = [
        ...(await insertJobs(
          owner,
          mineId,
          onMine.map((at, index) => ({ at, by: index % 2 ? owner : other })),
        )),
        ...(await insertJobs(
          other,
          theirsId,
          askedFor.map((at) => ({ at, by: owner })),
        )),
      ]
      const walked = await walk(owner, mine, limit)
      expect(walked.map(({ id }) => id).toSorted()).toEqual(inserted.toSorted())
      const keys = walked.map(({ requested_at, id }) => `${requested_at} ${id}`)
      expect(keys).toEqual(keys.toSorted().toReversed())
      expect(await walk(owner, historyOf(mineId), limit)).toEqual(
        walked.filter(({ machine_id }) => machine_id === mineId),
      )
    }),
    { numRuns: 12 },
  )
})

test('a job that is added between two pages does not shift the next page', async () => {
  const owner = await world.signUp()
  const machine = await world.createMachine(owner)
  const ids = await insertJobs(owner, machine.id, [
    { at: '2026-01-03T00:00:00Z' },
    { at: '2026-01-02T00:00:00Z' },
    { at: '2026-01-01T00:00:00Z' },
  ])
  const first = await read(owner, mine, { limit: '2' })
  await insertJobs(owner, machine.id, [{ at: '2026-01-04T00:00:00Z' }])
  const second = await read(owner, mine, { limit: '2', cursor: first.body.next_cursor })
  expect([...idsOf(first), ...idsOf(second)]).toEqual(ids)
})
