// The maximum number of sequential upstream calls per endpoint, for accounts, machines and history.
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeKey, type SignedIn, signIn, type TestKey } from './accounts/people.ts'
import { endpoints } from './contract/endpoints.ts'
import { type Answer, type Person, startWorld, type TestMachine, type World } from './harness.ts'
import { type Reporter, reporterOf } from './jobs/reporting.ts'
import { countRoundTrips } from './round-trips.ts'
import { createSite } from './sites/places.ts'

let world: World
let owner: Person
let staff: Person
let machine: TestMachine
let other: SignedIn
let siteId: number
let emptySiteId: number
let madeKey: TestKey
let otherMachine: TestMachine
beforeAll(async () => {
  world = await startWorld({ latencyMs: 100 })
  owner = await world.signUp()
  staff = await world.signUpStaff()
  machine = await world.createMachine(owner)
  siteId = (await createSite(owner)).id
  emptySiteId = (await createSite(owner)).id
  other = await signIn(world, owner)
  madeKey = await makeKey(world, owner)
  otherMachine = await world.createMachine(owner)
})
afterAll(() => world?.close())

const body = { name: 'Machine', location: 'Hall 1' }
const path = () => `/api/machines/${machine.id}`
const site = () => `/api/sites/${siteId}`
const password = 'four columns hold it'
const key = randomUUID()
const postWithKey = (sent: unknown = body) =>
  owner.request('POST', '/api/machines', { body: sent, headers: { 'Idempotency-Key': key } })

/**
 * The work after the answer counts if the computer is so busy that the answer arrives 100 ms late. A second try of a request
 * that can be sent only once fails by its status.
 */
const busy = { retry: 1 }

type Budget = [what: string, send: () => Promise<Answer>, status: number, chain: number]

const machineBudgets: Budget[] = [
  ['GET /machines', () => owner.request('GET', '/api/machines?q=m&status=READY&sort=-name'), 200, 1],
  ['GET /board', () => owner.request('GET', '/api/board?q=m&status=READY&sort=-name'), 200, 1],
  ['GET /board with a key', () => program()('GET', '/api/board'), 200, 1],
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
  ['GET /machines/{id}/preflight', () => owner.request('GET', `${path()}/preflight?command=START`), 200, 1],
  ['POST /machines/{id}/holds', () => owner.request('POST', `${path()}/holds`, { body: { reason: 'here' } }), 201, 1],
  ['GET /machines/{id}/holds', () => owner.request('GET', `${path()}/holds`), 200, 1],
  [
    'POST /machines/{id}/holds/{hold}/override',
    () =>
      owner.request('POST', `${path()}/holds/1/override`, {
        body: { reason: 'x', absence_verified: true, contact_tried: true },
      }),
    200,
    1,
  ],
  ['DELETE /machines/{id}/holds/{hold}', () => owner.request('DELETE', `${path()}/holds/1`), 204, 1],
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
  ['GET /machines/{id}/statuses', () => owner.request('GET', `${path()}/statuses?to=2036-01-01T00:00:00Z`), 200, 1],
  ['GET /machines/history', () => owner.request('GET', '/api/machines/history?requested_by=me'), 200, 1],
  ['DELETE /machines/{id}', () => owner.request('DELETE', path()), 204, 1],
]

