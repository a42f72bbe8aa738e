// The maximum number of sequential upstream calls per endpoint, for accounts, machines and history.
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type SignedIn, signIn } from './accounts/people.ts'
import { endpoints } from './contract/endpoints.ts'
import { type Answer, type Person, startWorld, type TestMachine, type World } from './harness.ts'
import { countRoundTrips } from './round-trips.ts'

let world: World
let owner: Person
let staff: Person
let machine: TestMachine
let other: SignedIn
beforeAll(async () => {
  world = await startWorld({ latencyMs: 100 })
  owner = await world.signUp()
  staff = await world.signUpStaff()
  machine = await world.createMachine(owner)
  other = await signIn(world, owner)
})
afterAll(() => world?.close())

const body = { name: 'Machine', location: 'Hall 1' }
const path = () => `/api/machines/${machine.id}`
const password = 'four columns hold it'
const key = randomUUID()
const postWithKey = (sent: unknown = body) =>
  owner.request('POST', '/api/machines', { body: sent, headers: { 'Idempotency-Key': key } })

type Budget = [what: string, send: () => Promise<Answer>, status: number, chain: number]

const machineBudgets: Budget[] = [
  ['GET /machines', () => owner.request('GET', '/api/machines?q=m&status=READY&sort=-name'), 200, 1],
  ['GET /machines with a bad query', () => owner.request('GET', '/api/machines?limit=0'), 422, 0],
  ['POST /machines', () => owner.request('POST', '/api/machines', { body }), 201, 1],
  ['POST /machines with a key', () => postWithKey(), 201, 1],
  ['POST /machines with the key again', () => postWithKey(), 201, 2],
  ['POST /machines with the key and another body', () => postWithKey({ ...body, name: 'Other' }), 422, 2],
  ['POST /machines with a bad body', () => owner.request('POST', '/api/machines', { body: {} }), 422, 0],
  ['GET /machines/{id}', () => owner.request('GET', path()), 200, 1],
  [
    'GET /machines/{id} not modified',
    () => owner.request('GET', path(), { headers: { 'If-None-Match': '*' } }),
    304,
    1,
  ],
  ['GET /machines/{id} unknown', () => owner.request('GET', '/api/machines/999999999'), 404, 1],
  ['PUT /machines/{id}', () => owner.request('PUT', path(), { body }), 200, 1],
  ['PATCH /machines/{id}', () => owner.request('PATCH', path(), { body: { name: 'New' } }), 200, 1],
  [
    'PATCH /machines/{id} with an old tag',
    () => owner.request('PATCH', path(), { body, headers: { 'If-Match': '"x"' } }),
    412,
    1,
  ],
  ['GET /machines/{id}/history', () => owner.request('GET', `${path()}/history?state=FAILED`), 200, 1],
  ['GET /machines/history', () => owner.request('GET', '/api/machines/history?requested_by=me'), 200, 1],
  ['DELETE /machines/{id}', () => owner.request('DELETE', path()), 204, 1],
]

test.each(machineBudgets)('%s', async (_, send, status, chain) => {
  const cost = await countRoundTrips(world, send)
  expect([cost.answer.status, cost.chain]).toEqual([status, chain])
  expect(new Set(cost.services)).toEqual(new Set(chain === 0 ? [] : ['postgres']))
})

const accountBudgets: Budget[] = [
  [
    'POST /sign-up',
    () => {
      const username = `p-${randomUUID()}`
      return world.request('POST', '/api/sign-up', { body: { username, password, email: `${username}@example.com` } })
    },
    201,
    2,
  ],
  [
    'POST /log-in',
    () => world.request('POST', '/api/log-in', { body: { username: owner.username, password } }),
    200,
    2,
  ],
  ['GET /me', () => owner.request('GET', '/api/me'), 200, 1],
  ['PATCH /me', () => owner.request('PATCH', '/api/me', { body: { first_name: 'Min-ji' } }), 200, 1],
  ['GET /me/sessions', () => owner.request('GET', '/api/me/sessions'), 200, 1],
  // Requests that end sessions write to Redis before they answer.
  ['DELETE /me/sessions/{id}', () => owner.request('DELETE', `/api/me/sessions/${other.sessionId}`), 204, 2],
  ['GET /accounts', () => staff.request('GET', '/api/accounts?q=p&sort=-date_joined'), 200, 1],
  [
    'PATCH /accounts/{id} that ends nothing',
    () => staff.request('PATCH', `/api/accounts/${owner.id}`, { body: { is_active: true } }),
    200,
    1,
  ],
  [
    'POST /token/refresh',
    () => world.request('POST', '/api/token/refresh', { body: { refresh: owner.refresh } }),
    200,
    1,
  ],
  ['GET /.well-known/jwks.json', () => world.request('GET', '/.well-known/jwks.json'), 200, 0],
  ['a request without a token', () => world.request('GET', '/api/machines'), 401, 0],
  ['GET /health', () => world.request('GET', '/api/health'), 200, 0],
  ['GET /health/ready', () => world.request('GET', '/api/health/ready'), 200, 1],
  ['POST /log-out', () => owner.request('POST', '/api/log-out'), 204, 1],
]

test.each(accountBudgets)('%s', async (_, send, status, chain) => {
  const cost = await countRoundTrips(world, send)
  expect([cost.answer.status, cost.chain]).toEqual([status, chain])
})

const freeBudgets: Budget[] = [
  '/api/openapi.json',
  '/api/swagger',
  '/api/docs',
  '/api/problems',
  '/api/problems/job_open',
].map((free) => [
  `GET ${free.replace('job_open', '{code}').replace('/api', '')}`,
  () => world.request('GET', free),
  200,
  0,
])

test.each(freeBudgets)('%s', async (_, send, status, chain) => {
  const cost = await countRoundTrips(world, send)
  expect([cost.answer.status, cost.chain, cost.services]).toEqual([status, chain, []])
})

const changeOfPassword = 'POST /me/password'
test(`${changeOfPassword} reads, counts and changes; the count may be refunded before the change or in parallel`, async () => {
  const person = await world.signUp()
  const change = { current_password: password, new_password: 'a bolster and a platen' }
  const cost = await countRoundTrips(world, () => person.request('POST', '/api/me/password', { body: change }))
  expect(cost.answer.status).toBe(204)
  expect(cost.chain).toBeLessThanOrEqual(4)
  expect(cost.services.filter((service) => service === 'postgres')).toHaveLength(2)
})

test('every endpoint has a budget, here or in the tests of jobs', () => {
  const named = [...machineBudgets, ...accountBudgets, ...freeBudgets, [changeOfPassword]]
  const here = new Set(named.map(([what]) => what.split(' ', 2).join(' ')))
  const ofJobs = /\/(operation|jobs|callbacks)\b/ // test/jobs/round-trips.test.ts
  const all = endpoints.filter(({ path }) => !ofJobs.test(path))
  expect([...here].filter((what) => what !== 'a request').toSorted()).toEqual(
    all.map(({ method, path }) => `${method} ${path.replace('/api', '')}`).toSorted(),
  )
})

test('a request over its budget fails the test', async () => {
  const person = await world.signUp()
  const cost = await countRoundTrips(world, async () => {
    await person.request('GET', '/api/me')
    return person.request('GET', '/api/machines')
  })
  expect(cost.chain).toBe(2)
})
