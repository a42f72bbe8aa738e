// Holds: a machine at which somebody is does not start. And the preflight, which tells every obstacle.
import { beforeAll, describe, expect, test } from 'vitest'
import { makeKey } from '../accounts/people.ts'
import { type Answer, hasRealPostgres, type Person, type TestMachine, type World } from '../harness.ts'
import { useQuietWorld } from '../shared-world.ts'
import { createSite, grant } from '../sites/places.ts'
import { deliver, readRow, readTimeline, request, setMachineStatus } from './qstash-calls.ts'
import { ageReport, reporterOf } from './reporting.ts'

let world: World
let owner: Person
let setter: Person
beforeAll(async () => {
  world = await useQuietWorld()
  ;[owner, setter] = await Promise.all([world.signUp(), world.signUp()])
})

const reason = '금형 교체 중'
const sure = { absence_verified: true, contact_tried: true }
const holdsOf = ({ id }: { id: number }) => `/api/machines/${id}/holds`
const place = (person: Person, machine: { id: number }) =>
  person.request('POST', holdsOf(machine), { body: { reason } })
const override = (person: Person, machine: { id: number }, hold: number, overrides = {}) =>
  person.request('POST', `${holdsOf(machine)}/${hold}/override`, {
    body: { reason: 'she is at home', ...sure, ...overrides },
  })
const remove = (person: Person, machine: { id: number }, hold: number) =>
  person.request('DELETE', `${holdsOf(machine)}/${hold}`)
const preflight = (person: Pick<Person, 'request'>, machine: { id: number }, command = 'START') =>
  person.request('GET', `/api/machines/${machine.id}/preflight?command=${command}`)
const codesOf = ({ body }: Answer): string[] => body.reasons.map(({ code }: { code: string }) => code)

/** A machine of the owner, of which the setter is an operator. */
async function aMachine(): Promise<TestMachine> {
  const machine = await world.createMachine(owner)
  await grant(owner, `/api/machines/${machine.id}`, setter, 'operator')
  return machine
}

