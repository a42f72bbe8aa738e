// The OpenAPI document and its pages, served by the Worker.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { document } from '../../contract/openapi-assertion.ts'
import { startWorld, type World } from '../../harness.ts'
import { useWorld } from '../../shared-world.ts'

let world: World
beforeAll(async () => {
  world = await useWorld()
})

describe('GET /api/openapi.json', () => {
  test('serves the document with the URL of this server, without a round trip', async () => {
    const before = world.exchanges.length
    const { body, headers } = await world.request('GET', '/api/openapi.json')
    expect(headers.get('Content-Type')).toBe('application/json')
    expect(body.servers).toEqual([{ url: world.url, description: 'This server' }])
    expect(Object.keys(body.paths)).toEqual(Object.keys(document.paths))
    expect(world.exchanges.length).toBe(before)
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

describe.each(['/api/swagger', '/api/docs'])('GET %s', (path) => {
  test('serves a page that loads files only from this server', async () => {
    const { status, headers, text } = await world.request('GET', path)
    expect(status).toBe(200)
    expect(headers.get('Content-Type')).toMatch(/^text\/html/)
    const files = [...text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, file]) => file ?? '')
    expect(files.length).toBeGreaterThan(2)
    for (const file of files) {
      expect(file).toMatch(/^\/api\//)
      const answer = await world.request('GET', file)
      expect([file, answer.status]).toEqual([file, 200])
      expect(answer.headers.get('X-Request-Id')).toBeTruthy()
      expect(answer.headers.get('X-Content-Type-Options')).toBe('nosniff')
    }
    // The content security policy would block inline scripts.
    expect(text).not.toMatch(/<script(?![^>]*\ssrc=)/)
    expect(text).not.toMatch(/\son\w+=/)
  })

  test('forbids eval and scripts from other hosts', async () => {
    const policy = (await world.request('GET', `${path}/`)).headers.get('Content-Security-Policy')
    expect(policy).toContain("default-src 'none'; script-src 'self';")
    expect(policy).toContain("connect-src 'self'")
    expect(policy).not.toContain('unsafe-eval')
  })

  test('answers 304 when the ETag matches, and a 404 problem for an unknown file', async () => {
    const { headers } = await world.request('GET', path)
    const again = await world.request('GET', path, { headers: { 'If-None-Match': headers.get('ETag') ?? '' } })
    expect([again.status, again.text]).toEqual([304, ''])
    for (const file of ['nothing.js', '..%2f..%2fpackage.json', '%2e%2e', 'index.html', 'start.js%00']) {
      const answer = await world.request('GET', `${path}/${file}`)
      expect([file, answer.status, answer.body.code]).toEqual([file, 404, 'not_found'])
    }
  })
})

describe('a Worker that was deployed without the pages', () => {
  let bare: World
  beforeAll(async () => {
    bare = await startWorld({ hasAssets: false })
  })
  afterAll(() => bare?.close())

  test('answers 404 for the pages, and everything else works', async () => {
    for (const path of ['/api/swagger', '/api/docs', '/api/swagger/start.js']) {
      const answer = await bare.request('GET', path)
      expect([path, answer.status, answer.body.code]).toEqual([path, 404, 'not_found'])
      expect(answer.body.detail).toContain('deployed without')
    }
    expect((await bare.request('GET', '/api/openapi.json')).status).toBe(200)
    expect((await (await bare.signUp()).request('GET', '/api/me')).status).toBe(200)
  })
})
