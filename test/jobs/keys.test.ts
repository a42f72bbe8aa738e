// Jobs of programs: what a key requests, what becomes of it when the key ends, and the status in Redis.

import { beforeAll, describe, expect, test } from 'vitest'
import { makeKey, type TestKey } from '../accounts/people.ts'
import { hasRealPostgres, type Person, poll, type World } from '../harness.ts'
import { servicesOf } from '../round-trips.ts'
import { useQuietWorld } from '../shared-world.ts'
import { deliver, readRow, setMachineStatus } from './qstash-calls.ts'

let world: World
let owner: Person
beforeAll(async () => {
  world = await useQuietWorld()
  owner = await world.signUp()
})

const operate = ({ request }: Pick<TestKey, 'request'>, machineId: number, command: string, headers = {}) =>
  request('POST', `/api/machines/${machineId}/operation`, { body: { command }, headers })

describe('a job that was requested with a key', () => {
  test('names the key and its account, in the history, too; a job of a session names no key', async () => {
    const machine = await world.createMachine(owner)
    const key = await makeKey(world, owner)
    const { status, body: job } = await operate(key, machine.id, 'START')
    expect([status, job.key_id, job.requested_by]).toEqual([202, key.id, owner.id])
    await deliver(world, job.id)
    expect(await readRow(world, job.id)).toMatchObject({ state: 'SUCCEEDED', key_id: key.id })
    const refused = await operate(key, machine.id, 'START')
    expect(refused.body.code).toBe('wrong_state')
    const stop = await world.operate(owner, machine.id, 'STOP')
    const { items } = (await key.request('GET', `/api/machines/${machine.id}/history?requested_by=me`)).body
    expect(items.map(({ command, state, key_id }: typeof job) => [command, state, key_id])).toEqual([
      ['STOP', 'QUEUED', null],
      ['START', 'REJECTED', key.id],
      ['START', 'SUCCEEDED', key.id],
    ])
    expect(stop.body.key_id).toBeNull()
  })

  test('can be cancelled or superseded with a key, and the events name the key and its account', async () => {
    const machine = await world.createMachine(owner)
    const [one, other] = [await makeKey(world, owner, { scopes: ['start'] }), await makeKey(world, owner)]
    const whoOf = async (id: string) => {
      const { items } = (await owner.request('GET', `/api/jobs/${id}/events`)).body
      return items.map(({ by, key_id }: Record<string, unknown>) => [by, key_id])
    }
    const { body: first } = await operate(one, machine.id, 'START')
    const canceled = await other.request('POST', `/api/jobs/${first.id}/cancel`)
    expect(canceled.body.state).toBe('CANCELED')
    const ofKeys = [
      [owner.id, one.id],
      [owner.id, other.id],
    ]
    expect(await whoOf(first.id)).toEqual(ofKeys)
    const { body: second } = await operate(one, machine.id, 'START')
    await operate(other, machine.id, 'STOP')
    expect(await whoOf(second.id)).toEqual(ofKeys)
    const { body: third } = await world.operate(owner, machine.id, 'STOP')
    expect(await whoOf(third.id)).toEqual([[owner.id, other.id]]) // the STOP of the key, which is still QUEUED
  })

  const endings: [string, (key: TestKey, keyOwner: Person) => Promise<unknown>][] = [
    ['has been revoked', (key, keyOwner) => keyOwner.request('DELETE', `/api/keys/${key.id}`)],
    ['has expired', (key) => world.postgres.query('UPDATE keys SET expires_at = now() WHERE id = $1', [key.id])],
    ['is of an account without the right', (_, { id }) => update('is_staff', id)],
    ['is of a disabled account', (_, { id }) => update('is_active', id)],
  ]
  const update = (right: string, id: number) =>
    world.postgres.query(`UPDATE accounts SET ${right} = false WHERE id = $1`, [id])

  test.each(endings)('is not sent if it is a START whose key %s; a STOP goes out', async (_, end) => {
    const keyOwner = await world.signUpStaff()
    const [startKey, stopKey] = [await makeKey(world, keyOwner), await makeKey(world, keyOwner)]
    const [first, second] = [await world.createMachine(owner), await world.createMachine(owner)]
    const { body: start } = await operate(startKey, first.id, 'START')
    await setMachineStatus(world, second.id, 'RUNNING')
    const { body: stop } = await operate(stopKey, second.id, 'STOP')
    for (const key of [startKey, stopKey]) await end(key, keyOwner)
    await deliver(world, start.id)
    await deliver(world, stop.id)
    const rejected = { state: 'REJECTED', result: 'PERMISSIONDENIED', reason: 'not_allowed' }
    expect(await readRow(world, start.id)).toMatchObject(rejected)
    expect(await readRow(world, stop.id)).toMatchObject({ state: 'SUCCEEDED' })
    expect([first.commands().length, second.commands().length]).toEqual([0, 1])
  })
})

