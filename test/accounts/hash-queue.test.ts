// The queue of password hashes, with hashes of any duration and a clock of the test.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createHashQueue, type HashQueue } from '../../src/accounts/hash-queue.ts'

let queue: HashQueue
beforeEach(() => {
  vi.useFakeTimers()
  queue = createHashQueue()
})
afterEach(() => {
  vi.useRealTimers()
})

type Span = { name: number; startedAt: number; endedAt: number }

/** Starts these hashes at the same time. @returns when each ran, in the order of their ends */
function runAll(names: number[], hash: () => Promise<void>): Span[] {
  const spans: Span[] = []
  for (const name of names) {
    const work = async () => {
      const startedAt = Date.now()
      await hash()
      spans.push({ name, startedAt, endedAt: Date.now() })
    }
    queue.run(work).catch(() => undefined)
  }
  return spans
}

const takes = (ms: number) => () => new Promise<void>((resolve) => setTimeout(resolve, ms))
/** In workerd, scrypt blocks the isolate: the clock runs on, and no timer fires. */
const blocks = (ms: number) => async () => {
  vi.setSystemTime(Date.now() + ms)
}

const nine = [1, 2, 3, 4, 5, 6, 7, 8, 9]
const durations = [1, 100, 1_999, 2_600, 10_000, 60_000]

describe.each([
  ['lets others run', takes],
  ['blocks the isolate', blocks],
])('a hash that %s', (_, hashOf) => {
  test.each(durations)('and takes %i ms runs alone, in the order of arrival', async (ms) => {
    const spans = runAll(nine, hashOf(ms))
    await vi.advanceTimersByTimeAsync(9 * (ms + 1_500))
    expect(spans.map(({ name }) => name)).toEqual(nine)
    for (const [index, { startedAt }] of spans.entries()) {
      expect(startedAt).toBeGreaterThanOrEqual(spans[index - 1]?.endedAt ?? 0)
    }
  })

  test('is followed by a rest of twice its duration if others wait', async () => {
    const spans = runAll([1, 2, 3], hashOf(100))
    await vi.advanceTimersByTimeAsync(2_000)
    expect(spans).toHaveLength(3)
    for (const [index, { startedAt }] of spans.entries()) {
      const rest = startedAt - (spans[index - 1]?.endedAt ?? Number.NEGATIVE_INFINITY)
      expect(rest).toBeGreaterThanOrEqual(200)
    }
  })
})

test('hashes one after the other do not wait for the rest, until 3 s of it are owed', async () => {
  const spans: Span[][] = []
  for (let n = 0; n < 40; n += 1) {
    spans.push(runAll([n], blocks(100)))
    await vi.advanceTimersByTimeAsync(20)
    while (spans.at(-1)?.length === 0) await vi.advanceTimersByTimeAsync(10)
  }
  const ran = spans.flat()
  const waits = ran.slice(1).map(({ startedAt }, index) => startedAt - (ran[index]?.endedAt ?? 0))
  expect(Math.max(...waits.slice(0, 15))).toBeLessThan(50)
  expect(Math.min(...waits.slice(-10))).toBeGreaterThanOrEqual(180)
})

test('a hash that fails makes room for the next one', async () => {
  const failing = queue.run(async () => Promise.reject(new Error('out of memory')))
  const failed = expect(failing).rejects.toThrow('out of memory')
  const spans = runAll([2], takes(1))
  await vi.advanceTimersByTimeAsync(100)
  await failed
  expect(spans).toHaveLength(1)
})

test('an urgent request finds a place in a full queue, and goes first', async () => {
  const ended: string[] = []
  const run = (name: string, isUrgent: boolean) =>
    queue.run(takes(100), { isUrgent }).then(
      () => ended.push(name),
      () => ended.push(`${name} refused`),
    )
  for (const name of nine) void run(`guess ${name}`, false)
  await vi.advanceTimersByTimeAsync(50) // the first one runs
  void run('guess 10', false)
  for (const name of nine) void run(`urgent ${name}`, true)
  void run('urgent 10', true)
  await vi.advanceTimersByTimeAsync(10_000)
  const [, ...eight] = nine
  expect(ended).toEqual([
    'guess 10 refused',
    'urgent 10 refused',
    'guess 1',
    ...nine.map((name) => `urgent ${name}`),
    ...eight.map((name) => `guess ${name}`),
  ])
})

describe('a canceled request', () => {
  /** Its timers fire no more. */
  const canceled = () => new Promise<void>(() => undefined)
  /** Is canceled after its first wait, when its hash runs. */
  function cancelLater() {
    let waits = 0
    return (ms: number) => {
      waits += 1
      return waits > 1 ? canceled() : takes(ms)()
    }
  }

  test('gives back its place, also while its hash runs', async () => {
    void queue.run(takes(5), { sleep: cancelLater() })
    const spans = runAll([2], takes(1))
    await vi.advanceTimersByTimeAsync(5_000)
    expect(spans).toHaveLength(1)
  })

  test('does not keep its place in a full queue, even if nobody waits', async () => {
    for (const _place of nine) void queue.run(takes(1), { sleep: canceled })
    const ask = () => queue.run(async () => 'done')
    await expect(ask()).rejects.toMatchObject({ code: 'rate_limited' })
    await vi.advanceTimersByTimeAsync(3_000)
    await expect(ask()).rejects.toMatchObject({ code: 'rate_limited' })
    await vi.advanceTimersByTimeAsync(3_000)
    const asked = expect(ask()).resolves.toBe('done')
    await vi.advanceTimersByTimeAsync(100)
    await asked
  })
})
