// The log: one JSON line per request and per transition, enough to follow a job, and no secret in any line.
import { readFile } from 'node:fs/promises'
import { beforeAll, describe, expect, test } from 'vitest'
import { type Person, poll, type World } from '../../harness.ts'
import { useWorld } from '../../shared-world.ts'

let world: World
let owner: Person

beforeAll(async () => {
  world = await useWorld()
  owner = await world.signUpOverHttp()
})

type Line = Record<string, unknown>

async function waitForLine(fits: (line: Line) => boolean): Promise<Line> {
  const line = await poll(async () => {
    const found = world.logs().find(fits)
    return { isDone: found !== undefined, value: found }
  }, 'the line in the log')
  return line as Line // poll returns only a found line
}

describe('the log', () => {
  test('has one line per request: id, account, status, time and each upstream call', async () => {
    const answer = await owner.request('GET', '/api/me')
    const requestId = answer.headers.get('X-Request-Id')
    expect(await waitForLine((line) => line.channel === 'api' && line.request_id === requestId)).toEqual({
      channel: 'api',
      request_id: requestId,
      account_id: owner.id,
      method: 'GET',
      path: '/api/me',
      status: 200,
      duration_ms: expect.any(Number),
      round_trips: [
        {
          upstream: 'postgres',
          statement: 'read-account',
          startMs: expect.any(Number),
          durationMs: expect.any(Number),
        },
      ],
    })
    expect(world.logs().filter((line) => line.request_id === requestId)).toHaveLength(1)
  })

  test('has no account without a session, and the same request id as the problem', async () => {
    const answer = await world.request('GET', '/api/me')
    const line = await waitForLine((each) => each.request_id === answer.body.request_id)
    expect(line).toMatchObject({ channel: 'api', status: 401 })
    expect(line).not.toHaveProperty('account_id')
  })

  test('follows a job from its request through delivery to its end', async () => {
    const machine = await world.createMachine(owner)
    const asked = await world.operate(owner, machine.id, 'START')
    await world.waitForJob(owner, asked.body.id, 'SUCCEEDED')
    await waitForLine((line) => line.job_id === asked.body.id && line.state === 'SUCCEEDED')
    const lines = world.logs().filter((line) => line.channel === 'job' && line.job_id === asked.body.id)
    expect(lines).toMatchObject([
      { state: 'QUEUED', version: 1, by: owner.id, machine_id: machine.id, command: 'START' },
      { state: 'SENT', version: 2, by: 'queue', attempts: 1 },
      { state: 'SUCCEEDED', version: 3, by: 'controller', result: 'SUCCESS' },
    ])
    expect(lines[0]?.request_id).toBe(asked.headers.get('X-Request-Id'))
    // The delivery has its own request id, which both of its transitions name.
    expect(lines[1]?.request_id).toBe(lines[2]?.request_id)
    await waitForLine((line) => line.channel === 'api' && line.request_id === lines[1]?.request_id)
  })

  test('has one line per sweep with its results', async () => {
    await world.sweep()
    expect(await waitForLine((line) => line.channel === 'sweep')).toMatchObject({
      published: expect.any(Number),
      ended: expect.any(Number),
      duration_ms: expect.any(Number),
    })
  })

  test('never contains a token, a password, a key, a signature or a body', async () => {
    const machine = await world.createMachine(owner, { name: 'body-that-must-not-be-logged' })
    const { body: job } = await world.operate(owner, machine.id, 'START')
    await world.waitForJob(owner, job.id, 'SUCCEEDED')
    await world.request('POST', '/api/log-in', { body: { username: owner.username, password: 'a wrong password' } })
    await world.request('GET', '/api/me', { token: `${owner.access}x` })
    await world.request('POST', '/api/token/refresh', { body: { refresh: owner.refresh } })
    const [command] = machine.commands()
    const secrets = [
      owner.access,
      owner.refresh,
      owner.password,
      'a wrong password',
      'body-that-must-not-be-logged',
      world.redis.token,
      world.qstash.token,
      world.qstash.currentSigningKey,
      new URL(world.postgres.databaseUrl).password,
      command?.authorization ?? 'no command came',
      command?.outcome_token ?? 'no command came',
    ]
    const text = world
      .logs()
      .map((line) => JSON.stringify(line))
      .join('\n')
    for (const secret of secrets) expect(text).not.toContain(secret)
  })
})

test.each([
  ['cut off', '{"username":"somebody","password":"hunter-two-hunter'],
  ['unquoted', '{"password":hunter-two-hunter}'],
  ['a form', 'hunter-two-hunter=x'],
])('no part of a body that is not JSON (%s) is in the log', async (_what, body) => {
  const answer = await world.request('POST', '/api/log-in', { body })
  expect([answer.status, answer.body.code]).toEqual([400, 'malformed_json'])
  await waitForLine((line) => line.channel === 'api' && line.request_id === answer.body.request_id)
  const lines = world.logs().filter((line) => line.request_id === answer.body.request_id)
  expect(JSON.stringify(lines)).not.toMatch(/hunt|two/)
})

test.each([
  ['no JSON', {}, '{"a":', 'malformed_json'],
  ['not UTF-8', {}, new Uint8Array([0x22, 0xff, 0x22]), 'malformed_json'],
  ['compressed', { 'Content-Encoding': 'gzip' }, '{}', 'unsupported_media_type'],
  ['another format', { 'Content-Type': 'application/xml' }, '<a/>', 'unsupported_media_type'],
])(
  'a body that is %s is not logged as an error: the line of the request has the code',
  async (_what, headers, body, code) => {
    const answer = await world.request('POST', '/api/log-in', { body, headers })
    const line = await waitForLine((each) => each.request_id === answer.body.request_id)
    expect(line).toMatchObject({ channel: 'api', code, status: answer.status })
    const errors = world
      .logs()
      .filter(({ channel, request_id }) => channel === 'error' && request_id === line.request_id)
    expect(errors).toEqual([])
  },
)

test('only the log line of the request has the reason why a token was refused', async () => {
  const answer = await world.request('GET', '/api/me', { token: 'not.a.token' })
  await waitForLine((each) => each.request_id === answer.body.request_id)
  const lines = world.logs().filter(({ request_id }) => request_id === answer.body.request_id)
  expect(lines).toMatchObject([{ channel: 'api', status: 401, code: 'token_invalid', reason: expect.any(String) }])
  expect(answer.text).not.toContain(String(lines[0]?.reason))
})

test('the platform keeps the log', async () => {
  expect(await readFile('wrangler.toml', 'utf8')).toMatch(/^\[observability\]\nenabled = true$/m)
})

describe('Server-Timing', () => {
  test('lists each upstream call and the total', async () => {
    const answer = await owner.request('GET', '/api/machines')
    expect(answer.headers.get('Server-Timing')).toMatch(/^postgres;dur=\d+, total;dur=\d+$/)
    const alive = await world.request('GET', '/api/health')
    expect(alive.headers.get('Server-Timing')).toMatch(/^total;dur=\d+$/)
  })
})
