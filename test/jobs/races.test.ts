// Race conditions of jobs, on a real PostgreSQL: PGlite has one connection and would hide them.
import { beforeAll, describe, expect, test } from 'vitest'
import { hasRealPostgres, type Person, type World } from '../harness.ts'
import { useQuietWorld } from '../shared-world.ts'
import { deliver, readMachineStatus, readRow, request, setMachineStatus } from './qstash-calls.ts'

describe.skipIf(!hasRealPostgres)('at the same time', () => {
  let world: World
  let owner: Person
  beforeAll(async () => {
    world = await useQuietWorld()
    owner = await world.signUp()
  })

  const countsOf = (answers: { status: number }[]) => {
    const counts: Record<number, number> = {}
    for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1
    return counts
  }

  async function readStates(machineId: number): Promise<string[]> {
    const rows = await world.postgres.query(
      "SELECT command || ' ' || state AS job FROM jobs WHERE machine_id = $1 AND state <> 'REJECTED' ORDER BY sequence",
      [machineId],
    )
    return rows.map(({ job }) => String(job))
  }

  test('100 STARTs of one machine create one job and one command; 99 are answered with that job', async () => {
    const machine = await world.createMachine(owner)
    const answers = await Promise.all(Array.from({ length: 100 }, () => world.operate(owner, machine.id, 'START')))
    expect(countsOf(answers)).toEqual({ 202: 1, 409: 99 })
    const id = answers.find(({ status }) => status === 202)?.body.id
    expect(new Set(answers.map(({ body }) => body.job_id ?? body.id))).toEqual(new Set([id]))
    const { body } = await owner.request('GET', `/api/machines/${machine.id}/history?state=REJECTED`)
    expect(body.items).toHaveLength(1)
    const deliveries = await Promise.all(Array.from({ length: 10 }, () => deliver(world, id)))
    expect(deliveries.every(({ status }) => status === 200 || status === 503)).toBe(true)
    expect(machine.commands()).toHaveLength(1)
    expect(await readRow(world, id)).toMatchObject({ state: 'SUCCEEDED', attempts: 1, version: 3 })
  })

  test('STOP, cancellation and delivery of a START leave one consistent end state in any order', async () => {
    const rounds = Array.from({ length: 8 }, async () => {
      const machine = await world.createMachine(owner)
      const start = await request(world, owner, machine.id, 'START')
      const [delivery, canceled, stopped] = await Promise.all([
        deliver(world, start.id),
        owner.request('POST', `/api/jobs/${start.id}/cancel`),
        world.operate(owner, machine.id, 'STOP'),
      ])
      expect(delivery.status).toBe(200)
      const { state } = await readRow(world, start.id)
      expect(canceled.status).toBe(state === 'CANCELED' ? 200 : 409)
      expect(stopped.status).toBe(202)
      if (state === 'CANCELED') expect(machine.commands()).toEqual([])
      expect(['CANCELED', 'SUPERSEDED', 'SUCCEEDED']).toContain(state)
      expect((await deliver(world, stopped.body.id)).status).toBe(200)
      expect(await readStates(machine.id)).toEqual([`START ${state}`, 'STOP SUCCEEDED'])
      expect(machine.commands().at(-1)?.command).toBe('STOP')
      expect(await readMachineStatus(world, machine.id)).toBe('READY')
    })
    await Promise.all(rounds)
  })

  test('20 STOPs after one START create one STOP, and each is answered with it', async () => {
    const machine = await world.createMachine(owner)
    await request(world, owner, machine.id, 'START')
    const answers = await Promise.all(Array.from({ length: 20 }, () => world.operate(owner, machine.id, 'STOP')))
    expect(countsOf(answers)).toEqual({ 202: 20 })
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1)
    expect(await readStates(machine.id)).toEqual(['START SUPERSEDED', 'STOP QUEUED'])
  })

  test('requests with one key create one job, on many machines', async () => {
    const machines = await Promise.all(Array.from({ length: 5 }, () => world.createMachine(owner)))
    const rounds = machines.map(async ({ id }) => {
      const options = { body: { command: 'START' }, headers: { 'Idempotency-Key': 'race' } }
      const twins = Array.from({ length: 6 }, () => owner.request('POST', `/api/machines/${id}/operation`, options))
      const answers = await Promise.all(twins)
      expect(countsOf(answers)).toEqual({ 202: 6 })
      expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1)
      expect(answers.filter(({ headers }) => headers.has('Idempotency-Replayed'))).toHaveLength(5)
    })
    await Promise.all(rounds)
  })

  test('a START and a DELETE: either the machine is deleted, or the open job prevents it', async () => {
    const rounds = Array.from({ length: 10 }, async () => {
      const machine = await world.createMachine(owner)
      const [started, deleted] = await Promise.all([
        world.operate(owner, machine.id, 'START'),
        owner.request('DELETE', `/api/machines/${machine.id}`),
      ])
      expect([
        [202, 409],
        [404, 204],
      ]).toContainEqual([started.status, deleted.status])
      if (deleted.status === 409) expect(deleted.body).toMatchObject({ code: 'job_open', job_id: started.body.id })
    })
    await Promise.all(rounds)
  })

  test('a START and a change of status: either wrong_state or job_open refuses one of them', async () => {
    const rounds = Array.from({ length: 10 }, async () => {
      const machine = await world.createMachine(owner)
      const [started, changed] = await Promise.all([
        world.operate(owner, machine.id, 'START'),
        owner.request('PATCH', `/api/machines/${machine.id}`, { body: { status: 'POWEROFF' } }),
      ])
      expect([
        [202, 409],
        [409, 200],
      ]).toContainEqual([started.status, changed.status])
      expect(await readMachineStatus(world, machine.id)).toBe(started.status === 202 ? 'READY' : 'POWEROFF')
    })
    await Promise.all(rounds)
  })

  test('a report, the answer and a STOP end a START once', async () => {
    const rounds = Array.from({ length: 6 }, async () => {
      const machine = await world.createMachine(owner)
      machine.behave({ mode: 'slow', after_ms: 100, only: 'START' })
      const start = await request(world, owner, machine.id, 'START')
      const delivery = deliver(world, start.id)
      const { outcome_token: token } = await machine.waitForCommand()
      const report = { token, body: { result: 'SUCCESS' } }
      const [reported, stopped] = await Promise.all([
        world.request('POST', `/api/callbacks/jobs/${start.id}/outcome`, report),
        world.operate(owner, machine.id, 'STOP'),
        delivery,
      ])
      expect(reported.status).toBe(200)
      const { state } = await readRow(world, start.id)
      expect(['SUPERSEDED', 'SUCCEEDED']).toContain(state)
      expect(await readMachineStatus(world, machine.id)).toBe('RUNNING')
      expect(stopped.status).toBe(202)
      expect((await deliver(world, stopped.body.id)).status).toBe(200)
      expect(await readMachineStatus(world, machine.id)).toBe('READY')
    })
    await Promise.all(rounds)
  })

  test('sweeps and deliveries of one job send one command', async () => {
    const rounds = Array.from({ length: 5 }, async () => {
      const machine = await world.createMachine(owner)
      const { id } = await request(world, owner, machine.id, 'START')
      await world.postgres.query('UPDATE jobs SET due_at = now() WHERE id = $1', [id])
      await Promise.all([world.sweep(), deliver(world, id), world.sweep(), deliver(world, id), deliver(world, id)])
      expect(machine.commands()).toHaveLength(1)
      expect(await readRow(world, id)).toMatchObject({ state: 'SUCCEEDED', attempts: 1, version: 3 })
    })
    await Promise.all(rounds)
  })

  test('two sweeps publish many jobs once and end many once', async () => {
    const machines = await Promise.all(Array.from({ length: 30 }, () => world.createMachine(owner)))
    const jobs = await Promise.all(machines.map(({ id }) => request(world, owner, id, 'START')))
    const ids = jobs.map(({ id }) => id)
    const late = ids.slice(0, 15)
    await world.postgres.query(
      `UPDATE jobs SET due_at = now(),
        not_after = CASE WHEN id = ANY ($2) THEN now() - interval '1 second' ELSE not_after END WHERE id = ANY ($1)`,
      [ids, late],
    )
    await Promise.all([world.sweep(), world.sweep(), world.sweep()])
    const rows = await Promise.all(ids.map((id) => readRow(world, id)))
    for (const row of rows) {
      if (late.includes(String(row.id))) expect(row).toMatchObject({ state: 'EXPIRED', version: 2 })
      else expect(row).toMatchObject({ state: 'QUEUED', version: 1, publish_no: 2, published_at: expect.anything() })
    }
  })

  test('a STOP and a START of a machine in ERROR: the START is always refused', async () => {
    const machine = await world.createMachine(owner)
    await setMachineStatus(world, machine.id, 'ERROR')
    const commands = Array.from({ length: 5 }, () => ['STOP', 'START'] as const).flat()
    const answers = await Promise.all(commands.map((command) => world.operate(owner, machine.id, command)))
    expect(countsOf(answers)).toEqual({ 202: 5, 409: 5 })
    expect(new Set(answers.flatMap(({ status, body }) => (status === 202 ? [body.id] : []))).size).toBe(1)
    expect(await readStates(machine.id)).toEqual(['STOP QUEUED'])
  })
})
