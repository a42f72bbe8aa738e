// Which rows the sweep deletes because they are no longer needed.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Person, World } from '../harness.ts'
import { useQuietWorld } from '../shared-world.ts'
import { deliver } from './qstash-calls.ts'

let world: World
beforeAll(async () => {
  world = await useQuietWorld()
})

test('old idempotency keys and expired sessions are deleted, others are kept', async () => {
  const [kept, gone] = [await world.signUp(), await world.signUp()]
  for (const person of [kept, gone]) {
    const body = { name: 'm', location: 'l' }
    await person.request('POST', '/api/machines', { body, headers: { 'Idempotency-Key': 'swept' } })
  }
  const old = "UPDATE idempotency_keys SET created_at = now() - interval '24 hours' WHERE caller = $1"
  await world.postgres.query(old, [`account:${gone.id}`])
  const ranOut = "UPDATE sessions SET expires_at = now() - interval '8 days' WHERE account_id = $1"
  await world.postgres.query(ranOut, [gone.id])
  await world.sweep()
  const callers = [kept, gone].map(({ id }) => `account:${id}`)
  expect(await world.postgres.query('SELECT caller FROM idempotency_keys WHERE caller = ANY ($1)', [callers])).toEqual([
    { caller: `account:${kept.id}` },
  ])
  const sessions = 'SELECT account_id FROM sessions WHERE account_id = ANY ($1)'
  const rows = await world.postgres.query(sessions, [[kept.id, gone.id]])
  expect(rows.map(({ account_id }) => Number(account_id))).toEqual([kept.id])
})

/** Audit events of these kinds and ages. @returns reads those that are left */
async function makeAuditEvents(): Promise<() => Promise<string[]>> {
  const subject = `machine:${crypto.randomUUID()}`
  const rows: [action: string, days: number][] = [
    ['operation.refuse', 31],
    ['operation.refuse', 29],
    ['machine.status', 99],
    ['machine.status', 101],
  ]
  for (const [action, days] of rows) {
    await world.postgres.query(
      `INSERT INTO audit_events (at, action, subject) VALUES (now() - make_interval(days => $1), $2, $3)`,
      [days, action, subject],
    )
  }
  return async () => {
    const found = await world.postgres.query(
      `SELECT action, round(extract(epoch FROM now() - at) / 86400)::int AS days FROM audit_events WHERE subject = $1 ORDER BY at`,
      [subject],
    )
    return found.map(({ action, days }) => `${action} ${days}`)
  }
}

test('of audit events, old refusals are deleted', async () => {
  const readLeft = await makeAuditEvents()
  await world.sweep()
  expect(await readLeft()).toEqual(['machine.status 101', 'machine.status 99', 'operation.refuse 29'])
})

const age = (jobId: string, days: number) =>
  world.postgres.query(`UPDATE jobs SET finished_at = now() - make_interval(days => $2) WHERE id = $1`, [jobId, days])
const idsOf = async (person: Person, machineId: number) => {
  const { body } = await person.request('GET', `/api/machines/${machineId}/history`)
  return body.items.map(({ id }: { id: string }) => id)
}

/** An ended job, and a refused request. */
async function makeHistory(person: Person) {
  const machine = await world.createMachine(person)
  const { body: ended } = await world.operate(person, machine.id, 'START')
  await deliver(world, ended.id)
  await world.operate(person, machine.id, 'START')
  const [refused] = await idsOf(person, machine.id)
  return { machine, ended: ended.id, refused }
}

describe('of ended jobs', () => {
  test('nothing but old refusals is deleted by default, and of statuses nothing', async () => {
    const person = await world.signUp()
    const { machine, ended, refused } = await makeHistory(person)
    await world.postgres.query("UPDATE machine_statuses SET at = at - interval '10000 days' WHERE machine_id = $1", [
      machine.id,
    ])
    await age(ended, 10_000)
    await age(refused, 29)
    await world.sweep()
    expect(await idsOf(person, machine.id)).toHaveLength(2)
    const statuses = await person.request('GET', `/api/machines/${machine.id}/statuses`)
    expect(statuses.body.items).toHaveLength(2)
    await age(refused, 31)
    await world.sweep()
    expect(await idsOf(person, machine.id)).toEqual([ended])
  })

  test('more than one portion is deleted by one sweep', async () => {
    const person = await world.signUp()
    const machine = await world.createMachine(person)
    await world.postgres.query(
      `INSERT INTO jobs (id, machine_id, machine_owner_id, command, state, result, reason, requested_by, requested_at,
         not_after, finished_at)
       SELECT gen_random_uuid(), $1, $2, 'START', 'REJECTED', 'INVALIDCOMMAND', 'wrong_state', $2, now(), now(),
         now() - interval '31 days' FROM generate_series(1, 2500)`,
      [machine.id, person.id],
    )
    await world.sweep()
    expect(await idsOf(person, machine.id)).toEqual([])
  })
})

describe('with HISTORY_KEPT_DAYS', () => {
  beforeAll(() => world.reconfigure({ HISTORY_KEPT_DAYS: '100' }))
  afterAll(() => world.reconfigure({}))

  test('all old audit events are deleted', async () => {
    const readLeft = await makeAuditEvents()
    await world.sweep()
    expect(await readLeft()).toEqual(['machine.status 99', 'operation.refuse 29'])
  })

  test('older ended jobs are deleted with their events, and an open one stays', async () => {
    const person = await world.signUp()
    const [old, recent] = [await makeHistory(person), await makeHistory(person)]
    await age(old.ended, 101)
    await age(recent.ended, 99)
    const { body: open } = await world.operate(person, old.machine.id, 'STOP')
    await world.postgres.query(`UPDATE jobs SET requested_at = now() - interval '1000 days' WHERE id = $1`, [open.id])
    await world.sweep()
    expect(await idsOf(person, recent.machine.id)).toContain(recent.ended)
    expect(await idsOf(person, old.machine.id)).toContain(open.id)
    expect(await idsOf(person, old.machine.id)).not.toContain(old.ended)
    expect(await world.postgres.query('SELECT FROM job_events WHERE job_id = $1', [old.ended])).toEqual([])
  })

  test('older statuses of machines are deleted, but not the one that a machine had then', async () => {
    const person = await world.signUp()
    const daysOf = async (rows: number[]) => {
      const machine = await world.createMachine(person)
      await world.postgres.query('DELETE FROM machine_statuses WHERE machine_id = $1', [machine.id])
      await world.postgres.query(
        `INSERT INTO machine_statuses (machine_id, at, status, source)
          SELECT $1, now() - make_interval(days => days), 'READY', 'person' FROM unnest($2::int[]) AS days`,
        [machine.id, rows],
      )
      await world.sweep()
      const left = await world.postgres.query(
        `SELECT round(extract(epoch FROM now() - at) / 86400)::int AS days FROM machine_statuses
          WHERE machine_id = $1 ORDER BY at`,
        [machine.id],
      )
      return left.map(({ days }) => days)
    }
    expect(await daysOf([300, 200, 101, 99, 1])).toEqual([101, 99, 1])
    expect(await daysOf([300, 200])).toEqual([200])
    expect(await daysOf([300])).toEqual([300])
    expect(await daysOf([99, 1])).toEqual([99, 1])
    const many = Array.from({ length: 2_500 }, (_, index) => 200 + index)
    expect(await daysOf(many)).toEqual([200])
  })
})
