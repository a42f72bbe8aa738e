// The common rules of bodies, queries and ids, for every endpoint: the cases are made from the document.
import { beforeAll, describe, expect, test } from 'vitest'
import {
  type EndpointWorld,
  exampleOf,
  expectProblem,
  named,
  takesBody,
  takesId,
  takesOutcome,
  takesQuery,
  useEndpointWorld,
} from './endpoints.ts'
import type { Operation } from './openapi-assertion.ts'

let here: EndpointWorld
beforeAll(async () => {
  here = await useEndpointWorld()
})

describe('an endpoint that takes a body', () => {
  test.each(named(takesBody))('answers 415 when it is not said to be JSON: %s', async (_, endpoint) => {
    const body = JSON.stringify(exampleOf(endpoint.operation))
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'json']) {
      const headers = { 'Content-Type': type }
      expectProblem(await here.call(endpoint, { body, headers }), 415, 'unsupported_media_type')
    }
  })

  test.each(named(takesBody))('takes JSON however its type is spelled: %s', async (_, endpoint) => {
    const plain = await here.call(endpoint)
    for (const type of ['Application/JSON', 'application/json;charset=utf-8', 'application/merge-patch+json']) {
      const answer = await here.call(endpoint, { headers: { 'Content-Type': type } })
      if (endpoint.operation.operationId === 'signUp') expect([201, 409]).toContain(answer.status)
      else expect([type, answer.status]).toEqual([type, plain.status])
    }
  })

  test.each(named(takesBody))('answers 400 when it is not JSON: %s', async (_, endpoint) => {
    for (const body of ['{"a":', "{'a': 1}", 'a=1', ' ', new Uint8Array([0x22, 0xff, 0xfe, 0x22])]) {
      expectProblem(await here.call(endpoint, { body }), 400, 'malformed_json')
    }
  })

  test.each(named(takesBody))('answers 413 when it is over 64 KiB: %s', async (_, endpoint) => {
    const just = JSON.stringify({ x: 'x'.repeat(65_528) })
    expect(just.length).toBe(65_536)
    expect((await here.call(endpoint, { body: just })).status).not.toBe(413)
    expectProblem(await here.call(endpoint, { body: `${just} ` }), 413, 'body_too_large')
  })

  test.each(named(takesBody))('answers 422 and points at the whole when it is no object: %s', async (_, endpoint) => {
    for (const value of [[], [exampleOf(endpoint.operation)], null, 7, 'text', true]) {
      const answer = await here.call(endpoint, { body: JSON.stringify(value) })
      expectProblem(answer, 422, 'validation_failed')
      expect(answer.body.errors).toEqual([{ pointer: '', detail: expect.stringMatching(/./) }])
    }
  })

  test.each(named(takesBody))('answers 422 and points at each member that does not fit: %s', async (_, endpoint) => {
    const names = Object.keys(exampleOf(endpoint.operation) as object) // every body is an object
    const body = Object.fromEntries(names.map((name) => [name, { deep: ['x'] }]))
    const answer = await here.call(endpoint, { body })
    expectProblem(answer, 422, 'validation_failed')
    const pointers = answer.body.errors.map(({ pointer }: { pointer: string }) => pointer)
    expect([...new Set(pointers)].sort()).toEqual(names.map((name) => `/${name}`).sort())
  })

  test.each(named(takesBody))('ignores members that it does not know: %s', async (_, endpoint) => {
    const known = exampleOf(endpoint.operation) as object // as above
    const [plain, more] = [
      await here.call(endpoint),
      await here.call(endpoint, { body: { ...known, owner_id: 1, is_superuser: true, nonsense: [null] } }),
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
    for (const parameter of endpoint.operation.parameters ?? []) {
      const isQuery = 'in' in parameter && parameter.in === 'query'
      // A text to look for may be any text.
      if (isQuery && parameter.name !== 'q') faults.push([parameter.name, 'nonsense!'])
    }
    for (const [name, value] of faults) {
      const answer = await here.call(endpoint, {}, `?${name}=${encodeURIComponent(value)}`)
      expectProblem(answer, 422, 'validation_failed')
      expect(answer.body.errors).toEqual([{ parameter: name, detail: expect.any(String) }])
    }
    const twice = await here.call(endpoint, {}, '?limit=1&limit=2')
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
      expectProblem(await here.call(endpoint), 404, 'not_found')
      for (const id of ['0', '-1', 'x', '1.5', '99999999999999999999', "1'--", '%00']) {
        const path = endpoint.path.replace(/\{.+?\}/, id)
        expectProblem(await here.call({ ...endpoint, path }), 404, 'not_found')
      }
    },
  )
})
