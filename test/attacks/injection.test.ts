// Text with a special meaning for a later reader: PostgreSQL, JSON, headers, the log, cursors.
import { beforeAll, describe, expect, test } from 'vitest'
import type { Person, World } from '../harness.ts'
import { useWorld } from '../shared-world.ts'

let world: World
let person: Person
beforeAll(async () => {
  world = await useWorld()
  person = await world.signUp()
})

const statements = [
  "'; DROP TABLE machines; --",
  "' OR '1'='1",
  '$1; SELECT pg_sleep(10)',
  "\\'; DELETE FROM accounts; --",
  '{{7*7}} %s %n',
]

describe('SQL', () => {
  test.each(statements)('in names, queries, ids and keys is only text: %s', async (text) => {
    const body = { name: text, location: text }
    const created = await person.request('POST', '/api/machines', { body })
    expect([created.status, created.body.name, created.body.location]).toEqual([201, text, text])
    const found = await person.request('GET', `/api/machines?q=${encodeURIComponent(text)}`)
    expect(found.body.items.map(({ id }: { id: number }) => id)).toContain(created.body.id)
    const queries = [
      `status=${encodeURIComponent(text)}`,
      `sort=${encodeURIComponent(text)}`,
      `owner_id=${encodeURIComponent(text)}`,
    ]
    for (const query of queries) expect((await person.request('GET', `/api/machines?${query}`)).status).toBe(422)
    expect((await person.request('GET', `/api/machines/${encodeURIComponent(text)}`)).status).toBe(404)
    expect((await person.request('GET', `/api/jobs/${encodeURIComponent(text)}`)).status).toBe(404)
    const logIn = await world.request('POST', '/api/log-in', { body: { username: text, password: text } })
    expect(logIn.status).toBe(401)
  })

  test('the wildcards of LIKE are ordinary characters', async () => {
    await person.request('POST', '/api/machines', { body: { name: 'percent', location: 'Hall 9' } })
    const { body } = await person.request('GET', '/api/machines?q=p%25t')
    expect(body.items).toEqual([])
  })
})

describe('a body', () => {
  const send = (body: string) => person.request('POST', '/api/machines', { body })

  test('with NUL or a lone surrogate in a text is answered 422 with a pointer', async () => {
    for (const name of ['a\\u0000b', 'a\\ud800b', '\\udfff']) {
      const answer = await send(`{"name":"${name}","location":"Hall 1"}`)
      expect([answer.status, answer.body.errors?.[0]?.pointer]).toEqual([422, '/name'])
    }
  })

  test('with numbers out of range is answered 422', async () => {
    for (const number of ['1e308', '1e999', '-1e308', '9007199254740993', '0.1']) {
      expect((await send(`{"name":"n","location":"l","status":${number}}`)).status).toBe(422)
      const operation = `{"command":"START","expires_in":${number}}`
      expect((await person.request('POST', '/api/machines/1/operation', { body: operation })).status).toBe(422)
    }
  })

  test('nested 10,000 levels deep is answered, and the Worker keeps running', async () => {
    const deep = `${'['.repeat(10_000)}${']'.repeat(10_000)}`
    expect([400, 422]).toContain((await send(deep)).status)
    expect((await send(`{"name":"n","location":"l","id":${deep}}`)).status).toBe(201)
    expect((await send(`{"name":"n","location":"l","more":${deep}}`)).status).toBe(422)
    expect((await person.request('GET', '/api/me')).status).toBe(200)
  })

  test('with the same member twice uses only the last one', async () => {
    const answer = await send('{"name":"first","name":"second","location":"l"}')
    expect([answer.status, answer.body.name]).toEqual([201, 'second'])
  })

  test('with __proto__ and constructor does not pollute prototypes', async () => {
    const polluted = '"__proto__":{"is_staff":true,"owner_id":1},"constructor":{"prototype":{"is_staff":true}}'
    const answer = await send(`{"name":"n","location":"l",${polluted}}`)
    expect(answer.status).toBe(422)
    expect((await person.request('GET', '/api/me')).body.is_staff).toBe(false)
    expect((await person.request('GET', '/api/accounts')).status).toBe(403)
  })
})

describe('a header', () => {
  test('of an answer cannot be injected through a name', async () => {
    const evil = 'x\r\nSet-Cookie: owned=1\r\n\r\n<script>'
    const created = await person.request('POST', '/api/machines', { body: { name: evil, location: evil } })
    expect([created.status, created.headers.get('Set-Cookie')]).toEqual([201, null])
    const page = await person.request('GET', `/api/machines?limit=1&q=${encodeURIComponent('\r\nSet-Cookie: owned=1')}`)
    expect([page.status, page.headers.get('Set-Cookie')]).toEqual([200, null])
    expect(page.headers.get('Link') ?? '').not.toMatch(/[\r\n]|Set-Cookie: /)
  })

  test('of a redirect cannot be injected through a query, nor point to another host', async () => {
    const answer = await world.request('GET', '/api/log-in?x=%0d%0aSet-Cookie:%20owned=1&next=//evil.example')
    expect([answer.status, answer.headers.get('Set-Cookie')]).toEqual([308, null])
    expect(answer.headers.get('Location')).toMatch(/^\/api\/me(\?|$)/)
  })

  test('cannot set the request id: X-Request-Id is generated', async () => {
    const answer = await person.request('GET', '/api/me', { headers: { 'X-Request-Id': 'mine' } })
    expect(answer.headers.get('X-Request-Id')).not.toBe('mine')
  })
})

test('the log has one line per request, whatever a path, a name or a header contains', async () => {
  const forged = '"}\n{"channel":"api","path":"/forged","status":200}'
  const before = world.logs().length
  await world.request('GET', `/api/${encodeURIComponent(forged)}`, { headers: { 'User-Agent': 'x","status":200' } })
  await world.request('POST', '/api/log-in', { body: { username: forged, password: forged } })
  const lines = world.logs().slice(before)
  expect(lines.filter(({ channel }) => channel === 'api')).toHaveLength(2)
  expect(lines.some(({ path }) => path === '/forged')).toBe(false)
})

test('the log contains no secret of a request', async () => {
  const before = world.logs().length
  const password = 'a-password-for-the-log-to-leak'
  await world.request('POST', '/api/log-in', { body: { username: person.username, password } })
  await world.request('POST', '/api/token/refresh', { body: { refresh: person.refresh.replace(/.$/, 'x') } })
  await person.request('GET', '/api/me?token=a-token-in-the-query')
  const text = JSON.stringify(world.logs().slice(before))
  for (const secret of [password, person.access, person.refresh, 'a-token-in-the-query'])
    expect(text).not.toContain(secret)
})
