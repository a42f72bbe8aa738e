// Guessing passwords: its cost for the attacker and for us, and what response times reveal.
// test/accounts/limits.test.ts has the limits.
import { randomUUID } from 'node:crypto'
import { beforeAll, expect, test } from 'vitest'
import type { Person, World } from '../harness.ts'
import { useWorld } from '../shared-world.ts'

let world: World
let person: Person
beforeAll(async () => {
  // The limits are so high that every guess costs a hash.
  const vars = {
    FAILED_LOG_INS_PER_NAME_AND_ADDRESS: '100000',
    FAILED_LOG_INS_PER_NAME: '100000',
    FAILED_LOG_INS_PER_ADDRESS: '100000',
  }
  world = await useWorld(vars)
  person = await world.signUp()
})

const guess = (username: string) => world.request('POST', '/api/log-in', { body: { username, password: randomUUID() } })

async function time(send: () => Promise<unknown>): Promise<number> {
  const beganAt = performance.now()
  await send()
  return performance.now() - beganAt
}

/** The queue of hashes owes at most this to other requests after one hash: then the next one starts at once. */
const longestRestMs = 1_000

/**
 * The shortest times of both, taken in turns: a busy machine makes some of them longer, and none shorter. So more turns are
 * taken until they are alike: they never become so if they are not.
 * @returns how much longer the other takes
 */
async function compareTimes(one: () => Promise<unknown>, other: () => Promise<unknown>): Promise<number> {
  const times: [number[], number[]] = [[], []]
  const ratio = () => Math.min(...times[1]) / Math.min(...times[0])
  for (let round = 0; round < 5 || (round < 20 && Math.abs(Math.log(ratio())) > Math.log(1.25)); round += 1) {
    for (const [index, send] of [one, other].entries()) {
      await new Promise((resolve) => setTimeout(resolve, longestRestMs))
      times[index]?.push(await time(send))
    }
  }
  return ratio()
}

test('an unknown name takes as long as a wrong password, so response times do not reveal accounts', async () => {
  // Without the hash an unknown name would take a tenth.
  const ratio = await compareTimes(
    () => guess(person.username),
    () => guess(`nobody-${randomUUID()}`),
  )
  expect(ratio).toBeGreaterThan(0.6)
  expect(ratio).toBeLessThan(1.6)
})

test('a flood of log-ins does not block other requests: a few wait in a queue, and the others get 429', async () => {
  const flood = Promise.all(Array.from({ length: 60 }, () => guess(person.username)))
  const others: number[] = []
  const waitsMs: number[] = []
  let isOver = false
  const floodMs = time(() =>
    flood.finally(() => {
      isOver = true
    }),
  )
  const askOnce = async () => others.push((await person.request('GET', '/api/machines')).status)
  while (!isOver) waitsMs.push(await time(askOnce))
  const answers = await flood
  const statuses = new Set(answers.map(({ status }) => status))
  expect([...statuses].toSorted()).toEqual([401, 429])
  for (const { status, headers } of answers) if (status === 429) expect(headers.get('Retry-After')).toMatch(/^\d+$/)
  // If it queued behind the flood, the first of the other requests would wait until the flood ends.
  expect(Math.max(...waitsMs)).toBeLessThan((await floodMs) / 2)
  expect(new Set(others)).toEqual(new Set([200]))
})

/** Sends a guess from another address every 33 ms, whether or not the last one is answered. @returns ends the flood */
function startFlood(): () => Promise<Set<number>> {
  const sent: Promise<number>[] = []
  const send = async () => {
    const headers = { 'CF-Connecting-IP': `198.18.${sent.length >> 8}.${sent.length & 255}` }
    const body = { username: person.username, password: randomUUID() }
    return (await world.request('POST', '/api/log-in', { body, headers })).status
  }
  const timer = setInterval(() => sent.push(send()), 33)
  return async () => {
    clearInterval(timer)
    return new Set(await Promise.all(sent))
  }
}

/** The median time of GET /api/me over some seconds. */
async function timeMe(seconds = 5): Promise<number> {
  const times: number[] = []
  const endsAt = performance.now() + seconds * 1_000
  while (performance.now() < endsAt) {
    times.push(await time(() => person.request('GET', '/api/me')))
    await new Promise((resolve) => setTimeout(resolve, 20)) // so that the requests are spread over all moments
  }
  return times.toSorted((one, other) => one - other)[Math.floor(times.length / 2)] ?? 0
}

test('a flood of 30 log-ins per second, all from different addresses, makes other requests at most three times slower', async () => {
  await timeMe(1) // warms up the Worker
  const ratios: number[] = []
  // Up to three times: the tests that run at the same time can slow down one of the two phases.
  do {
    const quietMs = await timeMe()
    const end = startFlood()
    const floodedMs = await timeMe()
    expect([...(await end())].toSorted()).toEqual([401, 429])
    process.stderr.write(`GET /api/me, median: ${quietMs.toFixed(1)} ms, in the flood ${floodedMs.toFixed(1)} ms\n`)
    ratios.push(floodedMs / quietMs)
  } while (ratios.length < 3 && Math.min(...ratios) >= 3)
  // Without the rest after a hash it is about 50 times.
  expect(Math.min(...ratios)).toBeLessThan(3)
})

test('a password of 128 characters takes as long as a short one, and a longer one is refused without a hash', async () => {
  const logIn = (password: string) =>
    world.request('POST', '/api/log-in', { body: { username: person.username, password } })
  const ratio = await compareTimes(
    () => logIn(randomUUID().slice(0, 10)),
    () => logIn(randomUUID().repeat(4).slice(0, 128)),
  )
  expect(ratio).toBeLessThan(2)
  const huge = await logIn('x'.repeat(60_000))
  expect([401, 422]).toContain(huge.status)
})