const grantTo = ({ username }: Person, role: string) => ({ username, role })
const siteBudgets: Budget[] = [
  ['GET /me/export', () => owner.request('GET', '/api/me/export'), 200, 1],
  ['GET /audit', () => owner.request('GET', '/api/audit?action=machine.add'), 200, 1],
  ['GET /sites', () => owner.request('GET', '/api/sites'), 200, 1],
  ['POST /sites', () => owner.request('POST', '/api/sites', { body: { name: 'x' } }), 201, 1],
  ['GET /sites/{id}', () => owner.request('GET', site()), 200, 1],
  ['PATCH /sites/{id}', () => owner.request('PATCH', site(), { body: { name: 'y' } }), 200, 1],
  [
    'POST /sites/{id}/members',
    () => owner.request('POST', `${site()}/members`, { body: grantTo(staff, 'manager') }),
    201,
    1,
  ],
  ['GET /sites/{id}/members', () => owner.request('GET', `${site()}/members`), 200, 1],
  ['DELETE /sites/{id}/members/{account_id}', () => owner.request('DELETE', `${site()}/members/${staff.id}`), 204, 1],
  [
    'POST /machines with a site',
    () => owner.request('POST', '/api/machines', { body: { ...body, site_id: siteId } }),
    201,
    1,
  ],
  ['PATCH /machines/{id} into a site', () => owner.request('PATCH', path(), { body: { site_id: siteId } }), 200, 1],
  [
    'POST /machines/{id}/members',
    () => owner.request('POST', `${path()}/members`, { body: grantTo(staff, 'manager') }),
    201,
    1,
  ],
  ['GET /machines/{id}/members', () => owner.request('GET', `${path()}/members`), 200, 1],
  [
    'DELETE /machines/{id}/members/{account_id}',
    () => owner.request('DELETE', `${path()}/members/${staff.id}`),
    204,
    1,
  ],
  ['DELETE /sites/{id}', () => owner.request('DELETE', `/api/sites/${emptySiteId}`), 204, 1],
]

// Before the budgets of machines, which delete the machine.
test.each(siteBudgets)('%s', busy, async (_, send, status, chain) => {
  const cost = await countRoundTrips(world, send)
  expect([cost.answer.status, cost.chain, cost.services]).toEqual([status, chain, ['postgres']])
})

test.each(machineBudgets)('%s', busy, async (_, send, status, chain) => {
  const cost = await countRoundTrips(world, send)
  expect([cost.answer.status, cost.chain]).toEqual([status, chain])
  expect(new Set(cost.services)).toEqual(new Set(chain === 0 ? [] : ['postgres']))
})

const program = () => madeKey.request
const keyBudgets: Budget[] = [
  ['POST /keys', () => owner.request('POST', '/api/keys', { body: { name: 'Key', scopes: ['read'] } }), 201, 1],
  ['GET /keys', () => owner.request('GET', '/api/keys'), 200, 1],
  ['GET /machines with a key', () => program()('GET', '/api/machines?owner_id=me'), 200, 1],
  ['POST /machines with a key', () => program()('POST', '/api/machines', { body }), 201, 1],
  ['GET /machines/{id} with a key', () => program()('GET', `/api/machines/${otherMachine.id}`), 200, 1],
  ['PATCH /machines/{id} with a key', () => program()('PATCH', `/api/machines/${otherMachine.id}`, { body }), 200, 1],
  ['GET /machines/{id}/history with a key', () => program()('GET', `/api/machines/${otherMachine.id}/history`), 200, 1],
  ['GET /machines/history with a key', () => program()('GET', '/api/machines/history?requested_by=me'), 200, 1],
  // Why a key is refused is asked only then.
  ['GET /me with a key', () => program()('GET', '/api/me'), 403, 1],
  // Redis is written before the answer, as for a session.
  ['DELETE /keys/{id}', () => owner.request('DELETE', `/api/keys/${madeKey.id}`), 204, 2],
  ['GET /machines with a revoked key', () => program()('GET', '/api/machines'), 401, 2],
]

let pulled: Reporter
const start = () => world.operate(owner, pulled.id, 'START')
const gateway = () => ({ reports: [{ machine_id: pulled.id, ...pulled.next() }] })
let gatewayKey: TestKey
/** In this order: each report depends on the one before. */
const reportBudgets: Budget[] = [
  ['POST /machines/{id}/reports of a new status', () => pulled.send(pulled.next()), 200, 2],
  ['POST /machines/{id}/reports without change', () => pulled.send(pulled.next({ cycles: 2 })), 200, 1],
  ['POST /machines/{id}/reports ignored', () => pulled.send({ ...pulled.next(), seq: 1 }), 200, 2],
  ['POST /sites/{id}/reports without change', () => postGateway(), 200, 1],
]
const postGateway = () => gatewayKey.request('POST', `/api/sites/${siteId}/reports`, { body: gateway() })