describe.skipIf(!hasRealPostgres)('at the same time', () => {
  test('a revocation and a START: what was accepted is not sent after the revocation', async () => {
    for (let round = 0; round < 10; round += 1) {
      const machine = await world.createMachine(owner)
      const key = await makeKey(world, owner)
      const [revoked, started] = await Promise.all([
        owner.request('DELETE', `/api/keys/${key.id}`),
        operate(key, machine.id, 'START'),
      ])
      expect(revoked.status).toBe(204)
      expect([202, 401]).toContain(started.status)
      if (started.status !== 202) continue
      await deliver(world, started.body.id)
      expect(await readRow(world, started.body.id)).toMatchObject({ state: 'REJECTED', reason: 'not_allowed' })
      expect(machine.commands()).toEqual([])
    }
  })

  test('a revocation and the delivery of a START: it is sent or rejected, and never both', async () => {
    for (let round = 0; round < 10; round += 1) {
      const machine = await world.createMachine(owner)
      const key = await makeKey(world, owner)
      const { body: job } = await operate(key, machine.id, 'START')
      await Promise.all([owner.request('DELETE', `/api/keys/${key.id}`), deliver(world, job.id)])
      const { state } = await readRow(world, job.id)
      expect([state, machine.commands().length]).toEqual(state === 'REJECTED' ? ['REJECTED', 0] : ['SUCCEEDED', 1])
    }
  })
})

describe('an Idempotency-Key', () => {
  test('belongs to one key: another key of the same account, and its session, have their own', async () => {
    const machine = await world.createMachine(owner)
    const keys = [await makeKey(world, owner), await makeKey(world, owner), owner]
    const headers = { 'Idempotency-Key': 'same' }
    const register = ({ request }: Pick<TestKey, 'request'>) =>
      request('POST', '/api/machines', { body: { name: 'Machine', location: 'Hall 1' }, headers })
    const made = []
    for (const each of keys) {
      const [first, again] = [await register(each), await register(each)]
      expect([first.status, again.body.id, again.headers.get('Idempotency-Replayed')]).toEqual([
        201,
        first.body.id,
        'true',
      ])
      made.push(first.body.id)
    }
    expect(new Set(made).size).toBe(3)
    const [first] = keys
    if (!first) throw new Error('there is no key')
    const start = await operate(first, machine.id, 'START', headers)
    const again = await operate(first, machine.id, 'START', headers)
    expect([start.status, again.status, again.body.id]).toEqual([202, 202, start.body.id])
  })

  test('of a revoked key is answered 401, not the first answer', async () => {
    const machine = await world.createMachine(owner)
    const key = await makeKey(world, owner)
    const headers = { 'Idempotency-Key': 'revoked' }
    expect((await operate(key, machine.id, 'START', headers)).status).toBe(202)
    await owner.request('DELETE', `/api/keys/${key.id}`)
    expect((await operate(key, machine.id, 'START', headers)).body.code).toBe('key_invalid')
  })
})

