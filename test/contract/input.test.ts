// The common rules of bodies, queries and ids, for every endpoint: the cases are made from the document.
import { gzipSync } from 'node:zlib'
import { beforeAll, describe, expect, test } from 'vitest'
import {
  type EndpointWorld,
  exampleOf,
  expectProblem,
  isQueue,
  named,
  takesBody,
  takesId,
  takesKeyOnly,
  takesOutcome,
  takesQuery,
  useEndpointWorld,
} from './endpoints.ts'
import { document, type Operation } from './openapi-assertion.ts'

type BodySchema = { additionalProperties?: boolean; properties?: Record<string, { readOnly?: boolean }> }

function schemaOf({ requestBody }: Operation): BodySchema {
  const schema = requestBody?.content['application/json']?.schema ?? {}
  if (!('$ref' in schema)) return schema
  const name = String(schema.$ref).replace(/^.*\//, '')
  return document.components.schemas[name] as BodySchema // every body is an object
}

const readOnlyMembers = (operation: Operation) =>
  Object.entries(schemaOf(operation).properties ?? {}).flatMap(([name, { readOnly }]) => (readOnly ? [name] : []))
/** Reports of controllers are read leniently: test/jobs/outcome.test.ts. */
const isStrict = (operation: Operation) => takesBody(operation) && !takesOutcome(operation)
/** Nor does a fault in the text of a machine's report cost it: test/jobs/reports.test.ts. */
const hasLenientText = (operation: Operation) => takesOutcome(operation) || takesKeyOnly(operation)
const isStrictText = (operation: Operation) => isStrict(operation) && !takesKeyOnly(operation)

let here: EndpointWorld
beforeAll(async () => {
  here = await useEndpointWorld()
})

describe('an endpoint that takes a body', () => {
  test.each(named(isStrictText))('answers 415 without a JSON content type: %s', async (_, endpoint) => {
    const body = JSON.stringify(exampleOf(endpoint.operation))
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'json']) {
      const headers = { 'Content-Type': type }
      expectProblem(await here.call(endpoint, { body, headers }), 415, 'unsupported_media_type')
    }
  })

  test.each(named(isStrictText))(
    'answers 415 and names the unsupported content type or encoding: %s',
    async (_, endpoint) => {
      const body = JSON.stringify(exampleOf(endpoint.operation))
      const patch: [Record<string, string>, string | Uint8Array, RegExp] = [
        { 'Content-Type': 'application/json-patch+json' },
        '[{"op":"replace","path":"/name","value":"x"}]',
        /JSON Patch.*application\/json.*application\/merge-patch\+json/,
      ]
      const refused = [
        patch,
        [{ 'Content-Encoding': 'gzip' }, gzipSync(body), /Content-Encoding: gzip/],
        [{ 'Content-Type': 'application/json; charset=EUC-KR' }, body, /UTF-8.*charset=euc-kr/],
        [{ 'Content-Type': 'application/json;charset="utf-16"' }, body, /UTF-8.*charset=utf-16/],
      ] as const
      for (const [headers, sent, detail] of refused) {
        const answer = await here.call(endpoint, { body: sent, headers })
        expectProblem(answer, 415, 'unsupported_media_type')
        expect(answer.body.detail).toMatch(detail)
        expect(answer.headers.get('Accept-Encoding')).toBe('Content-Encoding' in headers ? 'identity' : null)
      }
    },
  )

  test.each(named(isStrictText))('answers 400 and names UTF-8 for another encoding: %s', async (_, endpoint) => {
    const text = JSON.stringify(exampleOf(endpoint.operation))
    const bodies = [
      Buffer.from(text, 'utf16le'),
      Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, 'utf16le')]),
      Buffer.concat([Buffer.from('{"name":"'), Buffer.from([0xbb, 0xe7, 0xc3, 0xe2, 0xb1, 0xe2]), Buffer.from('"}')]), // 사출기 in EUC-KR
    ]
    for (const body of bodies) {
      const answer = await here.call(endpoint, { body: new Uint8Array(body) })
      expectProblem(answer, 400, 'malformed_json')
      expect(answer.body.detail).toBe('The body is not UTF-8. Send the text in UTF-8.')
    }
  })

  test.each(named(takesBody))('accepts every spelling of the JSON content type: %s', async (_, endpoint) => {
    const plain = await here.call(endpoint)
    const types = [
      'Application/JSON',
      'application/json;charset=utf-8',
      'application/json ; charset="UTF-8"',
      'application/json ; charset=utf-8 ; ',
      'application/json;',
      'application/json ; ;',
      'application/json;charset=',
      "application/json; charset='utf-8'",
      'application/json;odata.metadata=minimal',
      'application/json; charset=us-ascii',
      'application/json; profile="a; charset=utf-16"; charset=utf-8',
      'application/merge-patch+json',
      'application/vnd.api2+json',
    ]
    for (const type of types) {
      const answer = await here.call(endpoint, { headers: { 'Content-Type': type, 'Content-Encoding': 'identity' } })
      if (endpoint.operation.operationId === 'signUp') expect([201, 409]).toContain(answer.status)
      else expect([type, answer.status]).toEqual([type, plain.status])
    }
  })

  test.each(named(takesBody))('answers 400 when it is not JSON: %s', async (_, endpoint) => {
    for (const body of ['{"a":', "{'a': 1}", 'a=1', ' ', new Uint8Array([0x7b, 0xff, 0xfe, 0x7d])]) {
      expectProblem(await here.call(endpoint, { body }), 400, 'malformed_json')
    }
  })

  test.each(named(hasLenientText))('answers 415 to a compressed report: %s', async (_, endpoint) => {
    const body = new Uint8Array(gzipSync(JSON.stringify(exampleOf(endpoint.operation))))
    const answer = await here.call(endpoint, { body, headers: { 'Content-Encoding': 'gzip' } })
    expectProblem(answer, 415, 'unsupported_media_type')
  })

  test.each(named(takesBody))('answers 413 when it is over 64 KiB: %s', async (_, endpoint) => {
    const just = JSON.stringify({ x: 'x'.repeat(65_528) })
    expect(just.length).toBe(65_536)
    expect((await here.call(endpoint, { body: just })).status).not.toBe(413)
    expectProblem(await here.call(endpoint, { body: `${just} ` }), 413, 'body_too_large')
  })

  test.each(named(takesBody))(
    'answers 422 with a pointer to the whole body when it is not an object: %s',
    async (_, endpoint) => {
      for (const value of [[], [exampleOf(endpoint.operation)], null, 7, 'text', true]) {
        const answer = await here.call(endpoint, { body: JSON.stringify(value) })
        expectProblem(answer, 422, 'validation_failed')
        expect(answer.body.errors).toEqual([{ pointer: '', detail: expect.stringMatching(/./) }])
      }
    },
  )

  test.each(named(isStrict))('answers 422 with a pointer to each invalid member: %s', async (_, endpoint) => {
    const names = Object.keys(exampleOf(endpoint.operation) as object) // every body is an object
    const body = Object.fromEntries(names.map((name) => [name, { deep: ['x'] }]))
    const answer = await here.call(endpoint, { body })
    expectProblem(answer, 422, 'validation_failed')
    // The faults of a member that is an object itself are inside of it.
    const pointers = answer.body.errors.map(({ pointer }: { pointer: string }) => `/${pointer.split('/')[1]}`)
    expect([...new Set(pointers)].sort()).toEqual(names.map((name) => `/${name}`).sort())
  })

  test.each(named(isStrict))('answers 422 and names each unknown member: %s', async (_, endpoint) => {
    const known = exampleOf(endpoint.operation) as object // as above
    const body = JSON.stringify({ ...known, is_superuser: true, 'a/b~c': [null], PLACE: {} }).replace(
      'PLACE',
      '__proto__',
    )
    const answer = await here.call(endpoint, { body })
    expectProblem(answer, 422, 'validation_failed')
    const detail = 'is not a member of this body'
    const pointers = ['/is_superuser', '/a~1b~0c', '/__proto__']
    expect(answer.body.errors).toEqual(pointers.map((pointer) => ({ pointer, detail })))
  })

  test.each(named(isStrict))('accepts only the members in the document: %s', (_, { operation }) => {
    expect(schemaOf(operation).additionalProperties).toBe(false)
  })

  test.each(named((operation) => readOnlyMembers(operation).length > 0))(
    'ignores read-only members with any value: %s',
    async (_, endpoint) => {
      const known = exampleOf(endpoint.operation) as object // as above
      const plain = await here.call(endpoint)
      for (const value of [7, 'text', null, { deep: ['x'] }]) {
        const shown = Object.fromEntries(readOnlyMembers(endpoint.operation).map((name) => [name, value]))
        const answer = await here.call(endpoint, { body: { ...shown, ...known } })
        expect([answer.status, answer.body?.code]).toEqual([plain.status, plain.body?.code])
      }
    },
  )

  test.each(named(takesOutcome))('accepts additional members from a controller: %s', async (_, endpoint) => {
    const known = exampleOf(endpoint.operation) as object // as above
    const plain = await here.call(endpoint, {}, '')
    const more = await here.call(endpoint, { body: { ...known, firmware: '1.2' } }, '?firmware=1.2')
    expect([more.status, more.body.code]).toEqual([plain.status, plain.body.code])
  })
})

