// The pages of the problem types.
import { createHash } from 'node:crypto'
import { beforeAll, expect, test } from 'vitest'
import { errorCodes, errorKinds } from '../../../src/kernel/error-codes.ts'
import type { World } from '../../harness.ts'
import { useWorld } from '../../shared-world.ts'

const browser = { Accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' }

let world: World
beforeAll(async () => {
  world = await useWorld()
})

test('the type of a problem is the URL of its page', async () => {
  const { body: problem } = await world.request('GET', '/api/nothing')
  const { status, body } = await world.request('GET', problem.type)
  expect(status).toBe(200)
  expect(body).toMatchObject({
    code: 'not_found',
    type: problem.type,
    title: problem.title,
    status: 404,
    retry_helps: false,
  })
})

test.each(errorCodes)('every code has a page as JSON and as HTML: %s', async (code) => {
  const json = await world.request('GET', `/api/problems/${code}`)
  const { isRetryable, ...kind } = errorKinds[code]
  expect(json.body).toMatchObject({ code, ...kind, retry_helps: isRetryable })
  expect(json.headers.get('Vary')).toContain('Accept')
  const html = await world.request('GET', `/api/problems/${code}/`, { headers: browser })
  expect(html.headers.get('Content-Type')).toMatch(/^text\/html; charset=utf-8$/i)
  expect(html.text).toContain(`<code>${code}</code>`)
  expect(html.text).toContain(json.body.title.replaceAll('"', '&quot;'))
  expect(html.text).not.toContain('<script')
})

test('the content security policy allows only the style of the page', async () => {
  const { headers, text } = await world.request('GET', '/api/problems/job_open', { headers: browser })
  const style = /<style>([\s\S]*?)<\/style>/.exec(text)?.[1] ?? ''
  const hash = createHash('sha256').update(style).digest('base64')
  expect(headers.get('Content-Security-Policy')).toMatch(/^default-src 'none'; style-src 'sha256-[^']+';/)
  expect(headers.get('Content-Security-Policy')).toContain(`'sha256-${hash}'`)
  expect(headers.get('X-Content-Type-Options')).toBe('nosniff')
})

test('the list names every code, as JSON and as HTML', async () => {
  const { body } = await world.request('GET', '/api/problems')
  expect(body.items.map(({ code }: { code: string }) => code).sort()).toEqual([...errorCodes].sort())
  const { text } = await world.request('GET', '/api/problems/', { headers: browser })
  for (const code of errorCodes) expect(text).toContain(`href="/api/problems/${code}"`)
})

test.each(['nothing', 'toString', '__proto__', 'JOB_OPEN', '%3Cb%3E'])(
  'an unknown code is answered with a problem: %s',
  async (code) => {
    const answer = await world.request('GET', `/api/problems/${code}`, { headers: browser })
    expect(answer.status).toBe(404)
    expect(answer.body.code).toBe('not_found')
  },
)
