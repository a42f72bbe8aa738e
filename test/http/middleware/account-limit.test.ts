// The request limit of every account: the runtime counts it, without a round trip.
import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Person, poll, startWorld, type World } from '../../harness.ts'

let world: World
beforeAll(async () => {
  world = await startWorld({ accountLimit: 5 })
})
afterAll(() => world?.close())

/** The cheapest counted request: it is refused after the token check and before any upstream call. */
const ask = (person: Person) => person.request('POST', '/api/machines', { headers: { 'Content-Type': 'text/plain' } })

test('an account with too many requests gets 429 without a round trip, and other accounts do not', async () => {
  const [busy, other] = [await world.signUp(), await world.signUp()]
  const before = world.exchanges.length
  // The window may change during the first round; then a second round is needed, hardly a third.
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

test('the limit in the answer is the one in wrangler.toml: 1,000 in 10 s', async () => {
  const config = await readFile('wrangler.toml', 'utf8')
  expect(config).toMatch(/name = "ACCOUNT_RATE_LIMIT"\nnamespace_id = "\d+"\nsimple = \{ limit = 1000, period = 10 \}/)
})
