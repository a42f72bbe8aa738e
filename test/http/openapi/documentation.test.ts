// The OpenAPI document, served by the Worker. The pages that show it are in test/http/assets.test.ts.

import { beforeAll, describe, expect, test } from 'vitest'
import { document } from '../../contract/openapi-assertion.ts'
import type { World } from '../../harness.ts'
import { callsOf } from '../../round-trips.ts'
import { useWorld } from '../../shared-world.ts'

let world: World
beforeAll(async () => {
  world = await useWorld()
})

describe('GET /api/openapi.json', () => {
  test('serves the document with the URL of this server, without a round trip', async () => {
    const { answer, calls } = await callsOf(world, () => world.request('GET', '/api/openapi.json'))
    const { body, headers } = answer
    expect(headers.get('Content-Type')).toBe('application/json')
    expect(body.servers).toEqual([{ url: world.url, description: 'This server' }])
    expect(Object.keys(body.paths)).toEqual(Object.keys(document.paths))
    expect(calls).toEqual([])
  })

  test('answers 304 when the ETag matches', async () => {
    const { headers } = await world.request('GET', '/api/openapi.json')
    const etag = headers.get('ETag') ?? ''
    expect(etag).toMatch(/^"[\w-]+"$/)
    const again = await world.request('GET', '/api/openapi.json', { headers: { 'If-None-Match': etag } })
    expect([again.status, again.text, again.headers.get('ETag')]).toEqual([304, '', etag])
    const other = await world.request('GET', '/api/openapi.json', { headers: { 'If-None-Match': '"other"' } })
    expect(other.status).toBe(200)
  })
})
