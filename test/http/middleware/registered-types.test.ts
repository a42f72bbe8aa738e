// JSON documents with their own registered media type are served with it on request.
import { beforeAll, expect, test } from 'vitest'
import type { World } from '../../harness.ts'
import { useWorld } from '../../shared-world.ts'

let world: World
beforeAll(async () => {
  world = await useWorld()
})

test.each([
  ['/.well-known/jwks.json', 'application/jwk-set+json'],
  ['/api/openapi.json', 'application/vnd.oai.openapi+json'],
])('%s is answered as %s', async (path, registered) => {
  const asked: [string, string][] = [
    [registered, registered],
    [registered.toUpperCase(), registered],
    [`${registered};`, registered],
    [`${registered} ; q=0.5`, registered],
    [`application/xml, ${registered};q=0.1`, registered],
    [`${registered};version=3.1, application/json;q=0.9`, registered],
    [`application/json, ${registered}`, 'application/json'],
    ['application/*', 'application/json'],
    ['*/*', 'application/json'],
    ['application/problem+json', 'application/json'],
  ]
  const plain = await world.request('GET', path)
  expect(plain.headers.get('Vary')).toContain('Accept')
  for (const [Accept, type] of asked) {
    const answer = await world.request('GET', path, { headers: { Accept } })
    expect([Accept, answer.status, answer.headers.get('Content-Type')]).toEqual([Accept, 200, type])
    expect(answer.body).toEqual(plain.body)
  }
  const other = await world.request('GET', path, { headers: { Accept: 'application/pem-certificate-chain' } })
  expect(other.status).toBe(406)
})
