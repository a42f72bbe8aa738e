// The API works while Redis, QStash or both are unavailable.
import { afterEach, beforeAll, expect, test } from 'vitest'
import type { Person, World } from '../harness.ts'
import { type CallInterceptor, hang, open, shut } from '../platform/faults.ts'
import { useWorld } from '../shared-world.ts'

let world: World
let owner: Person
beforeAll(async () => {
  world = await useWorld()
  owner = await world.signUp()
})
afterEach(() => {
  for (const gate of Object.values(world.faults)) gate.pass = open
})

/** All actions of a person, from sign-up to log-out. */
async function liveADay(): Promise<void> {
  const person = await world.signUp()
  const logIn = await world.request('POST', '/api/log-in', {
    body: { username: person.username, password: person.password },
  })
  expect(logIn.status).toBe(200)
  const token = await world.request('POST', '/api/token/refresh', { body: { refresh: logIn.body.token.refresh } })
  expect(token.status).toBe(200)
  expect((await person.request('GET', '/api/me')).status).toBe(200)

  const mine = await world.createMachine(person)
  const path = `/api/machines/${mine.id}`
  expect((await person.request('PATCH', path, { body: { name: 'New' } })).status).toBe(200)
  expect((await person.request('GET', '/api/machines?owner_id=me')).body.items).toHaveLength(1)
  const { status, body: job } = await world.operate(person, mine.id, 'START')
  expect(status).toBe(202)
  await world.waitForJob(person, job.id, 'SUCCEEDED')
  expect((await person.request('GET', path)).body.status).toBe('RUNNING')
  expect((await person.request('GET', `${path}/history`)).body.items).toHaveLength(1)
  expect((await person.request('DELETE', path)).body.code).toBe('machine_running')
  const { body: stop } = await world.operate(person, mine.id, 'STOP')
  await world.waitForJob(person, stop.id, 'SUCCEEDED')
  expect((await person.request('DELETE', path)).status).toBe(204)

  expect((await person.request('POST', '/api/log-out')).status).toBe(204)
  expect((await person.request('GET', '/api/me')).status).toBe(401)
}

test.each<[string, CallInterceptor]>([
  ['refuses the connection', shut],
  ['never answers', hang],
  ['answers 500', async () => ({ status: 500, body: { error: 'broken' } })],
  ['answers with a body that is not JSON', async () => ({ status: 200, body: '<html>' })],
])('with a Redis that %s everything works', async (_, pass) => {
  world.faults.redis.pass = pass
  await liveADay()
})

test.each<[string, CallInterceptor]>([
  ['refuses the connection', shut],
  ['never answers', hang],
  ['answers 500', async () => ({ status: 500, body: { error: 'broken' } })],
])('with a QStash that %s a START is accepted and stays QUEUED', async (_, pass) => {
  world.faults.qstash.pass = pass
  const mine = await world.createMachine(owner)
  const { status, body: job } = await world.operate(owner, mine.id, 'START')
  expect([status, job.state]).toEqual([202, 'QUEUED'])
  expect((await owner.request('GET', `/api/jobs/${job.id}`)).body.state).toBe('QUEUED')
  expect((await owner.request('GET', `/api/machines/${mine.id}/history`)).body.items).toMatchObject([{ id: job.id }])
})

test('without Redis and QStash a START can be requested, read and cancelled', async () => {
  world.faults.redis.pass = shut
  world.faults.qstash.pass = shut
  const mine = await world.createMachine(owner)
  const { status, body: job } = await world.operate(owner, mine.id, 'START')
  expect(status).toBe(202)
  expect((await owner.request('POST', `/api/jobs/${job.id}/cancel`)).body.state).toBe('CANCELED')
  expect((await owner.request('GET', `/api/jobs/${job.id}`)).body.state).toBe('CANCELED')
})
