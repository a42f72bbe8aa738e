// Access to resources of others: every read and write by an account without rights, and bodies that claim ownership.
import { beforeAll, expect, test } from 'vitest'
import type { Person, TestMachine, World } from '../harness.ts'
import { deliver, readRow, request } from '../jobs/qstash-calls.ts'
import { useQuietWorld } from '../shared-world.ts'

let world: World
let victim: Person
let thief: Person
let machine: TestMachine
beforeAll(async () => {
  world = await useQuietWorld()
  ;[victim, thief] = await Promise.all([world.signUp(), world.signUp()])
  machine = await world.createMachine(victim)
})

test("another person's machine is shown without its controller, and cannot be changed, operated or deleted", async () => {
  const path = `/api/machines/${machine.id}`
  const seen = await thief.request('GET', path)
  expect([seen.status, seen.body.controller_url]).toEqual([200, null])
  const page = await thief.request('GET', `/api/machines?q=${encodeURIComponent(machine.body.name)}`)
  expect(page.text).not.toContain(machine.url)
  const whole = { name: 'Mine', location: 'Mine', controller_url: 'http://127.0.0.1:1/' }
  const answers = await Promise.all([
    thief.request('PUT', path, { body: whole }),
    thief.request('PATCH', path, { body: { controller_url: 'http://127.0.0.1:1/' } }),
    thief.request('DELETE', path),
    thief.request('POST', `${path}/operation`, { body: { command: 'START' } }),
    thief.request('GET', `${path}/history`),
  ])
  expect(answers.map(({ status, body }) => [status, body.code])).toEqual(answers.map(() => [403, 'not_owner']))
  const { status, name, controller_url } = (await victim.request('GET', path)).body
  expect([status, name, controller_url]).toEqual(['READY', machine.body.name, machine.url])
  expect(machine.commands()).toEqual([])
})

test("another person's job is a 404: its status, its timeline and its cancellation", async () => {
  const own = await world.createMachine(victim)
  const job = await request(world, victim, own.id, 'START')
  const answers = await Promise.all([
    thief.request('GET', `/api/jobs/${job.id}`),
    thief.request('GET', `/api/jobs/${job.id}/events`),
    thief.request('POST', `/api/jobs/${job.id}/cancel`),
  ])
  expect(answers.map(({ status, body }) => [status, body.code])).toEqual(answers.map(() => [404, 'not_found']))
  expect((await thief.request('GET', '/api/machines/history')).text).not.toContain(job.id)
  expect(await readRow(world, job.id)).toMatchObject({ state: 'QUEUED', version: 1 })
})

test("another person's session can be neither seen nor ended", async () => {
  const { body } = await victim.request('GET', '/api/me/sessions')
  const [session] = body.items
  expect((await thief.request('DELETE', `/api/me/sessions/${session.id}`)).status).toBe(404)
  expect((await thief.request('GET', '/api/me/sessions')).text).not.toContain(session.id)
  expect((await victim.request('GET', '/api/me')).status).toBe(200)
})

test('only staff can use accounts, and an account cannot give itself staff rights', async () => {
  expect((await thief.request('GET', '/api/accounts')).status).toBe(403)
  expect((await thief.request('PATCH', `/api/accounts/${thief.id}`, { body: { is_staff: true } })).status).toBe(403)
  expect((await thief.request('PATCH', `/api/accounts/${victim.id}`, { body: { is_active: false } })).status).toBe(403)
})

test('the outcome token of one job cannot report another job', async () => {
  const [one, other] = await Promise.all([world.createMachine(victim), world.createMachine(victim)])
  const [mine, theirs] = [
    await request(world, victim, one.id, 'START'),
    await request(world, victim, other.id, 'START'),
  ]
  await deliver(world, mine.id)
  const token = one.commands().at(-1)?.outcome_token
  const path = `/api/callbacks/jobs/${theirs.id}/outcome`
  expect((await world.request('POST', path, { token, body: { result: 'SUCCESS' } })).status).toBe(401)
  expect(await readRow(world, theirs.id)).toMatchObject({ state: 'QUEUED' })
})

test("another person's Idempotency-Key replays nothing to me", async () => {
  const headers = { 'Idempotency-Key': 'a-key-of-the-victim' }
  const body = { name: 'Secret', location: 'Hall 1' }
  const theirs = await victim.request('POST', '/api/machines', { body, headers })
  const mine = await thief.request('POST', '/api/machines', { body, headers })
  expect([theirs.status, mine.status, mine.headers.get('Idempotency-Replayed')]).toEqual([201, 201, null])
  expect([mine.body.owner_id, mine.body.id === theirs.body.id]).toEqual([thief.id, false])
})

const rights = { is_staff: true, is_superuser: true, is_active: true, id: 1, date_joined: '2000-01-01T00:00:00Z' }

const pointersOf = (members: object) => Object.keys(members).map((name) => ({ pointer: `/${name}` }))

test('a sign-up with rights in its body is refused', async () => {
  const details = { username: 'rights-please', password: 'four columns hold it', email: 'rights@example.com' }
  const answer = await world.request('POST', '/api/sign-up', { body: { ...details, ...rights } })
  expect([answer.status, answer.body.errors]).toMatchObject([422, pointersOf(rights)])
  expect((await world.request('POST', '/api/log-in', { body: details })).status).not.toBe(200)
})

test('a profile change with rights in its body does not change the rights', async () => {
  const { is_superuser, ...shown } = rights
  const unknown = { is_superuser, password: 'x', owner: 1 }
  const refused = await thief.request('PATCH', '/api/me', { body: { ...shown, ...unknown, username: 'root' } })
  expect([refused.status, refused.body.errors]).toMatchObject([422, pointersOf(unknown)])
  expect((await thief.request('PATCH', '/api/me', { body: { ...shown, username: 'root' } })).status).toBe(200)
  const { body } = await thief.request('GET', '/api/me')
  expect([body.is_staff, body.id, body.username]).toEqual([false, thief.id, thief.username])
})

test('an owner, an id or a revision in the body of a new machine has no effect', async () => {
  const whole = { name: 'M', location: 'L', owner_id: victim.id, id: machine.id }
  const unknown = { revision: 99, deleted_at: null, leased_by: 'me', owner: victim.id }
  const refused = await thief.request('POST', '/api/machines', { body: { ...whole, ...unknown } })
  expect([refused.status, refused.body.errors]).toMatchObject([422, pointersOf(unknown)])
  const { status, body } = await thief.request('POST', '/api/machines', { body: whole })
  expect([status, body.owner_id, body.id === machine.id]).toEqual([201, thief.id, false])
  const changed = await thief.request('PATCH', `/api/machines/${body.id}`, { body: { owner_id: victim.id, id: 1 } })
  expect([changed.status, changed.body.owner_id, changed.body.id]).toEqual([200, thief.id, body.id])
})

test('an operation with a state, a result or a requester in its body is refused, and nothing is sent', async () => {
  const own = await world.createMachine(thief)
  const unknown = { state: 'SUCCEEDED', result: 'SUCCESS', requested_by: victim.id, machine_id: machine.id }
  const body = { command: 'START', ...unknown }
  const answer = await thief.request('POST', `/api/machines/${own.id}/operation`, { body })
  expect([answer.status, answer.body.errors]).toMatchObject([422, pointersOf(unknown)])
  expect((await thief.request('GET', `/api/machines/${own.id}/history`)).body.items).toEqual([])
})