describe('an endpoint', () => {
  const isOurs = (operation: Operation) => !isQueue(operation) && !takesOutcome(operation)
  test.each(named(isOurs))('answers 422 and names each unknown query parameter: %s', async (_, endpoint) => {
    const answer = await here.call(endpoint, {}, '?nonsense=1&Limit=2&nonsense=3')
    expectProblem(answer, 422, 'validation_failed')
    const names = (endpoint.operation.parameters ?? []).flatMap((each) =>
      'in' in each && each.in === 'query' ? [each.name] : [],
    )
    const detail = `is not a parameter of this path; it takes ${names.join(', ') || 'none'}`
    const errors = ['nonsense', 'Limit'].map((parameter) => ({ parameter, detail }))
    expect(answer.body.errors).toEqual(errors)
  })
})

describe('an endpoint that takes a query', () => {
  test.each(named(takesQuery))('answers 422 and names the invalid parameter: %s', async (_, endpoint) => {
    const faults: [string, string][] = [
      ['limit', '0'],
      ['limit', '501'],
      ['limit', 'x'],
      ['limit', ''],
      ['cursor', 'nonsense'],
    ]
    for (const parameter of endpoint.operation.parameters ?? []) {
      const isQuery = 'in' in parameter && parameter.in === 'query'
      // A search text may be any text.
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

describe('an endpoint with an id', () => {
  // An outcome token is for one job, so another id is answered 401.
  const isAnyones = (operation: Operation) => takesId(operation) && !takesOutcome(operation)
  test.each(named(isAnyones))('answers 404 for an unknown id and for an invalid id: %s', async (_, endpoint) => {
    expectProblem(await here.call(endpoint), 404, 'not_found')
    for (const id of ['0', '-1', 'x', '1.5', '99999999999999999999', "1'--", '%00']) {
      const path = endpoint.path.replace(/\{.+?\}/, id)
      expectProblem(await here.call({ ...endpoint, path }), 404, 'not_found')
    }
  })
})
