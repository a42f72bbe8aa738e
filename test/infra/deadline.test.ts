// A deadline must not fire before an answer that arrived in time, when the isolate was only busy with a hash.
import { expect, test } from 'vitest'
import { within } from '../../src/infra/deadline.ts'

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

function holdUp(ms: number): void {
  const endsAt = performance.now() + ms
  while (performance.now() < endsAt);
}

test('a deadline fires when there is no answer in time', async () => {
  const beganAt = performance.now()
  const signal = await within(60, async (signal) => {
    await new Promise((resolve) => signal.addEventListener('abort', resolve))
    return signal
  })
  expect(performance.now() - beganAt).toBeGreaterThanOrEqual(55) // each timer may fire a millisecond early
  expect(signal.reason).toMatchObject({ name: 'TimeoutError', message: 'no answer within 60 ms' })
})

test('time in which the isolate was blocked hardly counts', async () => {
  const signal = await within(1_000, async (signal) => {
    // A plain timer of 1 s would have fired by then.
    for (const _hash of [1, 2, 3]) {
      holdUp(400)
      await pause(0)
    }
    return signal
  })
  expect(signal.aborted).toBe(false)
})

test('a deadline ends with its work, so that it does not keep a program running', async () => {
  const countTimers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length
  const before = countTimers()
  const signal = await within(10_000, async (signal) => signal)
  await expect(within(10_000, () => Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect(countTimers()).toBe(before)
  expect(signal.aborted).toBe(false)
})
