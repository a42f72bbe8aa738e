// The common rules of paths, methods and negotiation, for every endpoint: the cases are made from the document.
import { beforeAll, describe, expect, test } from 'vitest'
import {
  type EndpointWorld,
  endpoints,
  expectProblem,
  fill,
  isQueue,
  named,
  takesOutcome,
  useEndpointWorld,
} from './endpoints.ts'
import { document, type Operation } from './openapi-assertion.ts'

let here: EndpointWorld
beforeAll(async () => {
  here = await useEndpointWorld()
})

describe('a path', () => {
  const paths = Object.keys(document.paths)

  test.each(paths)(
    'answers 405 with Allow for unknown methods, and lists the allowed methods for OPTIONS: %s',
    async (path) => {
      const options = await here.world.request('OPTIONS', fill(path))
      expect(options.status).toBe(204)
      const allow = options.headers.get('Allow')?.split(', ') ?? []
      const verbs = Object.keys(document.paths[path] ?? {}).map((verb) => verb.toUpperCase())
      if (path === '/api/log-in') verbs.push('GET') // an old route, which is not in the document
      expect(allow).toEqual([...verbs, ...(verbs.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].toSorted())
      const unknown = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'].filter((method) => !allow.includes(method))
      expect(unknown).not.toEqual([])
      for (const method of unknown) {
        const answer = await here.world.request(method, fill(path))
        expectProblem(answer, 405, 'method_not_allowed')
        expect(answer.headers.get('Allow')?.split(', ')).toEqual(allow)
      }
      if (!allow.includes('GET')) {
        const head = await here.world.request('HEAD', fill(path))
        expect([head.status, head.text]).toEqual([405, ''])
      }
    },
  )

  test('without parameters is not matched by the pattern of another path', async () => {
    for (const method of ['PUT', 'PATCH', 'DELETE', 'POST']) {
      const headers = { Accept: 'image/png' } // a client that accepts none of our types still gets the problem
      const answer = await here.world.request(method, '/api/machines/history/', { body: {}, headers })
      expectProblem(answer, 405, 'method_not_allowed')
      expect(answer.headers.get('Allow')).toBe('GET, HEAD, OPTIONS')
    }
  })

  // The notation of a router is ordinary text in a request.
  test.each(paths.filter((path) => path.includes('{')))(
    'treats “:id” like any other text in place of an id: %s',
    async (path) => {
      for (const [verb, operation] of Object.entries(document.paths[path] ?? {})) {
        const endpoint = { method: verb.toUpperCase(), operation, path }
        const other = await here.call({ ...endpoint, path: fill(path, 'nothing') })
        const literal = await here.call({ ...endpoint, path: path.replace(/\{(.+?)\}/, ':$1') })
        expect([literal.status, literal.body?.code]).toEqual([other.status, other.body?.code])
      }
    },
  )

  test.each(paths)('may end with a slash: %s', async (path) => {
    for (const [verb, operation] of Object.entries(document.paths[path] ?? {})) {
      const endpoint = { method: verb.toUpperCase(), operation, path }
      const [bare, slashed] = [await here.call(endpoint), await here.call({ ...endpoint, path: `${path}/` })]
      // Only the first of two equal sign-ups succeeds.
      if (operation.operationId === 'signUp') expect([201, 409]).toContain(slashed.status)
      else expect([slashed.status, slashed.body?.code]).toEqual([bare.status, bare.body?.code])
    }
  })

  test.each(['/nothing', '/api', '/api/nothing', '/api/machines/1/nothing', '/api//machines', '/%E0%A4%A'])(
    'that does not exist is answered with a 404 problem for any method: %s',
    async (path) => {
      for (const method of ['GET', 'POST', 'DELETE', 'OPTIONS']) {
        expectProblem(await here.world.request(method, path), 404, 'not_found')
      }
    },
  )
})

describe('GET', () => {
  const gets = endpoints.filter(({ method }) => method === 'GET').map((each) => [each.path, each] as const)
  test.each(gets)('and HEAD answer the same, but HEAD without a body: %s', async (_, endpoint) => {
    const get = await here.call(endpoint)
    const head = await here.call({ ...endpoint, method: 'HEAD' })
    expect(head.status).toBe(get.status)
    expect(head.text).toBe('')
    expect(head.headers.get('Content-Type')).toBe(get.headers.get('Content-Type'))
  })
})

describe('an endpoint', () => {
  const isCallback = (operation: Operation) => takesOutcome(operation) || isQueue(operation)
  test.each(named((operation) => !isCallback(operation)))(
    'answers 406 when Accept matches none of its types: %s',
    async (_, endpoint) => {
      for (const Accept of [
        'image/png',
        'application/json;q=0, text/html;q=0, application/problem+json;q=0',
        'text/csv',
      ]) {
        expectProblem(await here.call(endpoint, { headers: { Accept } }), 406, 'not_acceptable')
      }
    },
  )

  test.each(named(isCallback))('does not read the Accept of a callback: %s', async (_, endpoint) => {
    const [plain, odd] = [await here.call(endpoint), await here.call(endpoint, { headers: { Accept: 'image/png' } })]
    expect([odd.status, odd.body?.code]).toEqual([plain.status, plain.body?.code])
  })

  test.each(named(() => true))('answers as usual when Accept matches: %s', async (_, endpoint) => {
    for (const Accept of ['*/*', 'application/*, text/*;q=0.5', 'application/problem+json', 'image/png, */*;q=0.1']) {
      const answer = await here.call(endpoint, { headers: { Accept } })
      expect(answer.status).not.toBe(406)
      expect(answer.status).toBeLessThan(500)
    }
  })
})
