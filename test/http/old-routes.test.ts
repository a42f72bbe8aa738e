// The old system's paths answer 308.
import { beforeAll, expect, test } from 'vitest'
import type { World } from '../harness.ts'
import { useWorld } from '../shared-world.ts'

let world: World
beforeAll(async () => {
  world = await useWorld()
})

test.each([
  ['POST', '/api/sign-in', '/api/log-in'],
  ['POST', '/api/sign-in/', '/api/log-in'],
  ['GET', '/api/log-in', '/api/me'],
  ['GET', '/api/log-in/', '/api/me'],
  ['GET', '/api/user/machines/history', '/api/machines/history'],
  ['GET', '/api/user/machines/history/', '/api/machines/history'],
  [
    'GET',
    '/api/user/machines/history?limit=2&state=FAILED&cursor=a%2Fb',
    '/api/machines/history?limit=2&state=FAILED&cursor=a%2Fb',
  ],
])('%s %s redirects to %s', async (method, path, location) => {
  const answer = await world.request(method, path, method === 'POST' ? { body: { username: 'x' } } : {})
  expect([answer.status, answer.text]).toEqual([308, ''])
  expect(answer.headers.get('Location')).toBe(location)
  expect(answer.headers.get('X-Request-Id')).toMatch(/^[0-9a-f-]{36}$/)
})

test('a client that follows redirects keeps working', async () => {
  const person = await world.signUp()
  const signedIn = await fetch(`${world.url}/api/sign-in/`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ username: person.username, password: person.password }),
  })
  expect(signedIn.status).toBe(200)
  const headers = { Authorization: `Bearer ${person.access}` }
  const me = await fetch(`${world.url}/api/log-in/`, { headers })
  expect(await me.json()).toMatchObject({ id: person.id })
  const history = await fetch(`${world.url}/api/user/machines/history/?limit=1`, { headers })
  expect(await history.json()).toEqual({ items: [], next_cursor: null })
})

test('other methods of an old path are answered 405 with the allowed methods', async () => {
  const moved = await world.request('GET', '/api/sign-in')
  expect([moved.status, moved.headers.get('Allow')]).toEqual([405, 'OPTIONS, POST'])
  const both = await world.request('DELETE', '/api/log-in')
  expect([both.status, both.headers.get('Allow')]).toEqual([405, 'GET, HEAD, OPTIONS, POST'])
})
