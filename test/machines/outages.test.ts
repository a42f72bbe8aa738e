// PostgreSQL unavailable, in conflict, or with invalid answers: the answer of the API, which shows no internal detail.
import { randomUUID } from 'node:crypto'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Person, TestMachine, World } from '../harness.ts'
import { type CallInterceptor, loseAnswer, open, shut } from '../platform/faults.ts'
import { useWorld } from '../shared-world.ts'

let world: World
let owner: Person
let machine: TestMachine
beforeAll(async () => {
  world = await useWorld()
  owner = await world.signUp()
  machine = await world.createMachine(owner)
})
afterEach(() => {
  for (const gate of Object.values(world.faults)) gate.pass = open
})

const body = { name: 'Machine', location: 'Hall 1' }
describe('without PostgreSQL', () => {
  const requests: [string, string, unknown?][] = [
    ['GET', '/api/machines'],
    ['POST', '/api/machines', body],
    ['GET', '/api/machines/{id}'],
    ['PUT', '/api/machines/{id}', body],
    ['PATCH', '/api/machines/{id}', { name: 'New' }],
    ['DELETE', '/api/machines/{id}'],
    ['GET', '/api/machines/{id}/history'],
    ['GET', '/api/machines/{id}/statuses'],
    ['GET', '/api/machines/history'],
    ['POST', '/api/machines/{id}/operation', { command: 'START' }],
    ['GET', '/api/me'],
    ['POST', '/api/sign-up', { username: 'nobody', password: 'four columns hold it', email: 'nobody@example.com' }],
    ['POST', '/api/log-in', { username: 'nobody', password: 'four columns hold it' }],
    ['POST', '/api/token/refresh', 'refresh'],
    ['POST', '/api/log-out'],
  ]

  test.each(requests)(
    '%s %s is answered 503 with Retry-After and without internal details',
    async (method, path, sent) => {
      world.faults.postgres.pass = shut
      const answer = await owner.request(method, path.replace('{id}', String(machine.id)), {
        body: sent === 'refresh' ? { refresh: owner.refresh } : sent,
      })
      expect([answer.status, answer.body.code]).toEqual([503, 'database_unavailable'])
      expect(answer.headers.get('Retry-After')).toBe('5')
      expect(answer.body.detail).not.toMatch(/127\.0\.0\.1|SELECT|fetch|Neon/i)
      expect(answer.body.errors).toBeUndefined()
    },
  )

  test.each<[string, CallInterceptor]>([
    ['answers HTML behind a 502', async () => ({ status: 502, body: '<html>Bad gateway</html>' })],
    [
      'answers 200 with a body that is not JSON',
      async () => ({ status: 200, body: '<html>Sign in to the Wi-Fi</html>' }),
    ],
    [
      'answers that it is shutting down',
      async () => ({ status: 400, body: { message: 'terminating', code: '57P01' } }),
    ],
    [
      'answers that there are too many connections',
      async () => ({ status: 400, body: { message: 'too many', code: '53300' } }),
    ],
    ['answers an I/O error', async () => ({ status: 400, body: { message: 'could not read block', code: '58030' } })],
    [
      'answers an internal error',
      async () => ({ status: 400, body: { message: 'cache lookup failed', code: 'XX000' } }),
    ],
    [
      'is read-only, such as a replica',
      async () => ({ status: 400, body: { message: 'cannot execute UPDATE', code: '25006' } }),
    ],
    [
      'does not get a lock in time',
      async () => ({ status: 400, body: { message: 'canceling statement due to lock timeout', code: '55P03' } }),
    ],
  ])('a PostgreSQL that %s counts as unavailable', async (_, pass) => {
    world.faults.postgres.pass = pass
    const answer = await owner.request('GET', `/api/machines/${machine.id}`)
    expect([answer.status, answer.body.code, answer.headers.get('Retry-After')]).toEqual([
      503,
      'database_unavailable',
      '5',
    ])
  })

  test('an SQL error is only logged; the answer is 500 with a constant text', async () => {
    world.faults.postgres.pass = async () => ({
      status: 400,
      body: { message: 'column "secret" is gone', code: '42703' },
    })
    const answer = await owner.request('GET', `/api/machines/${machine.id}`)
    expect([answer.status, answer.body.code]).toEqual([500, 'internal_error'])
    expect(answer.text).not.toMatch(/secret|42703|SELECT/)
    expect(world.logs()).toContainEqual(
      expect.objectContaining({ channel: 'error', request_id: answer.body.request_id }),
    )
  })

  test('a stored value that cannot be parsed is a defect and not an outage: 500 with a constant text', async () => {
    const spoilt = await world.createMachine(owner)
    await world.postgres.query(`UPDATE machines SET updated_at = 'infinity' WHERE id = $1`, [spoilt.id])
    const answer = await owner.request('GET', `/api/machines/${spoilt.id}`)
    await world.postgres.query('UPDATE machines SET updated_at = now() WHERE id = $1', [spoilt.id])
    expect([answer.status, answer.body.code]).toEqual([500, 'internal_error'])
    expect(answer.text).not.toMatch(/infinity|timestamp/)
  })

  test.each([
    ['a serialization failure', { code: '40001', message: 'could not serialize access' }],
    ['a deadlock', { code: '40P01', message: 'deadlock detected' }],
  ])('a request that fails with %s is retried once, and answered 503 when it fails again', async (_, fault) => {
    let runs = 0
    const failTimes =
      (times: number): CallInterceptor =>
      async (_call, forward) => {
        runs += 1
        return runs <= times ? { status: 400, body: fault } : forward()
      }
    world.faults.postgres.pass = failTimes(1)
    expect((await owner.request('PUT', `/api/machines/${machine.id}`, { body: machine.body })).status).toBe(200)
    for (const [method, path] of [
      ['GET', '/api/me'],
      ['PATCH', `/api/machines/${machine.id}`],
    ] as const) {
      runs = 0
      world.faults.postgres.pass = failTimes(9)
      const answer = await owner.request(method, path, method === 'GET' ? {} : { body: { name: 'New' } })
      expect([answer.status, answer.body.code, answer.headers.get('Retry-After')]).toEqual([
        503,
        'database_unavailable',
        '1',
      ])
      expect(runs).toBe(2)
    }
  })

  test('an operation that violates the unique index of open jobs twice is answered 503', async () => {
    world.faults.postgres.pass = async () => ({
      status: 400,
      body: { code: '23505', message: 'duplicate key', constraint: 'jobs_one_open' },
    })
    const answer = await world.operate(owner, machine.id, 'START')
    expect([answer.status, answer.body.code, answer.headers.get('Retry-After')]).toEqual([
      503,
      'database_unavailable',
      '1',
    ])
  })

  test('health, public keys and invalid input are answered as usual', async () => {
    world.faults.postgres.pass = shut
    expect((await world.request('GET', '/api/health')).status).toBe(200)
    expect((await world.request('GET', '/.well-known/jwks.json')).status).toBe(200)
    expect((await owner.request('POST', '/api/machines', { body: {} })).status).toBe(422)
    expect((await owner.request('GET', '/api/machines?limit=0')).status).toBe(422)
    expect((await world.request('GET', '/api/machines')).status).toBe(401)
  })

  test('a write whose answer was lost is replayed by its key, and executed once', async () => {
    const person = await world.signUp()
    const send = () => person.request('POST', '/api/machines', { body, headers: { 'Idempotency-Key': 'lost' } })
    world.faults.postgres.pass = loseAnswer
    expect((await send()).status).toBe(503)
    world.faults.postgres.pass = open
    const again = await send()
    expect([again.status, again.headers.get('Idempotency-Replayed')]).toEqual([201, 'true'])
    expect((await person.request('GET', '/api/machines?owner_id=me')).body.items).toEqual([again.body])
  })

  test('everything works when PostgreSQL is available again', async () => {
    expect((await owner.request('GET', `/api/machines/${machine.id}`)).status).toBe(200)
  })
})

test('a replay that failed while PostgreSQL was unavailable succeeds afterwards', async () => {
  const key = randomUUID()
  const send = () => owner.request('POST', '/api/machines', { body, headers: { 'Idempotency-Key': key } })
  const first = await send()
  world.faults.postgres.pass = shut
  expect((await send()).status).toBe(503)
  world.faults.postgres.pass = open
  expect((await send()).text).toBe(first.text)
})
