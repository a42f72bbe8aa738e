// The static assets: the console, Swagger UI and ReDoc. The runtime serves them without the Worker, so they have no
// X-Request-Id, and their headers come from src/tools/pages/_headers.
import { globSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildWorker } from '../build.ts'
import { document } from '../contract/openapi-assertion.ts'
import { type Answer, startWorld, type World } from '../harness.ts'
import { useWorld } from '../shared-world.ts'

const consoleLimitKiB = 60
const pages = ['/', '/api/swagger', '/api/docs']
const assetsDir = join(import.meta.dirname, '../../dist/assets')

let world: World
beforeAll(async () => {
  world = await useWorld()
})

/** The files that a page names. */
function filesOf({ text }: Answer): string[] {
  return [...text.matchAll(/(?:src|href)="([^"]+)"/g)].flatMap(([, file = '']) =>
    file.includes('openapi') ? [] : [file],
  )
}

function expectWithoutWorker({ headers }: Answer): void {
  expect(headers.get('X-Request-Id')).toBeNull()
  expect(headers.get('X-Content-Type-Options')).toBe('nosniff')
  expect(headers.get('Referrer-Policy')).toBe('no-referrer')
  expect(headers.get('Permissions-Policy')).toContain('camera=()')
}

function readPolicy({ headers }: Answer): Map<string, string> {
  const directives = headers.get('Content-Security-Policy')?.split('; ') ?? []
  return new Map(
    directives.map((each): [string, string] => [each.split(' ')[0] ?? '', each.split(' ').slice(1).join(' ')]),
  )
}

