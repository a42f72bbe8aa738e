// The history of the statuses of a machine: every writer of a status leaves a row, and so does a silence.
import { beforeAll, describe, expect, test } from 'vitest'
import { render } from '../../src/infra/prepare.ts'
import { isFresh } from '../../src/machines/sql/report.ts'
import type { Answer, Person, World } from '../harness.ts'
import { deliver, request, setMachineStatus } from '../jobs/qstash-calls.ts'
import { aPullMachine } from '../jobs/reporting.ts'
import { useQuietWorld } from '../shared-world.ts'

let world: World
let owner: Person
beforeAll(async () => {
  world = await useQuietWorld()
  owner = await world.signUp()
})

type Item = { status: string | null; source: string; at: string }

const read = (id: number, query: Record<string, string> = {}, person = owner): Promise<Answer> =>
  person.request('GET', `/api/machines/${id}/statuses?${new URLSearchParams(query)}`)
const list = async (id: number, query?: Record<string, string>): Promise<Item[]> => (await read(id, query)).body.items
/** The oldest first, without times. */
const story = async (id: number) => (await list(id)).map(({ status, source }) => `${status} ${source}`).toReversed()
const readMachine = async (id: number) => (await owner.request('GET', `/api/machines/${id}`)).body
const setByHand = (id: number, status: string) => owner.request('PATCH', `/api/machines/${id}`, { body: { status } })
const secondsBetween = (one: Item, other: Item) => (Date.parse(other.at) - Date.parse(one.at)) / 1_000

/** Lets time pass: everything that was is longer ago. */
async function letPass(machineId: number, by: string): Promise<void> {
  for (const change of [
    'machines SET status_at = status_at - $2::interval WHERE id',
    'machine_statuses SET at = at - $2::interval WHERE machine_id',
    'machine_reports SET at = at - $2::interval WHERE machine_id',
  ]) {
    await world.postgres.query(`UPDATE ${change} = $1`, [machineId, by])
  }
}

/** A machine with these statuses and no others, by the hour of 2026-01-01. */
async function aMachineWith(rows: [hour: number, status: string | null][]): Promise<number> {
  const { id } = await world.createMachine(owner)
  await world.postgres.query('DELETE FROM machine_statuses WHERE machine_id = $1', [id])
  for (const [hour, status] of rows) {
    await world.postgres.query(
      `INSERT INTO machine_statuses (machine_id, at, status, source)
        VALUES ($1, timestamptz '2026-01-01T00:00:00Z' + make_interval(hours => $2), $3, 'report')`,
      [id, hour, status],
    )
  }
  return id
}
const atHour = (hour: number) => new Date(Date.UTC(2026, 0, 1, hour)).toISOString()
const hoursOf = (items: Item[]) => items.map(({ at }) => (Date.parse(at) - Date.UTC(2026, 0, 1)) / 3_600_000)

describe('a row is left by', () => {
  test('a new machine, with the time of the machine', async () => {
    const { id, body } = await world.createMachine(owner, { status: 'POWEROFF' })
    expect(await list(id)).toEqual([{ status: 'POWEROFF', source: 'person', at: body.status_at }])
  })

  test('a START, a STOP and a START that fails', async () => {
    const machine = await world.createMachine(owner)
    await deliver(world, (await request(world, owner, machine.id, 'START')).id)
    await deliver(world, (await request(world, owner, machine.id, 'STOP')).id)
    machine.behave({ mode: 'refuse' })
    await deliver(world, (await request(world, owner, machine.id, 'START')).id)
    expect(await story(machine.id)).toEqual(['READY person', 'RUNNING command', 'READY command', 'ERROR command'])
    const [latest] = await list(machine.id)
    expect(latest?.at).toBe((await readMachine(machine.id)).status_at)
  })

  test('an answer that the command is in progress', async () => {
    const machine = await world.createMachine(owner)
    machine.behave({ mode: 'fail', status: 200, body: { result: 'PENDING' } })
    await deliver(world, (await request(world, owner, machine.id, 'START')).id)
    expect(await story(machine.id)).toEqual(['READY person', 'PENDING command'])
  })

  test('a report', async () => {
    const machine = await aPullMachine(world, owner)
    await machine.report({ status: 'RUNNING' })
    await machine.report({ status: 'ERROR' })
    expect(await story(machine.id)).toEqual(['READY person', 'RUNNING report', 'ERROR report'])
    expect((await list(machine.id))[0]?.at).toBe((await readMachine(machine.id)).status_at)
  })

  test('a person', async () => {
    const { id } = await world.createMachine(owner)
    await setByHand(id, 'ERROR')
    expect(await story(id)).toEqual(['READY person', 'ERROR person'])
  })

  test('a program that sets a status and not its time', async () => {
    const { id, body } = await world.createMachine(owner)
    await setMachineStatus(world, id, 'RUNNING')
    const [latest, first] = await list(id)
    expect(first).toEqual({ status: 'READY', source: 'person', at: body.status_at })
    expect(latest?.status).toBe('RUNNING')
  })
})

