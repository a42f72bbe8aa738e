// Idempotency-Key of an operation: two requests take effect once and get the same answer.
import { beforeAll, describe, expect, test } from 'vitest'
import type { Person, World } from '../harness.ts'
import { useQuietWorld } from '../shared-world.ts'

let world: World
let owner: Person
beforeAll(async () => {
  world = await useQuietWorld()
  owner = await world.signUp()
})

const operate = (person: Person, machineId: number, key: string, body: unknown = { command: 'START' }, slash = '') =>
  person.request('POST', `/api/machines/${machineId}/operation${slash}`, { body, headers: { 'Idempotency-Key': key } })

async function countJobs(machineId: number): Promise<number> {
  const [row] = await world.postgres.query('SELECT count(*)::int AS n FROM jobs WHERE machine_id = $1', [machineId])
  return Number(row?.n)
}

describe('the same request with the same key gets the first answer, marked as replayed', () => {
  test('202 with the same job, Location and Retry-After, also after the job has changed', async () => {
    const machine = await world.createMachine(owner)
    const first = await operate(owner, machine.id, 'key-1')
    expect(first.status).toBe(202)
    expect(first.headers.has('Idempotency-Replayed')).toBe(false)
    await owner.request('POST', `/api/jobs/${first.body.id}/cancel`)
    for (const slash of ['', '/']) {
      const again = await operate(owner, machine.id, 'key-1', undefined, slash)
      expect(again.status).toBe(202)
      expect(again.headers.get('Idempotency-Replayed')).toBe('true')
      expect(again.body).toEqual(first.body)
      for (const name of ['Location', 'Retry-After']) expect(again.headers.get(name)).toBe(first.headers.get(name))
    }
    expect(await countJobs(machine.id)).toBe(1)
  })

  test('403', async () => {
    const machine = await world.createMachine(owner)
    const stranger = await world.signUp()
    for (const key of ['first', 'second']) {
      const first = await operate(stranger, machine.id, key)
      const again = await operate(stranger, machine.id, key)
      expect(first.status).toBe(403)
      expect(again).toMatchObject({ status: 403, body: { code: 'not_owner', detail: first.body.detail } })
      expect(again.headers.get('Idempotency-Replayed')).toBe('true')
    }
    expect(await countJobs(machine.id)).toBe(0)
  })

  test('409 with the same job and status, even if the command would be accepted now', async () => {
    const machine = await world.createMachine(owner)
    const open = await operate(owner, machine.id, 'the-open-one')
    const first = await operate(owner, machine.id, 'in-the-way')
    expect(first).toMatchObject({ status: 409, body: { code: 'job_open', job_id: open.body.id } })
    await owner.request('POST', `/api/jobs/${open.body.id}/cancel`)
    const again = await operate(owner, machine.id, 'in-the-way')
    expect(again).toMatchObject({ status: 409, body: { code: 'job_open', job_id: open.body.id } })
    expect(again.headers.get('Idempotency-Replayed')).toBe('true')

    const off = await world.createMachine(owner, { status: 'POWEROFF' })
    const refused = await operate(owner, off.id, 'off')
    await owner.request('PATCH', `/api/machines/${off.id}`, { body: { status: 'READY' } })
    expect((await operate(owner, off.id, 'off')).body).toMatchObject({
      code: 'wrong_state',
      detail: refused.body.detail,
    })
  })
})

test('404 and 422 are not stored: the key can still be used', async () => {
  const machine = await world.createMachine(owner)
  expect((await operate(owner, machine.id, 'free', { command: 'DANCE' })).status).toBe(422)
  expect((await operate(owner, machine.id, 'free')).status).toBe(202)
  expect((await operate(owner, 999_999_998, 'free-404')).status).toBe(404)
  const [row] = await world.postgres.query("SELECT count(*)::int AS n FROM idempotency_keys WHERE key = 'free-404'")
  expect(row?.n).toBe(0)
})

test('the same key with another body answers 422 idempotency_key_reused and does nothing', async () => {
  const machine = await world.createMachine(owner)
  await operate(owner, machine.id, 'reused')
  for (const body of [{ command: 'STOP' }, { command: 'START', expires_in: 60 }, '{ "command":"START"}']) {
    const answer = await operate(owner, machine.id, 'reused', body)
    expect(answer).toMatchObject({ status: 422, body: { code: 'idempotency_key_reused' } })
  }
  expect(await countJobs(machine.id)).toBe(1)
})

test('a key belongs to one account, one method and one path', async () => {
  const [one, other] = [await world.createMachine(owner), await world.createMachine(owner)]
  const staff = await world.signUpStaff()
  expect((await operate(owner, one.id, 'mine')).status).toBe(202)
  expect((await operate(owner, other.id, 'mine')).headers.has('Idempotency-Replayed')).toBe(false)
  expect(await operate(staff, one.id, 'mine')).toMatchObject({ status: 409, body: { code: 'job_open' } })
})

test('a key has 1 to 255 visible ASCII characters', async () => {
  const machine = await world.createMachine(owner)
  for (const key of ['', 'a b', 'é', 'x'.repeat(256)]) {
    const answer = await operate(owner, machine.id, key)
    expect(answer).toMatchObject({ status: 422, body: { errors: [{ parameter: 'Idempotency-Key' }] } })
  }
  expect((await operate(owner, machine.id, '!~'.padEnd(255, 'x'))).status).toBe(202)
})

test('a key can be reused after 24 h', async () => {
  const machine = await world.createMachine(owner)
  const first = await operate(owner, machine.id, 'old')
  const age = (by: string) =>
    world.postgres.query(`UPDATE idempotency_keys SET created_at = now() - interval '${by}' WHERE key = 'old'`)
  await age('23 hours 59 minutes')
  expect((await operate(owner, machine.id, 'old')).body.id).toBe(first.body.id)
  await age('24 hours')
  expect(await operate(owner, machine.id, 'old')).toMatchObject({ status: 409, body: { code: 'job_open' } })
})

test('a replay also needs an active session', async () => {
  const person = await world.signUp()
  const machine = await world.createMachine(person)
  await operate(person, machine.id, 'ended')
  await person.request('POST', '/api/log-out')
  expect((await operate(person, machine.id, 'ended')).status).toBe(401)
})

test('simultaneous requests with one key create one job and get the same answer', async () => {
  const machine = await world.createMachine(owner)
  const answers = await Promise.all(Array.from({ length: 8 }, () => operate(owner, machine.id, 'twins')))
  expect(new Set(answers.map(({ status, body }) => `${status} ${body.id}`)).size).toBe(1)
  expect(answers.filter(({ headers }) => !headers.has('Idempotency-Replayed'))).toHaveLength(1)
  expect(await countJobs(machine.id)).toBe(1)
})