describe('a hold', () => {
  test('refuses every START with 409, also one of its own account, and no STOP', async () => {
    const machine = await aMachine()
    const placed = await place(setter, machine)
    expect([placed.status, placed.body]).toEqual([
      201,
      {
        id: expect.any(Number),
        machine_id: machine.id,
        reason,
        placed_by: setter.id,
        placed_at: expect.stringMatching(/Z$/),
        override: null,
      },
    ])
    for (const person of [owner, setter]) {
      const answer = await world.operate(person, machine.id, 'START')
      expect([answer.status, answer.body.code]).toEqual([409, 'held'])
    }
    const { body: history } = await owner.request('GET', `/api/machines/${machine.id}/history`)
    expect(history.items[0]).toMatchObject({ state: 'REJECTED', result: 'INVALIDCOMMAND', reason: 'held' })
    expect((await world.operate(owner, machine.id, 'STOP')).status).toBe(202)
    expect((await owner.request('GET', holdsOf(machine))).body.items).toEqual([placed.body])
  })

  test('supersedes a START that is QUEUED, which is never sent', async () => {
    const machine = await aMachine()
    const start = await request(world, owner, machine.id, 'START')
    expect((await place(setter, machine)).status).toBe(201)
    expect(await readRow(world, start.id)).toMatchObject({ state: 'SUPERSEDED', result: 'IGNORE', reason: 'by_hold' })
    expect((await readTimeline(world, start.id)).at(-1)).toEqual([
      2,
      'SUPERSEDED',
      null,
      String(setter.id),
      'by_hold',
      null,
    ])
    await deliver(world, start.id)
    expect(machine.commands()).toEqual([])
  })

  test.each(['SENT', 'PENDING'])('is not placed while a START is %s: that is stopped first', async (state) => {
    const machine = await aMachine()
    machine.behave(
      state === 'PENDING' ? { mode: 'fail', status: 200, body: { result: 'PENDING' } } : { mode: 'fail', status: 503 },
    )
    const start = await request(world, owner, machine.id, 'START')
    await deliver(world, start.id)
    expect(await readRow(world, start.id)).toMatchObject({ state })
    const refused = await place(setter, machine)
    expect([refused.status, refused.body.code, refused.body.job_id]).toEqual([409, 'start_in_flight', start.id])
    expect((await owner.request('GET', holdsOf(machine))).body.items).toEqual([])
    machine.behave({ mode: 'obey' })
    await deliver(world, (await request(world, owner, machine.id, 'STOP')).id)
    expect((await place(setter, machine)).status).toBe(201)
  })

  test('is one for each account: again, it is answered with 200; each refuses by itself', async () => {
    const machine = await aMachine()
    const first = await place(setter, machine)
    const again = await place(setter, machine)
    expect([again.status, again.body]).toEqual([200, first.body])
    const other = await place(owner, machine)
    expect((await remove(setter, machine, first.body.id)).status).toBe(204)
    expect((await world.operate(owner, machine.id, 'START')).body.code).toBe('held')
    expect((await remove(owner, machine, other.body.id)).status).toBe(204)
    expect((await world.operate(owner, machine.id, 'START')).status).toBe(202)
  })

  test('is removed only by the account that placed it, also after it has lost its role', async () => {
    const machine = await aMachine()
    const { body: hold } = await place(setter, machine)
    const refused = await remove(owner, machine, hold.id)
    expect([refused.status, refused.body.code]).toEqual([403, 'hold_of_other'])
    const stranger = await world.signUp()
    expect((await remove(stranger, machine, hold.id)).status).toBe(404)
    await owner.request('DELETE', `/api/machines/${machine.id}/members/${setter.id}`)
    expect((await world.operate(owner, machine.id, 'START')).body.code).toBe('held')
    expect((await remove(setter, machine, hold.id)).status).toBe(204)
    expect((await remove(setter, machine, hold.id)).status).toBe(404)
  })

  test('outlives the session', async () => {
    const machine = await world.createMachine(owner)
    const guest = await world.signUp()
    await grant(owner, `/api/machines/${machine.id}`, guest, 'operator')
    await place(guest, machine)
    await guest.request('POST', '/api/log-out')
    expect((await world.operate(owner, machine.id, 'START')).body.code).toBe('held')
  })

  test('is overridden by a manager who has made sure, and the account that placed it finds that until it removes the hold', async () => {
    const machine = await aMachine()
    const { body: hold } = await place(setter, machine)
    expect((await override(setter, machine, hold.id)).body.code).toBe('role_too_low')
    for (const missing of [
      { absence_verified: false },
      { contact_tried: false },
      { contact_tried: undefined },
      { reason: ' ' },
    ])
      expect((await override(owner, machine, hold.id, missing)).status).toBe(422)
    const { status, body } = await override(owner, machine, hold.id)
    const overridden = {
      ...hold,
      override: { by: owner.id, at: expect.stringMatching(/Z$/), reason: 'she is at home' },
    }
    expect([status, body]).toEqual([200, overridden])
    expect((await override(owner, machine, hold.id, { reason: 'again' })).body).toEqual(body)
    expect((await setter.request('GET', '/api/me')).body.overridden_holds).toContainEqual(body)
    expect((await owner.request('GET', '/api/me')).body.overridden_holds).toEqual([])
    const start = await world.operate(owner, machine.id, 'START')
    expect(start.status).toBe(202)
    await deliver(world, start.body.id)
    expect(await readRow(world, start.body.id)).toMatchObject({ state: 'SUCCEEDED' })
    expect((await remove(setter, machine, hold.id)).status).toBe(204)
    expect((await setter.request('GET', '/api/me')).body.overridden_holds).not.toContainEqual(body)
  })

  test('changes the revision of the machine, and nothing else of it', async () => {
    const machine = await aMachine()
    const read = () => owner.request('GET', `/api/machines/${machine.id}`)
    const before = await read()
    const { body: hold } = await place(setter, machine)
    const after = await read()
    expect(after.body).toEqual(before.body)
    expect(after.headers.get('ETag')).not.toBe(before.headers.get('ETag'))
    await place(setter, machine) // changes nothing
    expect((await read()).headers.get('ETag')).toBe(after.headers.get('ETag'))
    await remove(setter, machine, hold.id)
    expect((await read()).headers.get('ETag')).not.toBe(after.headers.get('ETag'))
  })

  test('keeps its account: it is not deleted while the hold is in force', async () => {
    const guest = await world.signUp()
    const machine = await world.createMachine(owner)
    await grant(owner, `/api/machines/${machine.id}`, guest, 'operator')
    const { body: hold } = await place(guest, machine)
    const erase = () => guest.request('DELETE', '/api/me', { body: { current_password: guest.password } })
    expect((await erase()).body.code).toBe('has_holds')
    expect((await guest.request('GET', '/api/me/export')).body.holds).toEqual([{ ...hold, removed_at: null }])
    await remove(guest, machine, hold.id)
    expect((await erase()).status).toBe(204)
  })

  test('of a hidden machine does not exist for a stranger', async () => {
    const site = await createSite(owner)
    const machine = await world.createMachine(owner, { site_id: site.id })
    const { body: hold } = await place(owner, machine)
    const stranger = await world.signUp()
    for (const answer of [
      await stranger.request('GET', holdsOf(machine)),
      await place(stranger, machine),
      await remove(stranger, machine, hold.id),
      await override(stranger, machine, hold.id),
      await preflight(stranger, machine),
    ])
      expect([answer.status, answer.body.code]).toEqual([404, 'not_found'])
  })

  // PGlite runs one transaction after the other.
  test.runIf(hasRealPostgres)('races with a START: it is superseded or refused, and is never sent', async () => {
    for (let round = 0; round < 10; round += 1) {
      const machine = await aMachine()
      const [held, started] = await Promise.all([place(setter, machine), world.operate(owner, machine.id, 'START')])
      expect(held.status).toBe(201)
      if (started.status === 202) await deliver(world, started.body.id)
      else expect(started.body.code).toBe('held')
      expect(machine.commands()).toEqual([])
    }
  })

  test.runIf(hasRealPostgres)(
    'races with the claim: the START is sent and there is no hold, or the reverse',
    async () => {
      for (let round = 0; round < 10; round += 1) {
        const machine = await aMachine()
        const start = await request(world, owner, machine.id, 'START')
        const [held] = await Promise.all([place(setter, machine), deliver(world, start.id)])
        const sent = machine.commands().length
        // When the START had ended before, there may be both.
        if (held.status === 201 && sent > 0)
          expect(await readRow(world, start.id)).toMatchObject({ state: 'SUCCEEDED' })
        else expect([held.status, sent]).toEqual(held.status === 201 ? [201, 0] : [409, 1])
      }
    },
  )
})