test('the same status leaves no row, and nor does any other change', async () => {
  const { id } = await world.createMachine(owner)
  await setByHand(id, 'READY')
  await owner.request('PATCH', `/api/machines/${id}`, { body: { name: 'New name' } })
  await deliver(world, (await request(world, owner, id, 'STOP')).id)
  expect(await story(id)).toEqual(['READY person'])
  const reporter = await aPullMachine(world, owner)
  for (const cycles of [1, 2, 3]) await reporter.report({ cycles })
  await reporter.report({ cycles: 3, alarm: { code: 'E-1', text: 'heating' } })
  expect(await story(reporter.id)).toEqual(['READY person'])
})

describe('a silence', () => {
  test('is a status that is unknown from the end of the last fresh report, also after the next one', async () => {
    const machine = await aPullMachine(world, owner)
    await machine.report({ status: 'RUNNING', interval_seconds: 20 })
    await letPass(machine.id, '2 minutes')
    const [now, running] = await list(machine.id)
    expect(now).toMatchObject({ status: null, source: 'report' })
    const { reported } = await readMachine(machine.id)
    expect(Date.parse(String(now?.at)) - Date.parse(reported.at)).toBe(60_000)
    expect(running).toMatchObject({ status: 'RUNNING', source: 'report' })
    expect(await world.postgres.query('SELECT FROM machine_statuses WHERE machine_id = $1', [machine.id])).toHaveLength(
      2,
    )

    await machine.report({ status: 'RUNNING', interval_seconds: 300 })
    const items = await list(machine.id)
    expect(items[0]).toEqual({ status: 'RUNNING', source: 'report', at: (await readMachine(machine.id)).reported.at })
    expect(items.slice(1, 3)).toEqual([now, running])
    expect(await story(machine.id)).toEqual(['READY person', 'RUNNING report', 'null report', 'RUNNING report'])
  })

  test('that ends with another status leaves one row for it', async () => {
    const machine = await aPullMachine(world, owner)
    await machine.report({ status: 'READY', interval_seconds: 5 })
    await letPass(machine.id, '15 seconds')
    await machine.report({ status: 'ERROR', interval_seconds: 5 })
    const items = await list(machine.id)
    expect(items.filter(({ status }) => status === 'ERROR')).toEqual([
      { status: 'ERROR', source: 'report', at: (await readMachine(machine.id)).status_at },
    ])
    expect(items.filter(({ status }) => status === null)).toHaveLength(1)
  })

  test('shorter than three intervals is none', async () => {
    const machine = await aPullMachine(world, owner)
    await machine.report({ interval_seconds: 300 })
    await letPass(machine.id, '14 minutes')
    await machine.report({ interval_seconds: 300, cycles: 2 })
    expect(await story(machine.id)).toEqual(['READY person'])
  })

  test('has the statuses that a person has set meanwhile', async () => {
    const machine = await aPullMachine(world, owner)
    await machine.report({ status: 'RUNNING', interval_seconds: 5 })
    await letPass(machine.id, '1 minute')
    expect((await setByHand(machine.id, 'ERROR')).status).toBe(200)
    await machine.report({ status: 'ERROR', interval_seconds: 300 })
    expect(await story(machine.id)).toEqual([
      'READY person',
      'RUNNING report',
      'null report',
      'ERROR person',
      'ERROR report',
    ])
    const [, byHand, unknown] = await list(machine.id)
    expect(unknown && byHand && secondsBetween(unknown, byHand)).toBeGreaterThan(40)
  })

  test('is decided by the trigger as by every statement', async () => {
    const condition = render(isFresh).sql.replaceAll(/\br\./g, 'OLD.').replaceAll('statement_timestamp()', 'NEW.at')
    await world.postgres.query('CREATE TABLE same_columns (LIKE machine_reports)')
    await world.postgres.query(`CREATE TRIGGER same_condition AFTER UPDATE ON same_columns
      FOR EACH ROW WHEN (NOT ${condition}) EXECUTE FUNCTION record_machine_silence()`)
    const definitionOf = async (trigger: string) => {
      const [row] = await world.postgres.query(
        'SELECT pg_get_triggerdef(oid) AS definition FROM pg_trigger WHERE tgname = $1',
        [trigger],
      )
      return /WHEN.*/.exec(String(row?.definition))?.[0]
    }
    const expected = await definitionOf('same_condition')
    await world.postgres.query('DROP TABLE same_columns')
    expect(expected).toContain('interval_seconds')
    // If it differs: the next migration replaces the trigger and its function.
    expect(await definitionOf('machine_reports_record_silence')).toBe(expected)
  })
})

