// The typed client against the real Worker, with failures of the connection between them.
import { readFile } from 'node:fs/promises'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { type ClientOptions, createClient, JobFailed, TiebarProblem, type Tokens } from '../../src/client/client.ts'
import { typesFile, writeTypes } from '../../src/tools/client-types.ts'
import type { Person, World } from '../harness.ts'
import { useWorld } from '../shared-world.ts'

let world: World
let owner: Person
beforeAll(async () => {
  world = await useWorld()
  owner = await world.signUp()
})

type Sent = { method: string; path: string; key: string | null }

/** A client of this person, the requests that it sends, and the failures to inject. */
function connect(person: Person = owner, options: Partial<ClientOptions> = {}) {
  const sent: Sent[] = []
  const told: (Tokens | undefined)[] = []
  /** What happens to the next requests, one entry each. */
  const failures: ((request: Request) => Promise<Response>)[] = []
  const client = createClient({
    baseUrl: `${world.url}/`,
    tokens: { access: person.access, refresh: person.refresh },
    onTokens: (tokens) => told.push(tokens),
    fetch(request) {
      sent.push({
        method: request.method,
        path: new URL(request.url).pathname,
        key: request.headers.get('Idempotency-Key'),
      })
      return (failures.shift() ?? fetch)(request)
    },
    ...options,
  })
  return { client, sent, told, failures }
}

/** The Worker executes the request, and its answer is lost. */
const loseAnswer = async (request: Request) => {
  await fetch(request)
  throw new TypeError('the connection is gone')
}
const answer =
  (status: number, headers: Record<string, string> = {}) =>
  async () =>
    new Response('not ours', { status, headers })

/** A page in place of the API. */
const portal = (status: number) => async () =>
  new Response('<!doctype html><title>Welcome</title>', {
    status,
    headers: { 'Content-Type': 'text/html; charset=utf-8' },
  })

/** The problem with which a call is refused. */
async function problemOf(call: Promise<unknown>): Promise<TiebarProblem> {
  const error = await call.then(
    () => undefined,
    (reason) => reason,
  )
  expect(error).toBeInstanceOf(TiebarProblem)
  return error as TiebarProblem // checked by the line above
}

const machine = { name: 'M', location: 'Hall 1' }

test('the API types of the client match the document', async () => {
  const types = await writeTypes()
  expect(await readFile(typesFile, 'utf8'), 'run npm run client:types').toBe(types)
  // Pages have a member `items`, which the generator takes for the keyword of an array.
  expect(types).not.toMatch(/minItems\??:/)
})

test('every method of the client works', async () => {
  const { client, told } = connect()
  const username = `c-${crypto.randomUUID()}`
  const password = 'a long enough one'
  const user = await client.signUp({ username, password, email: `${username}@example.com` })
  expect(user.username).toBe(username)
  expect(told.at(-1)?.access).toBeTypeOf('string')
  expect(await client.me.change({ first_name: '민지' })).toMatchObject({ first_name: '민지' })
  await client.me.changePassword({ current_password: password, new_password: 'another long one' })
  expect((await client.logIn({ username, password: 'another long one' })).id).toBe(user.id)
  const sessions = await client.me.sessions()
  expect(sessions.filter(({ current }) => current)).toHaveLength(1)
  await client.me.endSession(sessions.find(({ current }) => !current)?.id ?? '')

  const made = await client.machines.create(machine)
  expect(await client.machines.read(made.id)).toEqual(made)
  const moved = await client.machines.change(made.id, { location: 'Hall 2' }, { ifMatch: made.etag })
  const stale = client.machines.change(made.id, { location: 'Hall 3' }, { ifMatch: made.etag })
  expect((await problemOf(stale)).code).toBe('precondition_failed')
  const whole = await client.machines.replace(made.id, { ...machine, status: 'POWEROFF' }, { ifMatch: moved.etag })
  expect(whole).toMatchObject({ location: 'Hall 1', status: 'POWEROFF' })
  await client.machines.delete(made.id, { ifMatch: whole.etag })
  expect((await problemOf(client.machines.read(made.id))).code).toBe('not_found')

  expect((await problemOf(client.accounts.changeRights(user.id, { is_staff: true }))).code).toBe('staff_only')
  expect(await client.ask('readHealth', {})).toMatchObject({ status: 'ok' })
  await client.logOut()
  expect(told.at(-1)).toBeUndefined()
  expect((await problemOf(client.me.read())).code).toBe('token_missing')
})