test('a key for one machine sees no jobs of other machines', async () => {
  const keyOwner = await world.signUp()
  const [machine, other] = [await world.createMachine(keyOwner), await world.createMachine(keyOwner)]
  const [job, hidden] = [
    await world.operate(keyOwner, machine.id, 'START'),
    await world.operate(keyOwner, other.id, 'START'),
  ]
  const key = await makeKey(world, keyOwner, { machine_id: machine.id })
  const { items } = (await key.request('GET', '/api/machines/history')).body
  expect(items.map(({ id }: { id: string }) => id)).toEqual([job.body.id])
  expect((await key.request('GET', `/api/machines/${other.id}/history`)).status).toBe(404)
  await waitUntilCached(key, job.body.id)
  for (const path of ['', '/events']) {
    expect((await key.request('GET', `/api/jobs/${job.body.id}${path}`)).status).toBe(200)
    expect((await key.request('GET', `/api/jobs/${hidden.body.id}${path}`)).status).toBe(404)
  }
  expect((await key.request('POST', `/api/jobs/${hidden.body.id}/cancel`)).status).toBe(404)
  expect(await readRow(world, hidden.body.id)).toMatchObject({ state: 'QUEUED' })
})

/** Reads the status of a job until Redis answers it alone. */
const waitUntilCached = ({ request }: Pick<TestKey, 'request'>, jobId: string) =>
  poll(async () => {
    const value = await servicesOf(world, () => request('GET', `/api/jobs/${jobId}`))
    return { isDone: !value.includes('postgres'), value }
  }, 'Redis to answer the status')

describe('the cache entry of a key', () => {
  async function watched(overrides = {}) {
    const keyOwner = await world.signUp()
    const machine = await world.createMachine(keyOwner)
    const key = await makeKey(world, keyOwner, overrides)
    const { body: job } = await world.operate(keyOwner, machine.id, 'START')
    await keyOwner.request('POST', `/api/jobs/${job.id}/cancel`) // its copy is kept for 24 h
    await waitUntilCached(key, job.id)
    return { keyOwner, machine, key, job, path: `/api/jobs/${job.id}` }
  }

  test('answers the status of a job for 60 s, and contains no secret', async () => {
    const { key } = await watched()
    const entry = String(await world.redis.command('GET', `key:${key.id}`))
    expect(entry).not.toContain(key.secret.slice(-43))
    const seconds = Number(await world.redis.command('TTL', `key:${key.id}`))
    expect(seconds).toBeGreaterThan(50)
    expect(seconds).toBeLessThanOrEqual(60)
  })

  test('does not answer a wrong secret', async () => {
    const { key, path } = await watched()
    const token = `${key.secret.slice(0, -43)}${'A'.repeat(43)}`
    expect((await world.request('GET', path, { token })).body.code).toBe('key_invalid')
    expect((await key.request('GET', path)).status).toBe(200)
  })

  test('is not written for a key without the scope read, and no other request uses it', async () => {
    const { keyOwner, machine, job, path } = await watched()
    const stopOnly = await makeKey(world, keyOwner, { scopes: ['stop'] })
    expect((await stopOnly.request('GET', path)).body.code).toBe('scope_missing')
    await world.settle()
    expect(await world.redis.command('GET', `key:${stopOnly.id}`)).toBeNull()
    const readOnly = await makeKey(world, keyOwner, { scopes: ['read'] })
    await waitUntilCached(readOnly, job.id)
    expect((await operate(readOnly, machine.id, 'START')).body.code).toBe('scope_missing')
  })

  test('is overwritten before a revocation answers', async () => {
    const { keyOwner, key, path } = await watched()
    await keyOwner.request('DELETE', `/api/keys/${key.id}`)
    expect(await world.redis.command('GET', `key:${key.id}`)).toBe('ask')
    expect((await key.request('GET', path)).body.code).toBe('key_invalid')
    await world.settle()
    expect(await world.redis.command('GET', `key:${key.id}`)).toBe('ask')
  })

  test('is overwritten when staff disable the account', async () => {
    const { keyOwner, key, path } = await watched()
    const staff = await world.signUpStaff()
    await staff.request('PATCH', `/api/accounts/${keyOwner.id}`, { body: { is_active: false } })
    expect((await key.request('GET', path)).body.code).toBe('key_invalid')
  })

  test('shows no job of others', async () => {
    const { key } = await watched()
    const { job: foreign } = await watched()
    expect((await key.request('GET', `/api/jobs/${foreign.id}`)).status).toBe(404)
  })
})