describe('GET /api/machines/{id}/statuses', () => {
  test('is for those with a role on the machine, also when it is deleted', async () => {
    const stranger = await world.signUp()
    const { id } = await world.createMachine(owner)
    expect((await read(id, {}, stranger)).body.code).toBe('not_owner')
    expect((await read(999_999_999)).status).toBe(404)
    await owner.request('DELETE', `/api/machines/${id}`)
    expect(await story(id)).toEqual(['READY person'])
  })

  test.each<[string, Record<string, string>, number[]]>([
    ['everything', {}, [9, 6, 3]],
    ['from between two: with the one in force', { from: atHour(5) }, [9, 6, 3]],
    ['from a change on', { from: atHour(6) }, [9, 6]],
    ['from after the last one', { from: atHour(20) }, [9]],
    ['from before the first one', { from: atHour(1) }, [9, 6, 3]],
    ['to a change: without it', { to: atHour(6) }, [3]],
    ['from and to', { from: atHour(7), to: atHour(8) }, [6]],
    ['to before the first one', { to: atHour(3) }, []],
    ['one page', { limit: '1' }, [9]],
  ])('shows %s', async (_, query, expected) => {
    const id = await aMachineWith([
      [3, 'READY'],
      [6, null],
      [9, 'RUNNING'],
    ])
    expect(hoursOf(await list(id, query))).toEqual(expected)
  })

  test('from a time in the present silence shows the silence', async () => {
    const machine = await aPullMachine(world, owner)
    await machine.report({ status: 'RUNNING', interval_seconds: 5 })
    await letPass(machine.id, '1 hour')
    const items = await list(machine.id, { from: new Date(Date.now() - 60_000).toISOString(), to: atHour(24 * 3_650) })
    expect(items.at(-1)).toMatchObject({ status: null })
  })

  test('its pages have each status once, and the last one is that at `from`', async () => {
    const id = await aMachineWith(Array.from({ length: 12 }, (_, hour) => [hour, hour % 2 ? 'RUNNING' : 'READY']))
    const items: Item[] = []
    let cursor: string | undefined
    do {
      const { body } = await read(id, { limit: '3', from: `${atHour(4).slice(0, -5)}.5Z`, ...(cursor && { cursor }) })
      items.push(...body.items)
      cursor = body.next_cursor ?? undefined
    } while (cursor !== undefined)
    expect(hoursOf(items)).toEqual([11, 10, 9, 8, 7, 6, 5, 4])
  })
})
