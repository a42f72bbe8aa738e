// The request limit of every session: the runtime counts it, without a round trip. STOPs are counted by themselves.

import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeKey, signIn } from '../../accounts/people.ts'
import { type Answer, type Person, poll, startWorld, type World } from '../../harness.ts'
import { callsOf } from '../../round-trips.ts'

const limit = 5
let world: World
beforeAll(async () => {
  world = await startWorld({ requestLimit: limit, streamLimit: 1 })
})
afterAll(() => world?.close())

/** The cheapest counted request: it is refused after the token check and before any upstream call. */
const ask = ({ request }: Pick<Person, 'request'>) =>
  request('POST', '/api/machines', { headers: { 'Content-Type': 'text/plain' } })

/** Sends more requests than the limit allows. The window may change during the first round; then another one is needed. */
function exceed(send: () => Promise<Answer>): Promise<Answer | undefined> {
  return poll(async () => {
    const answers = await Promise.all(Array.from({ length: 2 * limit + 2 }, send))
    const refused = answers.find(({ status }) => status === 429)
    return { isDone: refused !== undefined, value: refused }
  }, 'the limit of the session')
}

test('a session with too many requests gets 429 without a round trip, and other accounts do not', async () => {
  const [busy, other] = [await world.signUp(), await world.signUp()]
  const { answer: limited, calls } = await callsOf(world, () => exceed(() => ask(busy)))
  expect(limited?.body.code).toBe('rate_limited')
  expect(limited?.headers.get('Retry-After')).toBe('10')
  expect(limited?.headers.get('RateLimit-Policy')).toBe('"requests";q=1000;w=10')
  expect(limited?.headers.get('RateLimit')).toBe('"requests";r=0;t=10')
  expect(calls).toEqual([])
  expect((await ask(other)).status).toBe(415)
})

test('a token whose session has ended cannot use up the requests of another session of the account', async () => {
  const person = await world.signUp()
  const ended = await signIn(world, person)
  expect((await ended.request('POST', '/api/log-out')).status).toBe(204)
  await exceed(() => ended.request('GET', '/api/me'))
  expect((await person.request('GET', '/api/me')).status).toBe(200)
})

test('a key has its own requests and STOPs, and whoever knows only its id cannot use them up', async () => {
  const owner = await world.signUp()
  const machine = await world.createMachine(owner)
  const [busy, other] = [await makeKey(world, owner), await makeKey(world, owner)]
  const guess = { request: (method: string, path: string) => world.request(method, path, { token: guessed }) }
  const guessed = `${busy.secret.slice(0, -43)}${'A'.repeat(43)}`
  expect((await exceed(() => guess.request('GET', '/api/machines')))?.status).toBe(429)
  expect((await ask(busy)).status).toBe(415)
  await exceed(() => ask(busy))
  for (const each of [other, owner]) expect((await ask(each)).status).toBe(415)
  const stop = { body: { command: 'STOP' } }
  expect((await busy.request('POST', `/api/machines/${machine.id}/operation`, stop)).status).toBe(202)
})

test('a session that has used up its requests can still send a STOP', async () => {
  const owner = await world.signUp()
  const machine = await world.createMachine(owner)
  await exceed(() => ask(owner))
  await exceed(() => world.operate(owner, machine.id, 'START'))
  expect((await world.operate(owner, machine.id, 'STOP')).status).toBe(202)
})

test('refreshes have a limit of their own, also those of a session that has ended', async () => {
  const person = await world.signUp()
  await person.request('POST', '/api/log-out')
  const body = { refresh: person.refresh }
  const limited = await exceed(() => world.request('POST', '/api/token/refresh', { body }))
  expect(limited?.headers.get('RateLimit-Policy')).toBe('"refreshes";q=1000;w=10')
})

test('STOPs have a limit of their own: then other requests are still accepted', async () => {
  const owner = await world.signUp()
  const machine = await world.createMachine(owner)
  const limited = await exceed(() => world.operate(owner, machine.id, 'STOP'))
  expect(limited?.headers.get('RateLimit-Policy')).toBe('"stops";q=1000;w=10')
  expect((await ask(owner)).status).toBe(415)
})

test.each(['', '{', '[]', 'null', '"STOP"', '{"command":["STOP"]}', '{"command":"stop"}'])(
  'the operation %j counts as a request like any other, if it is counted at all',
  async (body) => {
    const owner = await world.signUp()
    const machine = await world.createMachine(owner)
    await Promise.all(
      Array.from({ length: 2 * limit }, () => owner.request('POST', `/api/machines/${machine.id}/operation`, { body })),
    )
    expect((await world.operate(owner, machine.id, 'STOP')).status).toBe(202)
  },
)

test('streams have a limit of their own', async () => {
  const [busy, other] = [await world.signUp(), await world.signUp()]
  const open = (person: Person) => person.request('HEAD', '/api/changes')
  const limited = await poll(async () => {
    const answer = await open(busy)
    return { isDone: answer.headers.get('RateLimit-Policy')?.includes('streams') === true, value: answer }
  }, 'the limit of streams')
  const headers = ['Retry-After', 'RateLimit-Policy', 'RateLimit'].map((name) => limited.headers.get(name))
  expect([limited.status, ...headers]).toEqual([429, '60', '"streams";q=60;w=60', '"streams";r=0;t=60'])
  const before = world.exchanges.length
  expect((await open(busy)).status).toBe(429)
  expect(world.exchanges.length).toBe(before)
  expect((await open(other)).status).not.toBe(429)
})

test.each([
  ['REQUEST_RATE_LIMIT', 1_000, 10],
  ['STREAM_RATE_LIMIT', 60, 60],
])('the limit in answers is the one of %s in wrangler.toml', async (name, limit, period) => {
  const config = await readFile('wrangler.toml', 'utf8')
  const simple = `simple = \\{ limit = ${limit}, period = ${period} \\}`
  expect(config).toMatch(new RegExp(`name = "${name}"\nnamespace_id = "\\d+"\n${simple}`))
})
