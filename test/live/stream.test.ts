// One stream of the change feed, with a clock of its own: comments, checks, its end, and what a subscription has missed.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { FeedEntry } from '../../src/infra/redis.ts'
import type { Audience } from '../../src/live/audience.ts'
import { audienceMs, checkMs, follow, lifetimeMs, type Start, stalledMs, startAfter } from '../../src/live/stream.ts'

const audience: Audience = {
  account_id: 1,
  is_staff: true,
  key_machine_id: null,
  key_site_id: null,
  site_ids: [],
  machine_ids: [],
  roles: [],
}
const entry = (id: string, machineId = 42): FeedEntry => ({
  id,
  entry: JSON.stringify({ machine_id: machineId, revision: 7, owner_id: 1, site_ids: [null], job: null }),
})
const fromStart: Start = { id: '1-0', missed: [], isReset: false }

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** A stream whose entries and failures the test gives. */
function openStream(start: Start = fromStart, who = audience) {
  let waiting: FeedEntry[] = []
  let wake = () => {}
  const told = { text: '', checks: 0, audiences: 0 }
  const control = {
    told,
    kept: [entry('1-0')] as FeedEntry[] | undefined,
    audience: who,
    isClosed: false,
    /** The client takes nothing any more. */
    isStalled: false,
    /** By the subscription; `isKept`: also in the feed. */
    publish(...entries: FeedEntry[]) {
      waiting.push(...entries)
      wake()
    },
    events: () =>
      [...told.text.matchAll(/event: (\w+)\ndata: (.*)\nid: (.*)\.[\w-]{8}\n/g)].map(
        ([, name, , id]) => `${name} ${id}`,
      ),
    comments: () => told.text.split('\n\n').filter((block) => block.startsWith(': \n')).length,
    lastId: () => [...told.text.matchAll(/^id: (.*)\.[\w-]{8}$/gm)].at(-1)?.[1],
  }
  const source = {
    next: (ms: number) =>
      new Promise<FeedEntry[]>((resolve) => {
        const give = () => {
          clearTimeout(timer)
          resolve(waiting)
          waiting = []
        }
        const timer = setTimeout(give, ms)
        wake = give
        if (waiting.length > 0) give()
      }),
    async readFrom(id: string) {
      told.checks += 1
      const from = control.kept?.findIndex((each) => each.id === id) ?? -1
      return control.kept && (from < 0 ? control.kept : control.kept.slice(from))
    },
    async readAudience() {
      told.audiences += 1
      return control.audience
    },
  }
  const sink = {
    async write(text: string) {
      if (control.isStalled) return new Promise<void>(() => {})
      told.text += text
    },
    abort() {
      control.isClosed = true
    },
    get isClosed() {
      return control.isClosed
    },
  }
  const state = { hasEnded: false }
  const ended = follow(source, sink, start, who).finally(() => {
    state.hasEnded = true
  })
  return { ...control, control, ended, state }
}

test('a comment comes every 15 s, and the caller is checked every minute', async () => {
  const { told, comments } = openStream()
  await vi.advanceTimersByTimeAsync(checkMs - 1)
  expect(comments()).toBe(0)
  await vi.advanceTimersByTimeAsync(1)
  expect(comments()).toBe(1)
  await vi.advanceTimersByTimeAsync(audienceMs - checkMs)
  expect([comments(), told.audiences]).toEqual([4, 1])
})

test('it ends after 5 min', async () => {
  const { ended, state } = openStream()
  await vi.advanceTimersByTimeAsync(lifetimeMs - 1)
  expect(state.hasEnded).toBe(false)
  await vi.advanceTimersByTimeAsync(1)
  await ended
})

test('it ends when the caller may not read any more, with the reason', async () => {
  const { control, ended } = openStream()
  const failing = expect(ended).rejects.toThrow('ended')
  Object.defineProperty(control, 'audience', {
    get() {
      throw new Error('ended')
    },
  })
  await vi.advanceTimersByTimeAsync(audienceMs)
  await failing
})

test('the caller is checked after a minute, whenever the feed is read: nothing that comes later is told', async () => {
  const { control, publish, events, ended } = openStream()
  const failing = expect(ended).rejects.toThrow('ended')
  // The check of the feed is faster than the subscription, so the next one comes a second later, and all others too.
  control.kept = [entry('1-0'), entry('2-0')]
  await vi.advanceTimersByTimeAsync(checkMs)
  publish(entry('2-0'))
  Object.defineProperty(control, 'audience', {
    get() {
      throw new Error('ended')
    },
  })
  await vi.advanceTimersByTimeAsync(audienceMs - checkMs)
  publish(entry('3-0'))
  await vi.advanceTimersByTimeAsync(0)
  expect(events()).toEqual(['machine 2-0'])
  await failing
})

test('it is reset when the caller may see something else', async () => {
  const { control, events } = openStream()
  await vi.advanceTimersByTimeAsync(audienceMs)
  expect(events()).toEqual([])
  control.audience = { ...audience, site_ids: [3], roles: ['viewer'] }
  await vi.advanceTimersByTimeAsync(audienceMs)
  expect(events()).toEqual(['reset 1-0'])
  await vi.advanceTimersByTimeAsync(audienceMs)
  expect(events()).toEqual(['reset 1-0'])
  control.audience = { ...audience, site_ids: [3], roles: ['manager'] }
  await vi.advanceTimersByTimeAsync(audienceMs)
  expect(events()).toEqual(['reset 1-0', 'reset 1-0'])
})

test('it ends when the feed is unavailable, within 15 s', async () => {
  const { control, ended } = openStream()
  control.kept = undefined
  await vi.advanceTimersByTimeAsync(checkMs)
  await ended
})

