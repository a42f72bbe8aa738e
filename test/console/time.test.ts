// Ages, staleness and the server's clock of the console.
import { describe, expect, test } from 'vitest'
import { adjustOffset, ageOf, dayOf, endOfDay, isEndOfDay, isStale } from '../../src/console/time.ts'

const at = '2026-11-27T00:00:00.000Z'
const start = Date.parse(at)

describe('an age', () => {
  test.each([
    [-5_000, 'now', 0],
    [1_999, 'now', 0],
    [2_000, 'seconds', 2],
    [59_999, 'seconds', 59],
    [60_000, 'minutes', 1],
    [3_599_999, 'minutes', 59],
    [3_600_000, 'hours', 1],
    [48 * 3_600_000 - 1, 'hours', 47],
    [48 * 3_600_000, 'days', 2],
  ])('of %i ms is %s %i', (ms, unit, n) => {
    expect(ageOf(at, start + ms)).toEqual({ unit, n })
  })
})

describe('a report', () => {
  test.each([
    [0, false],
    [30_000, false],
    [30_001, true],
    [-1_000, false],
  ])('every 10 s, %i ms ago, is stale: %s', (ms, expected) => {
    expect(isStale({ at, interval_seconds: 10 }, start + ms)).toBe(expected)
  })

  test('that never was is not stale', () => {
    expect(isStale(null, start)).toBe(false)
  })
})

describe('the offset of the clock', () => {
  const serverDate = new Date(start).toUTCString()
  test.each([
    ['stays if the header allows it', 300, 0, 100, 300],
    ['becomes as small as the header allows', 9_000, 0, 100, 1_000],
    ['becomes as large as the header allows', -9_000, 0, 100, -100],
    ['corrects a clock that is an hour behind', 0, -3_600_000, -3_599_900, 3_599_900],
  ])('%s', (_, offset, sent, received, expected) => {
    const sample = { serverDate, sentAt: start + sent, receivedAt: start + received }
    expect(adjustOffset(offset, sample)).toBe(expected)
  })

  test.each([null, 'yesterday'])('stays without a date: %s', (date) => {
    expect(adjustOffset(7, { serverDate: date, sentAt: 0, receivedAt: 0 })).toBe(7)
  })
})

describe('the last day of a role or a key', () => {
  const local = (hours: number, minutes = 0, seconds = 0) => new Date(2026, 10, 27, hours, minutes, seconds)

  test('ends with its last second here', () => {
    expect(Date.parse(endOfDay('2026-11-27'))).toBe(local(23, 59, 59).getTime())
  })

  test.each([local(0), local(12), local(23, 59, 59)])('is that of %s', (date) => {
    expect(dayOf(date.getTime())).toBe('2026-11-27')
  })

  test.each([
    [local(23, 59, 59), true],
    [local(23, 59, 58), false],
    [local(9), false],
  ])('ends at %s: %s', (date, expected) => {
    expect(isEndOfDay(date.toISOString())).toBe(expected)
  })
})