test('a START that was accepted and then held hides no refusal of the next one from the history', async () => {
  const machine = await aMachine()
  const start = await request(world, owner, machine.id, 'START')
  // Placed by SQL, because a hold supersedes a START that is QUEUED.
  await world.postgres.query(
    "INSERT INTO holds (machine_id, reason, placed_by, placed_at) VALUES ($1, 'here', $2, now())",
    [machine.id, setter.id],
  )
  await deliver(world, start.id)
  expect(await readRow(world, start.id)).toMatchObject({ state: 'REJECTED', reason: 'held' })
  for (const _ of [1, 2]) expect((await world.operate(owner, machine.id, 'START')).body.code).toBe('held')
  const { body } = await owner.request('GET', `/api/machines/${machine.id}/history`)
  expect(body.items.map(({ sequence, reason }: { sequence: number; reason: string }) => [sequence, reason])).toEqual([
    [0, 'held'],
    [1, 'held'],
  ])
})

describe('the preflight', () => {
  test('tells every obstacle at once, who is in the way, and since when', async () => {
    const machine = await aMachine()
    expect((await preflight(owner, machine)).body).toEqual({ may: true, reasons: [] })
    const { body: hold } = await place(setter, machine)
    await place(owner, machine)
    await owner.request('PATCH', `/api/machines/${machine.id}`, { body: { controller_url: null, status: 'POWEROFF' } })
    const answer = await preflight(owner, machine)
    expect(answer.body).toEqual({
      may: false,
      reasons: [
        { code: 'held', detail: `Account ${setter.id} is at the machine.`, by: setter.id, since: hold.placed_at },
        { code: 'held', detail: `Account ${owner.id} is at the machine.`, by: owner.id, since: expect.any(String) },
        { code: 'wrong_state', detail: expect.stringContaining('the machine is POWEROFF') },
        { code: 'no_controller', detail: expect.any(String) },
      ],
    })
    expect(codesOf(await preflight(owner, machine, 'STOP'))).toEqual(['no_controller'])
  })

  test('tells the open job, and that the role is too low', async () => {
    const machine = await aMachine()
    const viewer = await world.signUp()
    await grant(owner, `/api/machines/${machine.id}`, viewer, 'viewer')
    const start = await request(world, setter, machine.id, 'START')
    const { body } = await preflight(viewer, machine)
    expect(body.reasons).toEqual([
      { code: 'role_too_low', detail: expect.any(String) },
      { code: 'job_open', detail: expect.any(String), by: setter.id, since: start.requested_at },
    ])
    expect((await preflight(owner, machine, 'STOP')).body).toEqual({ may: true, reasons: [] })
    const key = await makeKey(world, owner, { scopes: ['read'], machine_id: machine.id })
    expect(codesOf(await preflight(key, machine))).toEqual(['scope_missing', 'job_open'])
  })

  test.each([
    ['', 200],
    ['?command=PAUSE', 422],
    ['?command=START&command=STOP', 422],
    ['?x=1&command=START', 422],
  ])('answers %s with %i', async (query, status) => {
    const machine = await aMachine()
    expect((await owner.request('GET', `/api/machines/${machine.id}/preflight${query}`)).status).toBe(status)
  })

  test('may ⇔ the command is accepted, in random states', async () => {
    const pick = <Value>(values: readonly Value[]) => values[Math.floor(Math.random() * values.length)] as Value
    const viewer = await world.signUp()
    const starter = await makeKey(world, owner, { scopes: ['read', 'start'] })
    const reader = await makeKey(world, owner, { scopes: ['read'] })
    for (let round = 0; round < 80; round += 1) {
      const machine = await aMachine()
      await grant(owner, `/api/machines/${machine.id}`, viewer, 'viewer')
      const steps: string[] = []
      const step = async (name: string, take: () => Promise<unknown>) => {
        if (Math.random() < 0.4) {
          steps.push(name)
          await take()
        }
      }
      await step('status', () => setMachineStatus(world, machine.id, pick(['POWEROFF', 'READY', 'RUNNING', 'ERROR'])))
      await step('job', async () => {
        const command = pick(['START', 'STOP'] as const)
        const { body } = await world.operate(owner, machine.id, command)
        if (body.id && Math.random() < 0.5) {
          machine.behave(pick([{ mode: 'obey' } as const, { mode: 'fail', status: 503 } as const]))
          await deliver(world, body.id)
        }
      })
      await step('hold', () => place(setter, machine))
      await step('override', async () => {
        const [hold] = (await owner.request('GET', holdsOf(machine))).body.items
        if (hold) await override(owner, machine, hold.id)
      })
      await step('report', async () => {
        const reporter = await reporterOf(world, owner, machine.id)
        await reporter.report({ status: pick(['READY', 'RUNNING']), remote_enabled: pick([true, false]) })
        if (Math.random() < 0.4) await ageReport(world, machine.id, '1 minute')
      })
      await step('controller', () =>
        world.postgres.query('UPDATE machines SET controller_url = NULL WHERE id = $1', [machine.id]),
      )
      const [person, command] = [pick([owner, setter, viewer, starter, reader]), pick(['START', 'STOP'] as const)]
      const { body } = await preflight(person, machine, command)
      const answer = await person.request('POST', `/api/machines/${machine.id}/operation`, { body: { command } })
      expect([steps, command, body.may, body.reasons[0]?.code]).toEqual([
        steps,
        command,
        answer.status === 202,
        answer.status === 202 ? undefined : answer.body.code,
      ])
    }
  })
})
