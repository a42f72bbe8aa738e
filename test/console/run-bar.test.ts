// The bar of the last 24 hours: from the statuses that are stored and the last report.
import { expect, test } from 'vitest'
import type { StatusChange } from '../../src/client/api.ts'
import { computeRunBar, type Segment, sumBar } from '../../src/console/run-bar.ts'

const hour = 3_600_000
const now = Date.parse('2026-11-27T12:00:00Z')
const from = now - 24 * hour
const hoursAgo = (hours: number) => new Date(now - hours * hour).toISOString()

type Row = [status: StatusChange['status'], hours: number, source?: StatusChange['source']]
const toHistory = (rows: Row[]) =>
  rows.map(([status, hours, source = 'report']) => ({ status, source, at: hoursAgo(hours) }))
/** `RUNNING 24-6`: from 24 hours ago to 6 hours ago. */
const describeBar = (segments: Segment[]) =>
  segments.map((each) => `${each.status} ${(now - each.from) / hour}-${(now - each.to) / hour}`)

test.each<[string, Row[], string[]]>([
  ['nothing stored', [], ['unknown 24-0']],
  ['a machine that is new', [['READY', 6, 'person']], ['unknown 24-6', 'READY 6-0']],
  ['a status from before the bar', [['READY', 60]], ['READY 24-0']],
  [
    'a status that begins with the bar',
    [
      ['READY', 6],
      ['RUNNING', 24],
    ],
    ['RUNNING 24-6', 'READY 6-0'],
  ],
  [
    'the newest first, as the API answers',
    [
      ['READY', 2, 'command'],
      ['ERROR', 5],
      ['RUNNING', 10, 'command'],
      ['READY', 30],
    ],
    ['READY 24-10', 'RUNNING 10-5', 'ERROR 5-2', 'READY 2-0'],
  ],
  [
    'the same status twice is one part',
    [
      ['READY', 4, 'report'],
      ['READY', 9, 'person'],
    ],
    ['unknown 24-9', 'READY 9-0'],
  ],
  [
    'a silence that has ended',
    [
      ['RUNNING', 3],
      [null, 8],
      ['RUNNING', 30],
    ],
    ['RUNNING 24-8', 'stale 8-3', 'RUNNING 3-0'],
  ],
  [
    'what others say of a silent machine',
    [
      ['READY', 2],
      ['RUNNING', 5, 'person'],
      ['ERROR', 6, 'command'],
      [null, 8],
      ['RUNNING', 30],
    ],
    ['RUNNING 24-8', 'stale 8-2', 'READY 2-0'],
  ],
  ['a clock that is behind', [['RUNNING', -1]], ['unknown 24-0']],
])('%s', (_, rows, expected) => {
  expect(describeBar(computeRunBar(toHistory(rows), null, from, now))).toEqual(expected)
})

const reportedAgo = (hours: number) => ({
  status: 'RUNNING' as const,
  mode: null,
  remote_enabled: null,
  cycles: null,
  last_cycle_ms: null,
  alarm: null,
  at: hoursAgo(hours),
  is_fresh: true,
  interval_seconds: 300,
})

test('reports that have stopped end what is known', () => {
  const history = toHistory([
    ['READY', 1, 'person'],
    ['RUNNING', 20],
  ])
  const bar = computeRunBar(history, reportedAgo(2), from, now)
  expect(describeBar(bar)).toEqual(['unknown 24-20', 'RUNNING 20-1.75', 'stale 1.75-0'])
  expect(sumBar(bar).get('RUNNING')).toBe(18.25 * hour)
  // The API says the same, once the history has been read again.
  expect(computeRunBar([...history, ...toHistory([[null, 1.75]])], reportedAgo(2), from, now)).toEqual(bar)
})

test('reports that go on end nothing', () => {
  expect(describeBar(computeRunBar(toHistory([['RUNNING', 30]]), reportedAgo(0.1), from, now))).toEqual([
    'RUNNING 24-0',
  ])
})