describe('entries', () => {
  test('come at once, each one time, in the order of their ids', async () => {
    const { publish, events, control } = openStream({ id: '1-0', missed: [entry('1-1'), entry('1-2')], isReset: false })
    publish(entry('1-2'), entry('1-10'), entry('2-0'))
    await vi.advanceTimersByTimeAsync(0)
    expect(events()).toEqual(['machine 1-1', 'machine 1-2', 'machine 1-10', 'machine 2-0'])
    control.kept = [entry('1-10'), entry('2-0')]
    await vi.advanceTimersByTimeAsync(checkMs)
    expect(events()).toHaveLength(4)
  })

  test('that the subscription has lost come with the next check', async () => {
    const { control, events, publish } = openStream()
    control.kept = [entry('1-0'), entry('3-0'), entry('4-0')]
    await vi.advanceTimersByTimeAsync(checkMs)
    expect(events()).toEqual(['machine 3-0', 'machine 4-0'])
    publish(entry('4-0'), entry('5-0'))
    await vi.advanceTimersByTimeAsync(0)
    expect(events()).toEqual(['machine 3-0', 'machine 4-0', 'machine 5-0'])
  })

  test('that are not kept any more make a reset', async () => {
    const { control, events, publish } = openStream()
    control.kept = [entry('8-0'), entry('9-0')]
    await vi.advanceTimersByTimeAsync(checkMs)
    expect(events()).toEqual(['reset 9-0'])
    publish(entry('9-0'))
    control.kept = [] // Redis has lost its data
    await vi.advanceTimersByTimeAsync(checkMs)
    expect(events()).toEqual(['reset 9-0', 'reset 0-0'])
  })
})

test('it ends soon when its subscription brings nothing any more', async () => {
  const { control, events, ended, state, publish } = openStream()
  control.kept = [entry('1-0'), entry('2-0')]
  publish(entry('2-0'))
  await vi.advanceTimersByTimeAsync(2 * checkMs)
  control.kept = [entry('2-0'), entry('3-0')]
  await vi.advanceTimersByTimeAsync(checkMs - 1)
  expect([events(), state.hasEnded]).toEqual([['machine 2-0'], false])
  await vi.advanceTimersByTimeAsync(checkMs / 2)
  expect(events()).toEqual(['machine 2-0', 'machine 3-0'])
  await ended
})

test('it goes on when a check was faster than the subscription', async () => {
  const { control, state, publish, events } = openStream({ id: '1-0', missed: [entry('1-1')], isReset: false })
  control.kept = [entry('1-1')] // known at the beginning, so the subscription may have begun after it
  await vi.advanceTimersByTimeAsync(checkMs)
  control.kept = [entry('1-1'), entry('2-0')]
  await vi.advanceTimersByTimeAsync(checkMs)
  publish(entry('2-0'))
  await vi.advanceTimersByTimeAsync(4 * checkMs)
  expect([events(), state.hasEnded]).toEqual([['machine 1-1', 'machine 2-0'], false])
})

test('it ends when the client takes nothing for 30 s', async () => {
  const { control, ended, state, publish } = openStream()
  await vi.advanceTimersByTimeAsync(0)
  control.isStalled = true
  publish(entry('1-1'))
  await vi.advanceTimersByTimeAsync(stalledMs - 1)
  expect([state.hasEnded, control.isClosed]).toEqual([false, false])
  await vi.advanceTimersByTimeAsync(1)
  await ended
  expect(control.isClosed).toBe(true)
})

describe('the id with which a client continues', () => {
  test('moves on with each comment, although she may see none of the changes', async () => {
    const { control, publish, events, lastId } = openStream(fromStart, { ...audience, is_staff: false, account_id: 2 })
    const hidden = { machine_id: 1, revision: 1, owner_id: 1, site_ids: [3], job: null }
    control.kept = [{ id: '5-0', entry: JSON.stringify(hidden) }]
    publish(...control.kept)
    await vi.advanceTimersByTimeAsync(checkMs)
    expect([events(), lastId()]).toEqual([[], '5-0'])
  })

  test('comes with the reset and not before it, so that a connection which breaks in between is reset again', async () => {
    const { told, control } = openStream({ ...fromStart, isReset: true })
    control.isStalled = true
    await vi.advanceTimersByTimeAsync(0)
    expect(told.text).toBe(': connected\n\n')
  })
})

test('an entry that another version of the code has written makes a reset, and ends nothing', async () => {
  const { publish, events } = openStream()
  publish({ id: '2-0', entry: '{"machine":1}' }, { id: '2-1', entry: 'x' }, entry('3-0'))
  await vi.advanceTimersByTimeAsync(0)
  expect(events().map((each) => each.split('.')[0])).toEqual(['reset 2-0', 'reset 2-1', 'machine 3-0'])
})

test('it ends when the client has left', async () => {
  const { control, ended, publish } = openStream()
  control.isClosed = true
  publish(entry('1-1'))
  await vi.advanceTimersByTimeAsync(0)
  await ended
})

test.each([
  ['1-0', ['1-0', '2-0'], { id: '1-0', missed: ['2-0'], isReset: false }],
  ['1-0', ['1-0'], { id: '1-0', missed: [], isReset: false }],
  ['1-0', ['2-0'], { id: '2-0', missed: [], isReset: true }],
  ['1-0', [], { id: '0-0', missed: [], isReset: true }],
  ['0-0', [], { id: '0-0', missed: [], isReset: false }],
])('after %s with the entries %j', (id, kept, { missed, ...wanted }) => {
  const start = startAfter(
    id,
    kept.map((each) => entry(each)),
  )
  expect({ ...start, missed: start.missed.map((each) => each.id) }).toEqual({ ...wanted, missed })
})
