// Race conditions of reports, on a real PostgreSQL: PGlite has one connection and would hide them.
import { beforeAll, describe, expect, test } from 'vitest'
import { hasRealPostgres, type Person, poll, type World } from '../harness.ts'
import { useQuietWorld } from '../shared-world.ts'
import { readRow, request } from './qstash-calls.ts'
import { ageReport, aPullMachine } from './reporting.ts'

describe.skipIf(!hasRealPostgres)('at the same time', () => {
  let world: World
  let owner: Person
  beforeAll(async () => {
    world = await useQuietWorld()
    owner = await world.signUp()
  })

  test.each(['START', 'STOP'] as const)('20 reports fetch one %s once', async (command) => {
    const machine = await aPullMachine(world, owner)
    await machine.report()
    const job = await request(world, owner, machine.id, command)
    const answers = await Promise.all(Array.from({ length: 20 }, () => machine.report()))
    // On a slow machine, a STOP is fetched again: its next attempt may begin after a second, whoever has the lease.
    const attempts = await world.postgres.query(
      `SELECT at - lag(at) OVER (ORDER BY version) < interval '1 second' AS is_early FROM job_events
        WHERE job_id = $1 AND state = 'SENT' AND reason IS NULL`,
      [job.id],
    )
    expect(attempts.filter(({ is_early }) => is_early)).toEqual([])
    const fetched = answers.filter((answer) => answer.command !== null).map((answer) => answer.command.job_id)
    expect(fetched).toEqual(attempts.map(() => job.id))
    if (command === 'START') expect(fetched).toHaveLength(1)
    expect(await readRow(world, job.id)).toMatchObject({ state: 'SENT', attempts: fetched.length })
  })

  test('reports in any order leave the newest one', async () => {
    const machine = await aPullMachine(world, owner)
    await machine.report()
    const reports = Array.from({ length: 30 }, (_, cycles) => machine.next({ cycles }))
    // The odd ones change the status, so that both ways of storing meet.
    const sent = reports.map((report, index) => ({ ...report, status: index % 2 ? 'RUNNING' : 'READY' })).reverse()
    await Promise.all(sent.map((report) => machine.send(report)))
    const { body } = await owner.request('GET', `/api/machines/${machine.id}`)
    expect([body.status, body.reported.status, body.reported.cycles]).toEqual(['RUNNING', 'RUNNING', 29])
  })

  test('a hold and a report that fetches a START: it is fetched, or held, and never both', async () => {
    for (let round = 0; round < 10; round += 1) {
      const machine = await aPullMachine(world, owner)
      await machine.report()
      const job = await request(world, owner, machine.id, 'START')
      const [hold, answer] = await Promise.all([
        owner.request('POST', `/api/machines/${machine.id}/holds`, { body: { reason: '금형' } }),
        machine.report(),
      ])
      expect([hold.status, answer.command !== null]).toEqual(hold.status === 201 ? [201, false] : [409, true])
      expect((await readRow(world, job.id)).state).toBe(hold.status === 201 ? 'SUPERSEDED' : 'SENT')
    }
  })

  test('a START and a report that the machine runs by itself: it is not fetched after that', async () => {
    for (let round = 0; round < 10; round += 1) {
      const machine = await aPullMachine(world, owner)
      await machine.report()
      const [start, answer] = await Promise.all([
        world.operate(owner, machine.id, 'START'),
        machine.report({ status: 'RUNNING' }),
      ])
      expect(answer.command).toBeNull()
      expect((await machine.report({ status: 'RUNNING' })).command).toBeNull()
      if (start.status === 202)
        expect(await readRow(world, start.body.id)).toMatchObject({ state: 'REJECTED', attempts: 0 })
      else expect([start.status, start.body.code]).toEqual([409, 'wrong_state'])
    }
  })

  test('20 reports after a silence end it once', async () => {
    for (const status of ['READY', 'RUNNING']) {
      const machine = await aPullMachine(world, owner)
      await machine.report({ status: 'READY', interval_seconds: 300 })
      await ageReport(world, machine.id, '1 hour')
      await Promise.all(Array.from({ length: 20 }, () => machine.report({ status, interval_seconds: 300 })))
      const rows = await world.postgres.query(
        'SELECT status, source FROM machine_statuses WHERE machine_id = $1 ORDER BY at',
        [machine.id],
      )
      // The silence began before the machine was made, because only the report was made older.
      expect(rows).toEqual([
        { status: null, source: 'report' },
        { status: 'READY', source: 'person' },
        { status, source: 'report' },
      ])
    }
  })

  test('reports that change only counters are heap-only updates', async () => {
    const machines = await Promise.all(Array.from({ length: 5 }, () => aPullMachine(world, owner)))
    for (const machine of machines) await machine.report()
    for (let cycles = 1; cycles <= 40; cycles += 1) await Promise.all(machines.map(({ report }) => report({ cycles })))
    // The server counts with a delay.
    const { updates, hot } = await poll(async () => {
      const [row] = await world.postgres.query(
        "SELECT n_tup_upd::int AS updates, n_tup_hot_upd::int AS hot FROM pg_stat_user_tables WHERE relname = 'machine_reports'",
      )
      const value = { updates: Number(row?.updates), hot: Number(row?.hot) }
      return { isDone: value.updates >= 200, value }
    }, 'the updates to be counted')
    expect(hot).toBeGreaterThanOrEqual(0.95 * updates) // a page can be full of rows that were just replaced
  })
})
