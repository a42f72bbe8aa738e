// The limit that every account has: counted by the runtime, without a round trip.
import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Person, poll, startWorld, type World } from '../../harness.ts'

let world: World
beforeAll(async () => {
  world = await startWorld({ accountLimit: 5 })
})
afterAll(() => world?.close())

/** Refused behind the token and before any upstream: the cheapest request that counts. */
const ask = (person: Person) => person.request('POST', '/api/machines', { headers: { 'Content-Type': 'text/plain' } })

test('an account that asks too often is told to wait, without a round trip, and no other one is', async () => {
  const [busy, other] = [await world.signUp(), await world.signUp()]
  const before = world.exchanges.length
  // The window turns at times of its own: a second round is then needed, hardly a third.
  const limited = await poll(async () => {
    const answers = await Promise.all(Array.from({ length: 12 }, () => ask(busy)))
    const refused = answers.find(({ status }) => status !== 415)
    return { isDone: refused !== undefined, value: refused }
  }, 'the limit of the account')
  expect([limited?.status, limited?.body.code]).toEqual([429, 'rate_limited'])
  expect(limited?.headers.get('Retry-After')).toBe('10')
  expect(limited?.headers.get('RateLimit-Policy')).toBe('"account";q=1000;w=10')
  expect(limited?.headers.get('RateLimit')).toBe('"account";r=0;t=10')
  expect(world.exchanges.length).toBe(before)
  expect((await ask(other)).status).toBe(415)
})

test('what is answered is what wrangler.toml binds: 1,000 in 10 s', async () => {
  const config = await readFile('wrangler.toml', 'utf8')
  expect(config).toMatch(/name = "ACCOUNT_RATE_LIMIT"\nnamespace_id = "\d+"\nsimple = \{ limit = 1000, period = 10 \}/)
})