describe('a report', () => {
  beforeAll(async () => {
    const { id } = await world.createMachine(owner, { controller_url: null, site_id: siteId })
    pulled = await reporterOf(world, owner, id)
    gatewayKey = await makeKey(world, owner, { scopes: ['report'], site_id: siteId })
  })

  test.each(reportBudgets)('%s', busy, async (_, send, status, chain) => {
    const cost = await countRoundTrips(world, send)
    expect([cost.answer.status, cost.chain, new Set(cost.services)]).toEqual([status, chain, new Set(['postgres'])])
  })

  test('that fetches a command', async () => {
    expect((await start()).status).toBe(202)
    const cost = await countRoundTrips(world, () => pulled.send(pulled.next()))
    expect(cost.answer.body.command).toMatchObject({ command: 'START' })
    expect(cost.chain).toBe(2)
  })
})

test.each(keyBudgets)('%s', busy, async (_, send, status, chain) => {
  const cost = await countRoundTrips(world, send)
  expect([cost.answer.status, cost.chain]).toEqual([status, chain])
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
    'POST /accounts',
    () => {
      const username = `p-${randomUUID()}`
      return staff.request('POST', '/api/accounts', { body: { username, email: `${username}@example.com` } })
    },
    201,
    1,
  ],
  [
    'POST /accounts/{id}/password-reset',
    () => staff.request('POST', `/api/accounts/${owner.id}/password-reset`),
    201,
    1,
  ],
  [
    'POST /password-reset with a bad token: the limit, then the token',
    () =>
      world.request('POST', '/api/password-reset', {
        body: { reset_token: 'x', new_password: 'a bolster and a platen' },
      }),
    422,
    2,
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

test.each(accountBudgets)('%s', busy, async (_, send, status, chain) => {
  const cost = await countRoundTrips(world, send)
  expect([cost.answer.status, cost.chain]).toEqual([status, chain])
})

const freeBudgets: Budget[] = ['/api/openapi.json', '/api/problems', '/api/problems/job_open'].map((free) => [
  `GET ${free.replace('job_open', '{code}').replace('/api', '')}`,
  () => world.request('GET', free),
  200,
  0,
])

test.each(freeBudgets)('%s', busy, async (_, send, status, chain) => {
  const cost = await countRoundTrips(world, send)
  expect([cost.answer.status, cost.chain, cost.services]).toEqual([status, chain, []])
})

const confirmed: [method: string, path: string, body: object][] = [
  ['POST', '/me/password', { current_password: password, new_password: 'a bolster and a platen' }],
  ['DELETE', '/me', { current_password: password }],
]
test.each(confirmed)(
  '%s %s reads, counts and changes; the count may be refunded meanwhile',
  async (method, path, body) => {
    const person = await world.signUp()
    const cost = await countRoundTrips(world, () => person.request(method, `/api${path}`, { body }))
    expect(cost.answer.status).toBe(204)
    expect(cost.chain).toBeLessThanOrEqual(4)
    expect(cost.services.filter((service) => service === 'postgres')).toHaveLength(2)
  },
)

const feed = 'GET /changes'
test(`${feed}: PostgreSQL and the subscription at once, then the id of the last change`, async () => {
  const person = await world.signUp()
  const cost = await countRoundTrips(world, () => person.request('GET', '/api/changes'))
  expect([cost.answer.status, cost.chain]).toEqual([200, 2])
  expect(cost.services.filter((service) => service === 'postgres')).toHaveLength(1)
})

const check = 'POST /machines/{id}/controller/check'
test(`${check}: PostgreSQL, the controller, PostgreSQL`, async () => {
  const person = await world.signUp()
  const unconfirmed = await world.createUnconfirmedMachine(person)
  const cost = await countRoundTrips(world, () =>
    person.request('POST', `/api/machines/${unconfirmed.id}/controller/check`),
  )
  expect([cost.answer.status, cost.chain, cost.services]).toEqual([200, 3, ['postgres', 'controller', 'postgres']])
})

test('every endpoint has a budget, here or in the tests of jobs', () => {
  const named = [
    ...machineBudgets,
    ...siteBudgets,
    ...keyBudgets,
    ...reportBudgets,
    ...accountBudgets,
    ...freeBudgets,
    ...confirmed.map(([method, path]) => [`${method} ${path}`] as const),
    [feed],
    [check],
  ]
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
