// The change feed over HTTP: who hears of what, how a client continues, and what happens without Redis.
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { audienceMs } from '../../src/live/stream.ts'
import { makeKey } from '../accounts/people.ts'
import { type Person, poll, type World } from '../harness.ts'
import { request } from '../jobs/qstash-calls.ts'
import { reporterOf } from '../jobs/reporting.ts'
import { fail, keepMessages, open, shut } from '../platform/faults.ts'
import { useQuietWorld } from '../shared-world.ts'
import { createMachineIn, createSite, grant, type Site } from '../sites/places.ts'
import { connectFeed, connectWithSocket, type Feed } from './feed.ts'

/** How much later everything may happen on a busy computer. */
const busyMs = 30_000

let world: World
let owner: Person
let viewer: Person
let stranger: Person
let site: Site
beforeAll(async () => {
  world = await useQuietWorld()
  ;[owner, viewer, stranger] = await Promise.all([world.signUp(), world.signUp(), world.signUp()])
  site = await createSite(owner)
  await grant(owner, `/api/sites/${site.id}`, viewer, 'viewer')
})

let feeds: Feed[] = []
beforeEach(() => {
  feeds = []
})
afterEach(() => {
  for (const feed of feeds) feed.close()
})

async function feedOf(token: string, headers?: Record<string, string>) {
  // On a busy computer, Redis does not always answer as soon as the Worker wants: then a client tries again.
  const feed = await poll(async () => {
    const value = await connectFeed(world.url, token, headers)
    return { isDone: value.status !== 503, value }
  }, 'the feed')
  feeds.push(feed)
  if (feed.status === 200) await poll(async () => ({ isDone: feed.text() !== '', value: feed.text() }), 'the stream')
  return feed
}

const resume = (person: Person, id: string | undefined) => feedOf(person.access, { 'Last-Event-ID': id ?? '' })

