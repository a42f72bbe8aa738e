// `changes()` of the typed client: it follows, continues after a lost connection, and ends with its signal.
import { beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { followChanges } from '../../src/client/changes.ts'
import { type Change, type ChangesOptions, createClient } from '../../src/client/client.ts'
import { type Person, poll, type World } from '../harness.ts'
import { useQuietWorld } from '../shared-world.ts'

let world: World
let owner: Person
beforeAll(async () => {
  world = await useQuietWorld()
  owner = await world.signUp()
})

type Failure = (request: Request) => Promise<Response>

/** Follows, and collects what comes; `failures` happen to the first requests. */
function follow(person: Person = owner, failures: Failure[] = []) {
  const { access, refresh } = person
  const sent: (string | null)[] = []
  const controller = new AbortController()
  const client = createClient({
    baseUrl: world.url,
    tokens: { access, refresh },
    fetch(request) {
      if (request.url.endsWith('/api/changes')) sent.push(request.headers.get('Last-Event-ID'))
      return (failures.shift() ?? fetch)(request)
    },
  })
  const received: Change[] = []
  const lost: unknown[] = []
  let connections = 0
  const options: ChangesOptions = {
    signal: controller.signal,
    onConnected: () => {
      connections += 1
    },
    onLost: (error) => lost.push(error),
  }
  const ended = (async () => {
    for await (const change of client.changes(options)) received.push(change)
  })()
  onTestFinished(() => controller.abort())
  const until = (condition: () => boolean, what: string) =>
    poll(async () => ({ isDone: condition(), value: { received, lost: lost.map(String) } }), what)
  return {
    sent,
    received,
    lost,
    ended,
    end: () => controller.abort(),
    connected: (count = 1) => until(() => connections >= count, 'a connection'),
    receive: (id: number, count = 1) =>
      until(
        () => received.filter((each) => each.type === 'machine' && each.id === id).length >= count,
        `machine ${id}`,
      ),
  }
}

/** The answer breaks off after its first part. */
const breakOff: Failure = async (request) => {
  const controller = new AbortController()
  const response = await fetch(new Request(request, { signal: controller.signal }))
  const reader = response.body?.getReader()
  const first = await reader?.read()
  controller.abort()
  return new Response(
    new ReadableStream({
      start(stream) {
        stream.enqueue(first?.value)
      },
      pull(stream) {
        stream.error(new TypeError('the connection is gone'))
      },
    }),
    response,
  )
}

test('it yields machines and jobs that have changed, and ends with its signal', async () => {
  const feed = follow()
  await feed.connected()
  const machine = await world.createMachine(owner)
  const { body: job } = await world.operate(owner, machine.id, 'START')
  await feed.receive(machine.id)
  await poll(async () => ({ isDone: feed.received.some(({ type }) => type === 'job'), value: feed.received }), 'a job')
  expect(feed.received).toContainEqual({ type: 'job', id: job.id, machine_id: machine.id, version: 1 })
  expect(feed.received).toContainEqual({ type: 'machine', id: machine.id, revision: expect.any(Number) })
  feed.end()
  await feed.ended
})

test('it continues after the last change when the connection was lost, and tells both', async () => {
  const machine = await world.createMachine(owner)
  const rename = (name: string) => owner.request('PATCH', `/api/machines/${machine.id}`, { body: { name } })
  const feed = follow(owner, [breakOff, () => Promise.reject(new TypeError('no network'))])
  await feed.connected()
  await rename('while nobody listens')
  await feed.connected(2)
  await feed.receive(machine.id)
  await rename('after')
  await feed.receive(machine.id, 2)
  expect(feed.sent).toEqual([null, expect.stringMatching(/^\d+-\d+\.[\w-]{8}$/), feed.sent[1]])
  expect(feed.lost).toHaveLength(2)
  expect(feed.received.some(({ type }) => type === 'reset')).toBe(false)
})

test('it tries again while the feed is unavailable, and refreshes an expired token', async () => {
  const answer = (status: number, body: object) => async () =>
    new Response(JSON.stringify(body), {
      status,
      headers: { 'Content-Type': 'application/problem+json', 'Retry-After': '0' },
    })
  const person = await world.signUp()
  const failures = [answer(503, { code: 'feed_unavailable' }), answer(401, { code: 'token_invalid' })]
  const feed = follow(person, failures)
  await feed.connected()
  expect(feed.lost).toEqual([expect.objectContaining({ code: 'feed_unavailable', status: 503 })])
  const machine = await world.createMachine(owner)
  await feed.receive(machine.id)
})

test('it throws when the session has ended', async () => {
  const leaver = await world.signUp()
  await leaver.request('POST', '/api/log-out')
  const feed = follow(leaver)
  await expect(feed.ended).rejects.toMatchObject({ status: 401, code: 'session_ended' })
})

/** Follows with a clock of its own; `answer` is the answer to each request. */
async function followAnswers(answer: Failure, seconds: number) {
  vi.useFakeTimers()
  onTestFinished(() => {
    vi.useRealTimers()
  })
  const controller = new AbortController()
  const told: string[] = []
  const options: ChangesOptions = {
    signal: controller.signal,
    onConnected: () => told.push('connected'),
    onLost: (error) => told.push(String(error)),
  }
  const ended = followChanges('https://api.example.com', answer, options).next()
  await vi.advanceTimersByTimeAsync(seconds * 1_000)
  controller.abort()
  await ended
  return told
}

test('it tries again when there is no answer for 40 s', async () => {
  const hanging: Failure = ({ signal }) =>
    new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
  expect(await followAnswers(hanging, 39)).toEqual([])
  expect(await followAnswers(hanging, 41)).toEqual(['Error: the stream is silent'])
})

test('it never tries again before Retry-After', async () => {
  const limited: Failure = async () =>
    new Response(JSON.stringify({ code: 'rate_limited' }), {
      status: 429,
      headers: { 'Content-Type': 'application/problem+json', 'Retry-After': '60' },
    })
  expect(await followAnswers(limited, 60)).toHaveLength(1)
  expect(await followAnswers(limited, 61)).toHaveLength(2)
})

test('an answer that is not an event stream is a lost connection, after which it waits longer each time', async () => {
  const page: Failure = async () => new Response('<p>Log in</p>', { headers: { 'Content-Type': 'text/html' } })
  const told = await followAnswers(page, 60)
  expect(new Set(told)).toEqual(new Set(['Error: the answer is not an event stream']))
  expect(told.length).toBeLessThan(10)
})
