// The common rules, proved for every endpoint: the cases are made from the OpenAPI document, so a new endpoint has them.
import { createHmac, randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTokenIssuer } from '../../src/accounts/token.ts'
import type { SigningKey } from '../../src/env.ts'
import { type Answer, makeSigningKey, type Person, startWorld, type World } from '../harness.ts'
import { document, type Operation } from './witness.ts'

type Endpoint = { method: string; path: string; operation: Operation }

const endpoints: Endpoint[] = Object.entries(document.paths).flatMap(([path, item]) =>
  Object.entries(item).map(([verb, operation]) => ({ method: verb.toUpperCase(), path, operation })),
)
const named = (select: (operation: Operation) => boolean) =>
  endpoints.filter(({ operation }) => select(operation)).map((each) => [`${each.method} ${each.path}`, each] as const)

const takesBearer = ({ security }: Operation) => security.some((each) => 'bearer' in each)
const isCourier = ({ security }: Operation) => security.some((each) => 'courier' in each)
const takesOutcome = ({ security }: Operation) => security.some((each) => 'outcome' in each)
const takesBody = (operation: Operation) => operation.requestBody !== undefined && !isCourier(operation)
const takesQuery = ({ parameters = [] }: Operation) => parameters.some((each) => 'in' in each && each.in === 'query')
const takesId = ({ parameters = [] }: Operation) => parameters.some((each) => 'in' in each && each.in === 'path')

/** Ids that nothing has: no other test can have made them. */
const unknownId = (path: string) => (/jobs|sessions/.test(path) ? '0198c0de-7c1a-7000-8000-00000000dead' : '999999999')
const fill = (path: string) => path.replace(/\{.+?\}/, unknownId(path))
const exampleOf = ({ requestBody }: Operation) => requestBody?.content['application/json']?.example

const key = makeSigningKey('test-1')
let world: World
let staff: Person
let outcomeToken: string
beforeAll(async () => {
  // The examples are sent again and again; that failed log-ins are limited is not the matter here.
  const limits = { FAILED_LOG_INS_PER_NAME_AND_ADDRESS: '100000', FAILED_LOG_INS_PER_NAME: '100000' }
  world = await startWorld({
    vars: { JWT_KEYS: JSON.stringify([key]), FAILED_LOG_INS_PER_ADDRESS: '100000', ...limits },
  })
  staff = await world.signUpStaff()
  // A controller's, for a job that nothing knows.
  const issuer = createTokenIssuer([key as SigningKey], world.url) // a private Ed25519 JWK with a kid
  outcomeToken = await issuer.sign({ sub: unknownId('/jobs') }, 'outcome', 600)
})
afterAll(() => world?.close())

type Options = { body?: unknown; headers?: Record<string, string> }

/** With a token where one is needed, and the example of the body where one is taken. */
async function call({ method, path, operation }: Endpoint, options: Options = {}, query = ''): Promise<Answer> {
  const body = 'body' in options ? options.body : takesBody(operation) ? exampleOf(operation) : undefined
  // An own session for what ends it.
  const person = operation.operationId === 'logOut' ? await world.signUp() : staff
  return world.request(method, `${fill(path)}${query}`, {
    ...(takesBearer(operation) && { token: person.access }),
    ...(takesOutcome(operation) && { token: outcomeToken }),
    ...(body !== undefined && { body }),
    ...(options.headers && { headers: options.headers }),
  })
}

function expectProblem(answer: Answer, status: number, code: string): void {
  expect(answer.text).not.toBe('')
  expect(answer.body).toMatchObject({ status, code, type: `${world.url}/api/problems/${code}` })
  expect(answer.status).toBe(status)
  expect(answer.headers.get('Content-Type')).toBe('application/problem+json')
  expect(answer.headers.get('X-Request-Id')).toBe(answer.body.request_id)
}

describe('an endpoint that needs a token', () => {
  test.each(named((operation) => takesBearer(operation) || takesOutcome(operation)))(
    'answers 401 to nobody: %s',
    async (_, { method, path, operation }) => {
      const options = takesBody(operation) ? { body: exampleOf(operation) } : {}
      const missing = await world.request(method, fill(path), options)
      expectProblem(missing, 401, 'token_missing')
      expect(missing.headers.get('WWW-Authenticate')).toBe('Bearer')
      const bad = await world.request(method, fill(path), { ...options, token: 'not.a.token' })
      expectProblem(bad, 401, 'token_invalid')
      expect(bad.headers.get('WWW-Authenticate')).toBe('Bearer error="invalid_token"')
    },
  )
})