describe.each(pages)('GET %s', (path) => {
  test('serves a page that loads files only from this server, without the Worker', async () => {
    const page = await world.request('GET', path)
    expect([page.status, page.headers.get('Content-Type')]).toEqual([200, 'text/html; charset=utf-8'])
    expect(page.headers.get('Cache-Control')).toBe('no-cache')
    expectWithoutWorker(page)
    const files = filesOf(page)
    expect(files.length).toBeGreaterThan(2)
    for (const file of files) {
      expect(file).toMatch(/^\/(api|console)\//)
      const answer = await world.request('GET', file)
      expect([file, answer.status]).toEqual([file, 200])
      expectWithoutWorker(answer)
    }
    // The content security policy would block inline scripts.
    expect(page.text).not.toMatch(/<script(?![^>]*\ssrc=)/)
    expect(page.text).not.toMatch(/\son\w+=/)
  })

  test('forbids eval, inline scripts, frames and everything from other hosts', async () => {
    const policy = readPolicy(await world.request('GET', path))
    expect(policy.get('default-src')).toBe("'none'")
    expect(policy.get('script-src')).toBe("'self'")
    expect(policy.get('connect-src')).toBe("'self'")
    expect(policy.get('frame-ancestors')).toBe("'none'")
    expect(policy.get('base-uri')).toBe("'none'")
    expect(policy.get('style-src')).toBe(path === '/api/docs' ? "'self' 'unsafe-inline'" : "'self'")
    const sources = [...policy.values()].flatMap((values) => values.split(' '))
    expect([...new Set(sources)].filter((source) => /[*.]|https?:|unsafe-eval/.test(source))).toEqual([])
  })

  test('answers 304 when the ETag matches, and HEAD without a body', async () => {
    const { headers, text } = await world.request('GET', path)
    const again = await world.request('GET', path, { headers: { 'If-None-Match': headers.get('ETag') ?? '' } })
    expect([again.status, again.text, text.length > 0]).toEqual([304, '', true])
    const head = await world.request('HEAD', path)
    expect([head.status, head.text, head.headers.get('ETag')]).toEqual([200, '', headers.get('ETag')])
  })

  test('index.html and a trailing slash lead to the page; POST is refused', async () => {
    const folder = path.replace(/\/$/, '')
    const others = path === '/' ? ['/index.html'] : [`${folder}/index.html`, `${folder}/`]
    for (const other of others) {
      const answer = await world.request('GET', `${other}?a=b`)
      expect([other, answer.status, answer.headers.get('Location')]).toEqual([other, 307, `${path}?a=b`])
    }
    const refused = await world.request('POST', path)
    expect([refused.status, refused.headers.get('Allow')]).toEqual([405, 'GET, HEAD'])
  })

  test('an unknown file is a 404 problem of the Worker', async () => {
    const folder = path === '/' ? '/console' : path
    for (const file of [
      'nothing.js',
      '..%2f..%2fpackage.json',
      '%2e%2e%2f_headers',
      'start.js%00',
      'main-00000000.js',
    ]) {
      const answer = await world.request('GET', `${folder}/${file}`)
      expect([file, answer.status, answer.body.code]).toEqual([file, 404, 'not_found'])
      expect(answer.headers.get('X-Request-Id')).toBeTruthy()
    }
    expect((await world.request('GET', '/_headers')).body.code).toBe('not_found')
  })
})

describe('the console', () => {
  test('is at most 60 KiB, in files that never change under their name', async () => {
    const page = await world.request('GET', '/')
    const names = filesOf(page)
    expect(names.map((name) => name.replace(/-[A-Z0-9]{8}\./, '.')).toSorted()).toEqual(
      ['icon.svg', 'main.css', 'main.js'].map((name) => `/console/${name}`),
    )
    const answers = await Promise.all(names.map((name) => world.request('GET', name)))
    for (const { headers } of answers) {
      expect(headers.get('Cache-Control')).toBe('public, max-age=31536000, immutable')
    }
    const bytes = [page, ...answers].map(({ text }) => gzipSync(text, { level: 9 }).length)
    expect(bytes.reduce((sum, each) => sum + each, 0)).toBeLessThanOrEqual(consoleLimitKiB * 1024)
    // The page names every file that the build has written: nothing else is loaded later.
    const built = globSync('console/**/*', { cwd: assetsDir, withFileTypes: true }).filter((entry) => entry.isFile())
    expect(built.map(({ name }) => `/console/${name}`).toSorted()).toEqual(names.toSorted())
  })

  test('has no inline styles, and answers programs with links to the API', async () => {
    const { text, headers } = await world.request('GET', '/', { headers: { Accept: 'application/json' } })
    expect(text).not.toMatch(/<style|\sstyle=/)
    expect(headers.get('Link')).toContain('</api/openapi.json>; rel="service-desc"')
  })
})

describe('run_worker_first', () => {
  test('names every path of the API and no file, so that no request of the API searches for a file', async () => {
    const assets: { run_worker_first?: string[] } = (await buildWorker()).options.assets ?? {}
    const rules = assets.run_worker_first ?? []
    const patterns = rules.map((rule) => new RegExp(`^${rule.replaceAll('.', '\\.').replaceAll('*', '.*')}$`))
    const isNamed = (path: string) => patterns.some((pattern) => pattern.test(path))
    const old = ['/api/sign-in', '/api/log-in', '/api/user/machines/history']
    expect([...Object.keys(document.paths), ...old].filter((path) => !isNamed(path))).toEqual([])
    const files = globSync('**/*', { cwd: assetsDir }).map((path) => `/${path}`)
    expect(files.length).toBeGreaterThan(10)
    expect([...files, ...pages].filter(isNamed)).toEqual([])
  })
})

describe('a Worker that was deployed without the assets', () => {
  let bare: World
  beforeAll(async () => {
    bare = await startWorld({ hasAssets: false })
  })
  afterAll(() => bare?.close())

  test('answers 404 for the pages, and everything else works', async () => {
    for (const path of [...pages, '/api/swagger/start.js']) {
      const answer = await bare.request('GET', path)
      expect([path, answer.status, answer.body.code]).toEqual([path, 404, 'not_found'])
    }
    expect((await bare.request('GET', '/api/openapi.json')).status).toBe(200)
    expect((await (await bare.signUp()).request('GET', '/api/me')).status).toBe(200)
  })
})