async function revisionOf(machineId: number): Promise<number> {
  const { headers } = await owner.request('GET', `/api/machines/${machineId}`)
  return Number(/^"\d+\.(\d+)/.exec(headers.get('ETag') ?? '')?.[1])
}

test('it is an event stream that begins with an id, and tells each change of a machine and of its jobs', async () => {
  const feed = await feedOf(viewer.access)
  expect(feed.status).toBe(200)
  expect(feed.response.headers.get('Content-Type')).toBe('text/event-stream')
  expect(feed.response.headers.get('Cache-Control')).toBe('private, no-cache, no-transform')
  expect(feed.response.headers.get('X-Accel-Buffering')).toBe('no')
  expect(feed.text()).toMatch(/^: connected\nid: \d+-\d+\.[\w-]{8}\n\n/)

  const machine = await createMachineIn(world, site, owner)
  const [added] = await feed.waitFor(['machine', machine.id])
  expect(added).toEqual({
    event: 'machine',
    data: { id: machine.id, revision: expect.any(Number) },
    id: expect.stringMatching(/^\d+-\d+\.[\w-]{8}$/),
  })

  await owner.request('PATCH', `/api/machines/${machine.id}`, { body: { name: 'Press 7' } })
  const revision = await revisionOf(machine.id)
  // Not the second event: if Redis answers late, the first one is told twice.
  const isTold = () => feed.events().some(({ data }) => data.id === machine.id && data.revision === revision)
  await poll(async () => ({ isDone: isTold(), value: feed.text() }), 'the event of the new name')

  const job = await request(world, owner, machine.id, 'START')
  const [requested] = await feed.waitFor(['job', job.id])
  expect(requested?.data).toEqual({ id: job.id, machine_id: machine.id, version: 1 })
  await owner.request('POST', `/api/jobs/${job.id}/cancel`)
  const [, canceled] = await feed.waitFor(['job', job.id], ['job', job.id])
  expect(canceled?.data).toEqual({ id: job.id, machine_id: machine.id, version: 2 })
})

test('a command that a controller carries out is told with each step, and with what it makes of the machine', async () => {
  const machine = await world.createMachine(owner)
  const feed = await feedOf(owner.access)
  world.faults.qstash.pass = open
  const { body: job } = await world.operate(owner, machine.id, 'START')
  await world.waitForJob(owner, job.id, 'SUCCEEDED')
  world.faults.qstash.pass = keepMessages
  const told = await feed.waitFor(['job', job.id], ['job', job.id], ['machine', machine.id], ['job', job.id])
  expect(told.map(({ data }) => data.version ?? data.revision)).toEqual([1, 2, await revisionOf(machine.id), 3])
})

describe('a change of a machine is', () => {
  const changes: [what: string, make: (machineId: number) => Promise<unknown>][] = [
    ['a hold', (id) => owner.request('POST', `/api/machines/${id}/holds`, { body: { reason: 'x' } })],
    [
      'the removal of a hold',
      async (id) => {
        const { body } = await owner.request('POST', `/api/machines/${id}/holds`, { body: { reason: 'x' } })
        await owner.request('DELETE', `/api/machines/${id}/holds/${body.id}`)
      },
    ],
    ['a status by hand', (id) => owner.request('PATCH', `/api/machines/${id}`, { body: { status: 'ERROR' } })],
    ['its deletion', (id) => owner.request('DELETE', `/api/machines/${id}`)],
    ['the confirmation of its controller', (id) => owner.request('POST', `/api/machines/${id}/controller/check`)],
    ['its first report', async (id) => (await reporterOf(world, owner, id)).report({ status: 'READY' })],
  ]
  test.each(changes)('%s', async (_what, make) => {
    const machine = await createMachineIn(world, site, owner)
    const before = await revisionOf(machine.id)
    const feed = await feedOf(viewer.access)
    await make(machine.id)
    const higher = () => feed.events().some(({ data }) => data.id === machine.id && Number(data.revision) > before)
    await poll(async () => ({ isDone: higher(), value: feed.text() }), 'a higher revision')
  })

  test('neither a report that changes counters only, nor a change that changes nothing', async () => {
    const machine = await createMachineIn(world, site, owner)
    const reporter = await reporterOf(world, owner, machine.id)
    await reporter.report({ status: 'READY', cycles: 1 })
    const feed = await feedOf(viewer.access)
    await reporter.report({ status: 'READY', cycles: 2 })
    await owner.request('PATCH', `/api/machines/${machine.id}`, { body: { name: machine.body.name } })
    await reporter.report({ status: 'RUNNING', cycles: 3 })
    await feed.waitFor(['machine', machine.id])
    expect(feed.events()).toHaveLength(1)
  })

  test('nor the replay of a registration', async () => {
    const feed = await feedOf(owner.access)
    const register = () =>
      owner.request('POST', '/api/machines', {
        body: { name: 'Press 8', location: 'Hall 1' },
        headers: { 'Idempotency-Key': 'press-8' },
      })
    const { body } = await register()
    const replay = await register()
    expect([replay.headers.get('Idempotency-Replayed'), replay.body.id]).toEqual(['true', body.id])
    const end = await world.createMachine(owner)
    await feed.waitFor(['machine', end.id])
    expect(feed.events().filter(({ data }) => data.id === body.id)).toHaveLength(1)
  })
})

describe('a key for reports', () => {
  const scopes = ['report']

  test('of a machine is told when it is made and when it is revoked, and the ETag says that the machine differs', async () => {
    const machine = await world.createMachine(owner, { controller_url: null })
    const feed = await feedOf(stranger.access)
    const read = (etag: string | null) =>
      owner.request('GET', `/api/machines/${machine.id}`, { headers: { 'If-None-Match': etag ?? '' } })
    const told = () => feed.events().filter(({ data }) => data.id === machine.id)
    await makeKey(world, owner, { machine_id: machine.id }) // without the scope
    const later = await world.createMachine(owner)
    await feed.waitFor(['machine', later.id])
    expect(told()).toEqual([])
    const key = await makeKey(world, owner, { scopes, machine_id: machine.id })
    await feed.waitFor(['machine', machine.id])
    const fetching = await read(machine.etag)
    expect([fetching.status, fetching.body.delivery]).toEqual([200, 'pull'])
    const before = told().length
    await owner.request('DELETE', `/api/keys/${key.id}`)
    await poll(async () => ({ isDone: told().length > before, value: feed.text() }), 'the revocation')
    expect(told().at(-1)?.data).toEqual({ id: machine.id, revision: await revisionOf(machine.id) })
    const pushed = await read(fetching.headers.get('ETag'))
    expect([pushed.status, pushed.body.delivery]).toEqual([200, 'push'])
  })

  test('of a site is a reset for those with a role there, however many machines it has', async () => {
    const [here, there] = await Promise.all([feedOf(viewer.access), feedOf(stranger.access)])
    const key = await makeKey(world, owner, { scopes, site_id: site.id })
    await here.waitFor(['reset'])
    const between = await world.createMachine(owner)
    await here.waitFor(['machine', between.id])
    await owner.request('DELETE', `/api/keys/${key.id}`)
    await here.waitFor(['machine', between.id], ['reset'])
    const end = await world.createMachine(owner) // told to both
    await Promise.all([here.waitFor(['machine', end.id]), there.waitFor(['machine', end.id])])
    expect(there.events().filter(({ event }) => event === 'reset')).toEqual([])
  })
})

test('a command that is refused is told once as a job, which is in the history; one without a role is not', async () => {
  const machine = await createMachineIn(world, site, owner)
  await owner.request('PATCH', `/api/machines/${machine.id}`, { body: { status: 'ERROR' } })
  const feed = await feedOf(owner.access)
  const start = (person: Person) =>
    person.request('POST', `/api/machines/${machine.id}/operation`, {
      body: { command: 'START' },
      headers: { 'Idempotency-Key': `refused-${person.id}` },
    })
  expect((await start(viewer)).status).toBe(403)
  const refused = await start(owner)
  expect([refused.status, refused.body.code]).toEqual([409, 'wrong_state'])
  const [told] = await feed.waitFor(['job'])
  const { body: history } = await owner.request('GET', `/api/machines/${machine.id}/history`)
  expect(history.items).toMatchObject([{ id: told?.data.id, state: 'REJECTED', reason: 'wrong_state' }])
  expect(told?.data).toEqual({ id: history.items[0].id, machine_id: machine.id, version: 1 })
  const replay = await start(owner)
  expect([replay.status, replay.headers.get('Idempotency-Replayed')]).toEqual([409, 'true'])
  expect((await world.operate(owner, machine.id, 'START')).status).toBe(409) // in the history once a minute
  const end = await world.createMachine(owner)
  await feed.waitFor(['machine', end.id])
  expect(new Set(feed.events().flatMap(({ event, data }) => (event === 'job' ? [data.id] : [])))).toEqual(
    new Set([told?.data.id]),
  )
  // Each log line is one entry of the feed, which may come twice.
  expect(world.logs().filter(({ job_id }) => job_id === told?.data.id)).toHaveLength(1)
})

describe('who hears of it', () => {
  test('a machine without a site is told to everybody, its jobs are not', async () => {
    const feed = await feedOf(stranger.access)
    const machine = await world.createMachine(owner)
    const job = await request(world, owner, machine.id, 'STOP')
    await owner.request('PATCH', `/api/machines/${machine.id}`, { body: { location: 'Hall 9' } })
    await feed.waitFor(['machine', machine.id], ['machine', machine.id])
    expect(feed.events().filter(({ data }) => data.id === job.id)).toEqual([])
  })

  test('a machine of a site is told to those with a role there, also that it leaves the site', async () => {
    const [here, there] = await Promise.all([feedOf(viewer.access), feedOf(stranger.access)])
    const other = await createSite(owner)
    const machine = await createMachineIn(world, site, owner)
    await owner.request('PATCH', `/api/machines/${machine.id}`, { body: { site_id: other.id } })
    await here.waitFor(['machine', machine.id], ['machine', machine.id])
    await owner.request('PATCH', `/api/machines/${machine.id}`, { body: { location: 'elsewhere' } })
    const end = await world.createMachine(owner) // told to both
    await Promise.all([here.waitFor(['machine', end.id]), there.waitFor(['machine', end.id])])
    expect(here.events().filter(({ data }) => data.id === machine.id)).toHaveLength(2)
    expect(there.events().filter(({ data }) => data.id === machine.id)).toEqual([])
  })

  test('a key hears of its own machine only, and needs the scope `read`', async () => {
    const [machine, other] = await Promise.all([world.createMachine(owner), world.createMachine(owner)])
    const key = await makeKey(world, owner, { machine_id: machine.id, scopes: ['read'] })
    const feed = await feedOf(key.secret)
    for (const { id } of [other, machine]) {
      await owner.request('PATCH', `/api/machines/${id}`, { body: { location: 'Hall 2' } })
    }
    await feed.waitFor(['machine', machine.id])
    expect(feed.events()).toHaveLength(1)
    const stopKey = await makeKey(world, owner, { scopes: ['stop'] })
    expect((await feedOf(stopKey.secret)).status).toBe(403)
  })

  test('nobody without a token, or whose session has ended', async () => {
    expect((await world.request('GET', '/api/changes')).status).toBe(401)
    const leaver = await world.signUp()
    await leaver.request('POST', '/api/log-out')
    const answer = await leaver.request('GET', '/api/changes')
    expect([answer.status, answer.body.code]).toEqual([401, 'session_ended'])
  })
})

describe('a client that connects again', () => {
  test('continues after the last event that it has seen', async () => {
    const machine = await createMachineIn(world, site, owner)
    const first = await feedOf(viewer.access)
    const rename = (name: string) => owner.request('PATCH', `/api/machines/${machine.id}`, { body: { name } })
    await rename('one')
    const [seen] = await first.waitFor(['machine', machine.id])
    first.close()
    await rename('two')
    await rename('three')
    await world.settle()
    const second = await resume(viewer, seen?.id)
    const missed = await second.waitFor(['machine', machine.id], ['machine', machine.id])
    const revision = await revisionOf(machine.id)
    expect(missed.map(({ data }) => data.revision)).toEqual([revision - 1, revision])
    await rename('four')
    await second.waitFor(['machine', machine.id], ['machine', machine.id], ['machine', machine.id])
    expect(second.events().some(({ event }) => event === 'reset')).toBe(false)
  })

  test('continues from the id with which a stream without events began', async () => {
    const first = await feedOf(viewer.access)
    const id = first.lastId()
    first.close()
    const machine = await createMachineIn(world, site, owner)
    await world.settle()
    const second = await resume(viewer, id)
    await second.waitFor(['machine', machine.id])
    expect(second.events().some(({ event }) => event === 'reset')).toBe(false)
  })

  test.each(['1-1', '1-1.q3Jk9_Ab', 'x', '', '99999999999999999999-1'])(
    'is reset when the event %j is not kept',
    async (id) => {
      const machine = await createMachineIn(world, site, owner)
      await world.settle()
      const feed = await resume(viewer, id)
      const [reset] = await feed.waitFor(['reset'])
      expect(reset).toEqual({ event: 'reset', data: {}, id: expect.stringMatching(/^\d+-\d+\.[\w-]{8}$/) })
      await owner.request('PATCH', `/api/machines/${machine.id}`, { body: { name: 'after' } })
      await feed.waitFor(['reset'], ['machine', machine.id])
      // What came before is not told: the client reads it.
      expect(feed.events().filter(({ data }) => data.id === machine.id)).toHaveLength(1)
    },
  )
})

test('a client whose role has changed while it was away is reset', async () => {
  const joiner = await world.signUp()
  const change = async (make: () => Promise<unknown>) => {
    const before = await feedOf(joiner.access)
    const id = before.lastId()
    before.close()
    await make()
    await (await resume(joiner, id)).waitFor(['reset'])
  }
  await change(() => grant(owner, `/api/sites/${site.id}`, joiner, 'viewer'))
  await change(() => grant(owner, `/api/sites/${site.id}`, joiner, 'manager'))
})

describe('the subscription', () => {
  afterEach(() => {
    world.faults.redis.pass = open
  })

  /** Connects, and gives the signal of the request with which the Worker has subscribed. */
  async function subscribe() {
    const opened = Promise.withResolvers<AbortSignal>()
    world.faults.redis.pass = ({ target, signal }, forward) => {
      if (target.startsWith('/subscribe/')) opened.resolve(signal)
      return forward()
    }
    const socket = connectWithSocket(world.url, owner.access)
    return { socket, subscription: await opened.promise }
  }

  test('ends with its client at once, not with the next change', async () => {
    const { socket, subscription } = await subscribe()
    await socket.connected
    const startedAt = Date.now()
    socket.reset()
    await poll(async () => ({ isDone: subscription.aborted, value: undefined }), 'the subscription to end')
    expect(Date.now() - startedAt).toBeLessThan(10_000) // without the signal, it ends with the check after 15 s
  })

  test('ends when the session of the caller has ended before anything is read', async () => {
    const leaver = await world.signUp()
    await leaver.request('POST', '/api/log-out')
    const opened = Promise.withResolvers<AbortSignal>()
    world.faults.redis.pass = ({ target, signal }, forward) => {
      if (target.startsWith('/subscribe/')) opened.resolve(signal)
      return forward()
    }
    expect((await leaver.request('GET', '/api/changes')).status).toBe(401)
    const subscription = await opened.promise
    await poll(async () => ({ isDone: subscription.aborted, value: undefined }), 'the subscription to end')
  })
})

test('what a subscription loses comes within 15 s', async () => {
  await world.createMachine(owner)
  await world.settle() // the feed is not empty
  world.faults.redis.pass = async ({ target }, forward) => {
    const answer = await forward()
    if (!target.startsWith('/subscribe/') || !('stream' in answer) || !answer.stream) return answer
    const { stream } = answer
    return {
      ...answer,
      stream: (write, signal) => stream((text) => text.startsWith('data: subscribe') && write(text), signal),
    }
  }
  const feed = await feedOf(owner.access)
  world.faults.redis.pass = open
  const machine = await world.createMachine(owner)
  await feed.waitFor(['machine', machine.id])
  // The comment of the check follows the event that the check has found.
  await poll(async () => ({ isDone: feed.text().includes('\n\n: \nid: '), value: undefined }), 'the comment')
})

describe('without Redis', () => {
  afterEach(() => {
    world.faults.redis.pass = open
  })

  test('for a moment: a change is told when Redis is back', async () => {
    const feed = await feedOf(owner.access)
    let calls = 0
    world.faults.redis.pass = (call, forward) => {
      if (!call.body.includes('XADD')) return forward()
      calls += 1
      return (calls === 1 ? fail() : open)(call, forward)
    }
    const machine = await world.createMachine(owner)
    await feed.waitFor(['machine', machine.id])
    expect(calls).toBe(2)
  })

  test('it answers 503 with Retry-After, and the board still answers', async () => {
    world.faults.redis.pass = shut
    const answer = await owner.request('GET', '/api/changes')
    expect([answer.status, answer.body.code]).toEqual([503, 'feed_unavailable'])
    expect(Number(answer.headers.get('Retry-After'))).toBeGreaterThan(0)
    expect((await owner.request('GET', '/api/board')).status).toBe(200)
  })
})

test('a stream ends soon after Redis is lost; when it is back, the client continues with what it has missed', async () => {
  const machine = await createMachineIn(world, site, owner)
  const rename = (name: string) => owner.request('PATCH', `/api/machines/${machine.id}`, { body: { name } })
  const feed = await feedOf(viewer.access)
  await rename('one')
  const [seen] = await feed.waitFor(['machine', machine.id])
  world.faults.redis.pass = shut
  try {
    await poll(async () => ({ isDone: feed.hasEnded(), value: feed.text() }), 'the end of the stream')
    expect((await owner.request('GET', '/api/changes')).status).toBe(503)
  } finally {
    world.faults.redis.pass = open
  }
  await rename('two')
  await world.settle()
  const next = await resume(viewer, seen?.id)
  await next.waitFor(['machine', machine.id])
  expect(next.events().some(({ event }) => event === 'reset')).toBe(false)
})

test('a stream ends within a minute after a log-out and after the end of its key, and tells no change that comes later', async () => {
  const leaver = await world.signUp()
  const key = await makeKey(world, owner, { scopes: ['read'] })
  const tokens = [leaver.access, key.secret]
  const [stays, ...ends] = await Promise.all([owner.access, ...tokens].map((token) => feedOf(token)))
  const leftAt = Date.now()
  await leaver.request('POST', '/api/log-out')
  await owner.request('DELETE', `/api/keys/${key.id}`)
  await poll(
    async () => ({ isDone: ends.every((feed) => feed.hasEnded()), value: ends.map((feed) => feed.text()) }),
    'the end of both streams',
  )
  expect(Date.now() - leftAt).toBeLessThan(audienceMs + busyMs)
  const machine = await world.createMachine(owner) // without a site, so everybody hears of it
  await stays?.waitFor(['machine', machine.id])
  expect(ends.flatMap((feed) => feed.events())).toEqual([])
  const answers = await Promise.all(tokens.map((token) => world.request('GET', '/api/changes', { token })))
  expect(answers.map(({ status }) => status)).toEqual([401, 401])
})

test('HEAD answers without a stream', async () => {
  const answer = await owner.request('HEAD', '/api/changes')
  expect([answer.status, answer.headers.get('Content-Type'), answer.text]).toEqual([200, 'text/event-stream', ''])
})
