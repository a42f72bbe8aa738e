// The trace of the upstream calls of a request.
import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { Trace } from '../../src/kernel/trace.ts'

test('a call is recorded with its start and its duration, and its result is returned', async () => {
  const trace = new Trace()
  await delay(20)
  expect(await trace.measure('postgres', () => delay(30, 'rows'))).toBe('rows')
  expect(trace.roundTrips).toHaveLength(1)
  const [call] = trace.roundTrips
  expect(call?.upstream).toBe('postgres')
  // A timer may fire a millisecond early by the clock.
  expect(call?.startMs).toBeGreaterThanOrEqual(19)
  expect(call?.durationMs).toBeGreaterThanOrEqual(29)
  expect(trace.elapsedMs()).toBeGreaterThanOrEqual(48)
})

test('a call that fails is recorded too, and its error is thrown', async () => {
  const trace = new Trace()
  const failure = new Error('unavailable')
  await expect(trace.measure('redis', () => Promise.reject(failure))).rejects.toBe(failure)
  expect(trace.roundTrips).toMatchObject([{ upstream: 'redis' }])
})

test('parallel calls are recorded in the order in which they end', async () => {
  const trace = new Trace()
  await Promise.all([trace.measure('qstash', () => delay(40)), trace.measure('redis', () => delay(5))])
  expect(trace.roundTrips.map(({ upstream }) => upstream)).toEqual(['redis', 'qstash'])
})