test('staff can search accounts and change their rights', async () => {
  const { client } = connect(await world.signUpStaff())
  const found = []
  for await (const user of client.accounts.list({ q: owner.username })) found.push(user)
  expect(found.map(({ id }) => id)).toEqual([owner.id])
  expect(await client.accounts.changeRights(owner.id, { is_active: true })).toMatchObject({ id: owner.id })
})

test('a problem contains the error, its location and the request id of the log', async () => {
  const { client } = connect()
  const problem = await problemOf(client.machines.create({ ...machine, name: '' }))
  expect(problem).toMatchObject({
    status: 422,
    code: 'validation_failed',
    errors: [{ pointer: '/name' }, { pointer: '/name' }],
    requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    type: `${world.url}/api/problems/validation_failed`,
  })
})

test.each<[string, (etag: string) => string]>([
  ['weak', (etag) => `W/${etag}`],
  ['with a suffix', (etag) => etag.replace(/"$/, '-gzip"')],
])('behind a proxy that makes ETags %s, a machine can be changed, and only if it is current', async (_, change) => {
  const { client } = connect(owner, {
    async fetch(request) {
      const response = await fetch(request)
      const headers = new Headers(response.headers)
      const etag = headers.get('ETag')
      if (etag !== null) headers.set('ETag', change(etag))
      return new Response(response.body, { status: response.status, headers })
    },
  })
  const { id, etag } = await client.machines.create(machine)
  const changed = await client.machines.change(id, { name: 'N' }, { ifMatch: etag })
  const stale = client.machines.delete(id, { ifMatch: etag })
  expect((await problemOf(stale)).code).toBe('precondition_failed')
  await client.machines.delete(id, { ifMatch: changed.etag })
})

describe('tokens', () => {
  test('an expired access token is refreshed once for all concurrent requests', async () => {
    const person = await world.signUp()
    const { client, sent, told } = connect(person, { tokens: { access: 'expired', refresh: person.refresh } })
    const users = await Promise.all(Array.from({ length: 10 }, () => client.me.read()))
    expect(users.map(({ id }) => id)).toEqual(users.map(() => person.id))
    expect(sent.filter(({ path }) => path === '/api/token/refresh')).toHaveLength(1)
    expect(told).toEqual([{ ...told[0], access: expect.any(String), refresh: expect.any(String) }])
    expect(told[0]?.refresh).not.toBe(person.refresh)
  })

  const refreshes = (sent: Sent[]) => sent.filter(({ path }) => path === '/api/token/refresh').length
  const expired = (person: Person) => ({ tokens: { access: 'expired', refresh: person.refresh } })

  test.each<[string, (request: Request) => Promise<Response>]>([
    ['lost', loseAnswer],
    ['a 503', answer(503)],
    ["Cloudflare's 522", answer(522)],
    ['a 429', answer(429, { 'Retry-After': '0' })],
  ])('a refresh whose answer is %s is repeated with the same token, and the session lives on', async (_, failure) => {
    const person = await world.signUp()
    const { client, sent, told, failures } = connect(person, expired(person))
    failures.push(fetch, failure, failure)
    // Not repeatable itself.
    expect((await problemOf(client.machines.delete(999_999_999))).code).toBe('not_found')
    expect(refreshes(sent)).toBe(3)
    expect(told).toHaveLength(1)
    expect((await client.me.read()).id).toBe(person.id)
    const { client: next } = connect(person, { tokens: { access: 'expired', refresh: told[0]?.refresh ?? '' } })
    expect((await next.me.read()).id).toBe(person.id)
  })

  test('when no refresh is answered, the call fails and the tokens are kept', async () => {
    const person = await world.signUp()
    const { client, sent, told, failures } = connect(person, { ...expired(person), retries: 1 })
    const fail = async () => {
      throw new TypeError('no network')
    }
    failures.push(fetch, fail, fail)
    await expect(client.me.read()).rejects.toThrow('no network')
    expect([refreshes(sent), told]).toEqual([2, []])
    expect((await client.me.read()).id).toBe(person.id)
  })

  test.each([401, 200, 511])(
    'a refresh that a captive portal answers with %i does not end the session',
    async (status) => {
      const person = await world.signUp()
      const { client, told, failures } = connect(person, expired(person))
      failures.push(fetch, portal(status))
      expect(await problemOf(client.me.read())).toMatchObject({ status, code: 'unknown' })
      expect(told).toEqual([])
      expect((await client.me.read()).id).toBe(person.id)
    },
  )

  test('when the session has ended, the client reports it and deletes the tokens', async () => {
    const person = await world.signUp()
    await person.request('POST', '/api/log-out')
    const { client, told } = connect(person)
    expect((await problemOf(client.me.read())).code).toBe('session_ended')
    expect(told).toEqual([undefined])
    const { client: other, told: toldOther } = connect(person, {
      tokens: { access: 'expired', refresh: person.refresh },
    })
    expect((await problemOf(other.me.read())).code).toBe('session_ended')
    expect(toldOther).toEqual([undefined])
  })
})

describe('when an answer is lost', () => {
  test('a request with an Idempotency-Key is repeated and executed once', async () => {
    const person = await world.signUp()
    const { client, sent, failures } = connect(person)
    failures.push(loseAnswer, loseAnswer)
    const { id } = await client.machines.create(machine)
    const all = []
    for await (const each of client.machines.list({ owner_id: 'me' })) all.push(each.id)
    expect(all).toEqual([id])
    expect(new Set(sent.slice(0, 3).map(({ key }) => key)).size).toBe(1)

    const inPlay = await world.createMachine(person)
    failures.push(loseAnswer)
    const job = await client.machines.start(inPlay.id).done({ everySeconds: 0.05 })
    expect(job.state).toBe('SUCCEEDED')
    expect(inPlay.commands()).toHaveLength(1)
  })

  test('two clients with the same key of the caller send one command', async () => {
    const inPlay = await world.createMachine(owner)
    const options = { idempotencyKey: `shift-${crypto.randomUUID()}`, expiresIn: 30 }
    const [one, other] = await Promise.all([
      connect().client.machines.start(inPlay.id, options),
      connect().client.machines.start(inPlay.id, options),
    ])
    expect(one.id).toBe(other.id)
  })

  test('a change without If-Match is repeated; a change with If-Match and a deletion are not', async () => {
    const { client, sent, failures } = connect()
    const { id, etag } = await client.machines.create(machine)
    failures.push(loseAnswer)
    expect(await client.machines.change(id, { name: 'N' })).toMatchObject({ name: 'N' })
    const { etag: second } = await client.machines.read(id)
    expect(second).not.toBe(etag)
    const before = sent.length
    failures.push(loseAnswer)
    await expect(client.machines.change(id, { name: 'O' }, { ifMatch: second })).rejects.toThrow(
      'the connection is gone',
    )
    failures.push(loseAnswer)
    await expect(client.machines.delete(id)).rejects.toThrow('the connection is gone')
    expect(sent.length).toBe(before + 2)
  })

  test('retries end after a limit', async () => {
    const { client, sent, failures } = connect(owner, { retries: 2 })
    failures.push(loseAnswer, loseAnswer, loseAnswer, loseAnswer)
    await expect(client.me.read()).rejects.toThrow('the connection is gone')
    expect(sent).toHaveLength(3)
  })
})

describe('an answer with Retry-After', () => {
  test('is retried after the wait', async () => {
    const { client, sent, failures } = connect()
    failures.push(answer(503), answer(429, { 'Retry-After': '0' }), answer(502), fetch)
    expect((await client.me.read()).id).toBe(owner.id)
    expect(sent).toHaveLength(4)
  })

  test('is returned as an error when the wait is long', async () => {
    const { client, sent, failures } = connect()
    failures.push(answer(429, { 'Retry-After': '300' }))
    const problem = await problemOf(client.me.read())
    expect(problem).toMatchObject({ status: 429, code: 'unknown', retryAfterSeconds: 300 })
    expect(sent).toHaveLength(1)
  })

  test('is retried by a log-in only for 429, which was not executed, and not for 503', async () => {
    const { client, sent, failures } = connect()
    failures.push(answer(429, { 'Retry-After': '0' }), answer(503))
    expect((await problemOf(client.logIn({ username: owner.username, password: owner.password }))).status).toBe(503)
    expect(sent).toHaveLength(2)
  })
})

describe('an answer that is not from the API', () => {
  test.each([200, 201, 404, 511])('(%i with HTML) is a problem with the status', async (status) => {
    const { client, sent, failures } = connect()
    failures.push(portal(status))
    const problem = await problemOf(client.me.read())
    expect(problem).toMatchObject({ status, code: 'unknown', errors: [] })
    expect(problem.message).toContain(`answered ${status} with text/html`)
    expect(sent).toHaveLength(1)
  })

  test.each(['', '{"id":', 'null{'])('(200 with %j as JSON) is a problem with the status', async (body) => {
    const { client, failures } = connect()
    failures.push(async () => new Response(body, { headers: { 'Content-Type': 'application/json' } }))
    expect(await problemOf(client.me.read())).toMatchObject({ status: 200, code: 'unknown' })
  })

  test.each([502, 503, 504, 520, 521, 522, 523, 524, 525, 526, 527, 530])(
    '(%i, also of Cloudflare) is retried where that is safe',
    async (status) => {
      const { client, sent, failures } = connect()
      failures.push(portal(status))
      expect((await client.me.read()).id).toBe(owner.id)
      expect(sent).toHaveLength(2)
      failures.push(portal(status))
      expect((await problemOf(client.machines.delete(999_999_999))).status).toBe(status)
    },
  )

  test.each([500, 501, 505, 519, 531])('(%i) is not retried', async (status) => {
    const { client, sent, failures } = connect()
    failures.push(portal(status))
    expect((await problemOf(client.me.read())).status).toBe(status)
    expect(sent).toHaveLength(1)
  })
})

describe('lists', () => {
  test('are read page by page, only as far as the caller reads', async () => {
    const person = await world.signUp()
    const { client, sent } = connect(person)
    for (const name of ['1', '2', '3', '4', '5']) await client.machines.create({ ...machine, name })
    const reads = () => sent.filter(({ method }) => method === 'GET').length
    const names: string[] = []
    for await (const { name } of client.machines.list({ owner_id: 'me', sort: '-name', limit: 2 })) names.push(name)
    expect([names, reads()]).toEqual([['5', '4', '3', '2', '1'], 3])
    for await (const { items, next_cursor } of client.machines.list({ owner_id: 'me', limit: 2 }).pages()) {
      expect([items.map(({ name }) => name), next_cursor]).toEqual([['1', '2'], expect.any(String)])
      break
    }
    expect(reads()).toBe(4)
  })
})

describe('a job', () => {
  test('is polled until it has ended, and is in the history', async () => {
    const inPlay = await world.createMachine(owner)
    inPlay.behave({ mode: 'warm-up', after_ms: 400 })
    const { client } = connect()
    const seen: string[] = []
    const started = client.machines.start(inPlay.id)
    for await (const { state } of started.watch({ everySeconds: 0.02 })) seen.push(state)
    expect(seen[0]).toBe('QUEUED')
    expect(seen).toContain('PENDING')
    expect(seen.at(-1)).toBe('SUCCEEDED')
    const { id } = await started
    const again: string[] = []
    for await (const { state } of client.jobs.watch(id)) again.push(state)
    expect(again).toEqual(['SUCCEEDED'])
    expect((await client.jobs.read(id)).state).toBe('SUCCEEDED')
    expect((await client.jobs.events(id)).map(({ state }) => state)).toContain('PENDING')
    for (const history of [client.machines.history(inPlay.id), client.jobs.list({ command: 'START' })]) {
      for await (const newest of history) {
        expect(newest.id).toBe(id)
        break
      }
    }
    expect((await client.machines.stop(inPlay.id).done({ everySeconds: 0.02 })).command).toBe('STOP')
    const statuses: unknown[] = []
    for await (const { status, source } of client.machines.statuses(inPlay.id, { limit: 2 })) {
      statuses.push(`${status} ${source}`)
    }
    const passed = ['READY command', 'PENDING command', 'RUNNING command', 'PENDING command', 'READY person']
    expect(statuses).toEqual(passed)
  })

  test('that did not succeed throws an error with the job', async () => {
    const inPlay = await world.createMachine(owner)
    inPlay.behave({ mode: 'refuse', detail: 'the safety gate is open' })
    const failure = await connect()
      .client.machines.start(inPlay.id)
      .done({ everySeconds: 0.02 })
      .catch((error) => error)
    expect(failure).toBeInstanceOf(JobFailed)
    expect(failure.job).toMatchObject({ state: 'FAILED', result: 'REMOTEFAILED', machine_id: inPlay.id })
    expect(failure.message).toContain('the safety gate is open')
  })

  test('that is refused throws a problem immediately', async () => {
    const { client } = connect()
    const { id } = await client.machines.create(machine) // without a controller
    expect((await problemOf(client.machines.start(id))).code).toBe('no_controller')
    expect((await problemOf(client.machines.start(id).done())).code).toBe('no_controller')
  })

  test('continues when the caller stops polling, and can be cancelled', async () => {
    const inPlay = await world.createMachine(owner)
    const { promise: isCanceled, resolve: release } = Promise.withResolvers<void>()
    onTestFinished(() => release())
    world.faults.deliveries.pass = async (_message, attempt) => {
      await isCanceled
      return attempt()
    }
    const { client } = connect()
    const started = client.machines.start(inPlay.id)
    const signal = AbortSignal.timeout(100)
    await expect(started.done({ everySeconds: 0.02, signal })).rejects.toThrow(/timeout/i)
    const { id } = await started
    expect((await client.jobs.read(id)).state).toBe('QUEUED')
    expect(await client.jobs.cancel(id, 'the wrong machine')).toMatchObject({ state: 'CANCELED' })
    await expect(started.done()).rejects.toThrow('CANCELED')
  })
})

test('sites and members: a manager lets a colleague operate a machine', async () => {
  const { client } = connect()
  const colleague = await world.signUp()
  const site = await client.sites.create({ name: 'Line 1' })
  expect((await client.sites.change(site.id, { name: 'Line 2' })).name).toBe('Line 2')
  const machine = await client.machines.create({ name: 'Press', location: 'Hall', site_id: site.id })
  for (const place of [
    { id: site.id, ...client.sites },
    { id: machine.id, ...client.machines },
  ]) {
    const member = await place.putMember(place.id, { username: colleague.username, role: 'operator' })
    const found = []
    for await (const each of place.members(place.id)) found.push(each)
    expect(found).toContainEqual(member)
    await place.removeMember(place.id, colleague.id)
  }
  await client.machines.delete(machine.id)
  const names = []
  for await (const { name } of client.sites.list({ sort: '-id' })) names.push(name)
  expect(names).toContain('Line 2')
  await client.sites.delete(site.id)
  expect((await problemOf(client.sites.read(site.id))).code).toBe('not_found')
})

describe('a client with an API key', () => {
  test('sends the key with every request, and neither logs in nor refreshes', async () => {
    const { client: person } = connect()
    const own = await world.createMachine(owner)
    const { key, secret } = await person.keys.create({ name: 'MES', scopes: ['read', 'start'] })
    const { client, sent, told, failures } = connect(owner, { tokens: undefined, key: secret })
    const found = []
    for await (const { id } of client.machines.list({ owner_id: 'me' })) found.push(id)
    expect(found).toContain(own.id)
    failures.push(answer(503)) // repeated as for a session
    expect((await client.machines.read(own.id)).id).toBe(own.id)
    const done = await client.machines.start(own.id).done({ everySeconds: 0.02 })
    expect([done.state, done.key_id, done.requested_by]).toEqual(['SUCCEEDED', key.id, owner.id])
    expect((await problemOf(client.machines.stop(own.id))).code).toBe('scope_missing')
    expect((await problemOf(client.keys.create({ name: 'Another', scopes: ['read'] }))).code).toBe('key_not_allowed')

    const listed = []
    for await (const each of person.keys.list({ limit: 1 })) listed.push(each.id)
    expect(listed).toContain(key.id)
    await person.keys.revoke(key.id)
    const before = sent.length
    expect((await problemOf(client.machines.read(own.id))).code).toBe('key_invalid')
    expect([sent.length - before, told]).toEqual([1, []])
  })
})

test('a machine reports with its key, and fetches its command', async () => {
  const { client } = connect()
  const site = await client.sites.create({ name: '1공장' })
  const { id } = await client.machines.create({ name: 'Pulled', location: 'Hall 1', site_id: site.id })
  const { secret } = await client.keys.create({ name: 'Gateway', scopes: ['report'], site_id: site.id })
  const gateway = createClient({ baseUrl: world.url, key: secret })
  const report = (seq: number) => ({ boot_id: 'b', seq, status: 'READY' as const })
  expect(await gateway.machines.report(id, report(1), { waitSeconds: 1 })).toMatchObject({ holds: [], command: null })
  const job = await client.machines.start(id)
  const { command } = await gateway.machines.report(id, report(2))
  expect(command).toMatchObject({ command: 'START', job_id: job.id, machine_id: id })
  const { results } = await gateway.sites.report(site.id, [{ machine_id: id, ...report(3) }])
  expect(results).toEqual([{ machine_id: id, holds: [], command: null }])
})