describe('an endpoint that needs no token', () => {
  const needsNone = (operation: Operation) => operation.security.length === 0
  test.each(named(needsNone))('does not look at the Authorization header: %s', async (_, endpoint) => {
    for (const Authorization of ['nonsense', 'Bearer not.a.token', 'Basic eDp5']) {
      const answer = await call(endpoint, { headers: { Authorization } })
      expect(['token_missing', 'token_invalid']).not.toContain(
        endpoint.operation.operationId === 'refreshToken' ? undefined : answer.body?.code,
      )
      expect(answer.status).toBeLessThan(500)
    }
  })
})

describe('a path', () => {
  const paths = Object.keys(document.paths)

  test.each(paths)(
    'answers 405 with Allow to methods that it does not know, and says them to OPTIONS: %s',
    async (path) => {
      const options = await world.request('OPTIONS', fill(path))
      expect(options.status).toBe(204)
      const allow = options.headers.get('Allow')?.split(', ') ?? []
      const verbs = Object.keys(document.paths[path] ?? {}).map((verb) => verb.toUpperCase())
      expect(allow).toEqual(expect.arrayContaining([...verbs, 'OPTIONS', ...(verbs.includes('GET') ? ['HEAD'] : [])]))
      const unknown = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'].filter((method) => !allow.includes(method))
      expect(unknown).not.toEqual([])
      for (const method of unknown) {
        const answer = await world.request(method, fill(path))
        expectProblem(answer, 405, 'method_not_allowed')
        expect(answer.headers.get('Allow')?.split(', ')).toEqual(allow)
      }
      if (!allow.includes('GET')) {
        const head = await world.request('HEAD', fill(path))
        expect([head.status, head.text]).toEqual([405, ''])
      }
    },
  )

  test('that is written out is no id in the pattern of another one', async () => {
    const answer = await world.request('PUT', '/api/machines/history', { body: {} })
    expectProblem(answer, 405, 'method_not_allowed')
    expect(answer.headers.get('Allow')).toBe('GET, HEAD, OPTIONS')
  })

  test.each(paths)('may end with a slash: %s', async (path) => {
    for (const [verb, operation] of Object.entries(document.paths[path] ?? {})) {
      const endpoint = { method: verb.toUpperCase(), operation, path }
      const [bare, slashed] = [await call(endpoint), await call({ ...endpoint, path: `${path}/` })]
      // Only the first of two sign-ups can succeed.
      if (operation.operationId === 'signUp') expect([201, 409]).toContain(slashed.status)
      else expect([slashed.status, slashed.body?.code]).toEqual([bare.status, bare.body?.code])
    }
  })

  test.each(['/', '/api', '/api/nothing', '/api/machines/1/nothing', '/api//machines', '/%E0%A4%A'])(
    'that does not exist answers 404 as a problem, with any method: %s',
    async (path) => {
      for (const method of ['GET', 'POST', 'DELETE', 'OPTIONS']) {
        expectProblem(await world.request(method, path), 404, 'not_found')
      }
    },
  )
})

describe('GET', () => {
  const gets = endpoints.filter(({ method }) => method === 'GET').map((each) => [each.path, each] as const)
  test.each(gets)('and HEAD answer the same, but HEAD without a body: %s', async (_, endpoint) => {
    const get = await call(endpoint)
    const head = await call({ ...endpoint, method: 'HEAD' })
    expect(head.status).toBe(get.status)
    expect(head.text).toBe('')
    expect(head.headers.get('Content-Type')).toBe(get.headers.get('Content-Type'))
  })
})

describe('an endpoint', () => {
  test.each(named(() => true))('answers 406 when Accept takes nothing that it has: %s', async (_, endpoint) => {
    for (const Accept of [
      'image/png',
      'application/json;q=0, text/html;q=0, application/problem+json;q=0',
      'text/csv',
    ]) {
      expectProblem(await call(endpoint, { headers: { Accept } }), 406, 'not_acceptable')
    }
  })

  test.each(named(() => true))('answers as ever when Accept takes it: %s', async (_, endpoint) => {
    for (const Accept of ['*/*', 'application/*, text/*;q=0.5', 'application/problem+json', 'image/png, */*;q=0.1']) {
      const answer = await call(endpoint, { headers: { Accept } })
      expect(answer.status).not.toBe(406)
      expect(answer.status).toBeLessThan(500)
    }
  })
})

describe('an endpoint that takes a body', () => {
  test.each(named(takesBody))('answers 415 when it is not said to be JSON: %s', async (_, endpoint) => {
    const body = JSON.stringify(exampleOf(endpoint.operation))
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'json']) {
      const headers = { 'Content-Type': type }
      expectProblem(await call(endpoint, { body, headers }), 415, 'unsupported_media_type')
    }
  })

  test.each(named(takesBody))('answers 400 when it is not JSON: %s', async (_, endpoint) => {
    for (const body of ['{"a":', "{'a': 1}", 'a=1', ' ', new Uint8Array([0x22, 0xff, 0xfe, 0x22])]) {
      expectProblem(await call(endpoint, { body }), 400, 'malformed_json')
    }
  })

  test.each(named(takesBody))('answers 413 when it is over 64 KiB: %s', async (_, endpoint) => {
    const just = JSON.stringify({ x: 'x'.repeat(65_528) })
    expect(just.length).toBe(65_536)
    expect((await call(endpoint, { body: just })).status).not.toBe(413)
    expectProblem(await call(endpoint, { body: `${just} ` }), 413, 'body_too_large')
  })

  test.each(named(takesBody))('answers 422 and points at the whole when it is no object: %s', async (_, endpoint) => {
    for (const value of [[], [exampleOf(endpoint.operation)], null, 7, 'text', true]) {
      const answer = await call(endpoint, { body: JSON.stringify(value) })
      expectProblem(answer, 422, 'validation_failed')
      expect(answer.body.errors).toEqual([{ pointer: '', detail: expect.any(String) }])
    }
  })

  test.each(named(takesBody))('answers 422 and points at each member that does not fit: %s', async (_, endpoint) => {
    const names = Object.keys(exampleOf(endpoint.operation) as object) // every body is an object
    const body = Object.fromEntries(names.map((name) => [name, { deep: ['x'] }]))
    const answer = await call(endpoint, { body })
    expectProblem(answer, 422, 'validation_failed')
    const pointers = answer.body.errors.map(({ pointer }: { pointer: string }) => pointer)
    expect([...new Set(pointers)].sort()).toEqual(names.map((name) => `/${name}`).sort())
  })

  test.each(named(takesBody))('ignores members that it does not know: %s', async (_, endpoint) => {
    const known = exampleOf(endpoint.operation) as object // as above
    const [plain, more] = [
      await call(endpoint),
      await call(endpoint, { body: { ...known, owner_id: 1, is_superuser: true, nonsense: [null] } }),
    ]
    if (endpoint.operation.operationId === 'signUp') expect([201, 409]).toContain(more.status)
    else expect(more.status).toBe(plain.status)
  })
})

describe('an endpoint that takes a query', () => {
  test.each(named(takesQuery))('answers 422 and names the parameter that does not fit: %s', async (_, endpoint) => {
    const faults: [string, string][] = [
      ['limit', '0'],
      ['limit', '101'],
      ['limit', 'x'],
      ['limit', ''],
      ['cursor', 'nonsense'],
    ]
    const names = endpoint.operation.parameters?.flatMap((each) =>
      'in' in each && each.in === 'query' ? each.name : [],
    )
    const enumerated = [
      'status',
      'sort',
      'command',
      'state',
      'result',
      'from',
      'to',
      'owner_id',
      'requested_by',
      'is_staff',
    ]
    for (const name of enumerated.filter((each) => names?.includes(each))) faults.push([name, 'nonsense!'])
    for (const [name, value] of faults) {
      const answer = await call(endpoint, {}, `?${name}=${encodeURIComponent(value)}`)
      expectProblem(answer, 422, 'validation_failed')
      expect(answer.body.errors).toEqual([{ parameter: name, detail: expect.any(String) }])
    }
    const twice = await call(endpoint, {}, '?limit=1&limit=2')
    expectProblem(twice, 422, 'validation_failed')
    expect(twice.body.errors[0].parameter).toBe('limit')
  })
})

describe('an endpoint of one thing', () => {
  // The token of an outcome is for one job, so another id is answered 401 there.
  const isAnyones = (operation: Operation) => takesId(operation) && !takesOutcome(operation)
  test.each(named(isAnyones))(
    'answers 404 to an id that nothing has, and to one that is none: %s',
    async (_, endpoint) => {
      expectProblem(await call(endpoint), 404, 'not_found')
      for (const id of ['0', '-1', 'x', '1.5', '99999999999999999999', "1'--", '%00']) {
        const path = endpoint.path.replace(/\{.+?\}/, id)
        expectProblem(await call({ ...endpoint, path }), 404, 'not_found')
      }
    },
  )
})

describe('an endpoint of the courier', () => {
  test.each(named(isCourier))('answers 401 to anybody else: %s', async (_, { method, path }) => {
    const body = { job_id: randomUUID() }
    const forged = ['', 'x.y.z', createHmac('sha256', 'a key').update(JSON.stringify(body)).digest('base64url')]
    for (const signature of [undefined, ...forged]) {
      const headers = signature === undefined ? {} : { 'Upstash-Signature': signature }
      const answer = await world.request(method, path, { body, headers })
      expectProblem(answer, 401, 'bad_signature')
      expect(answer.headers.has('WWW-Authenticate')).toBe(true)
    }
  })
})
