// The bar of the last 24 hours: from jobs and the present status.
import { expect, test } from 'vitest'
import { computeRunBar, type Segment, sumBar } from '../../src/console/run-bar.ts'

const hour = 3_600_000
const now = Date.parse('2026-11-27T12:00:00Z')
const from = now - 24 * hour
const hoursAgo = (hours: number) => new Date(now - hours * hour).toISOString()

type Job = Parameters<typeof computeRunBar>[0][number]
const job = (command: Job['command'], state: Job['state'], hours: number): Job => ({
  command,
  state,
  reason: null,
  sent_at: hoursAgo(hours),
  finished_at: hoursAgo(hours),
})
const machine = (status: 'RUNNING' | 'READY' | 'ERROR', hours: number) => ({
  status,
  status_at: hoursAgo(hours),
  reported: null,
})
/** `RUNNING 24-6`: from 24 hours ago to 6 hours ago. */
const describeBar = (segments: Segment[]) =>
  segments.map((each) => `${each.status} ${(now - each.from) / hour}-${(now - each.to) / hour}`)

test.each([
  ['nothing known before the present status', [], machine('READY', 6), ['unknown 24-6', 'READY 6-0']],
  ['the present status is older than the bar', [], machine('READY', 60), ['READY 24-0']],
  [
    'START and STOP',
    [job('STOP', 'SUCCEEDED', 2), job('START', 'SUCCEEDED', 10)],
    machine('READY', 2),
    ['unknown 24-10', 'RUNNING 10-2', 'READY 2-0'],
  ],
  [
    'a job before the bar decides how it begins',
    [job('START', 'SUCCEEDED', 30)],
    machine('READY', 1),
    ['RUNNING 24-1', 'READY 1-0'],
  ],
  [
    'a failure, and jobs that changed nothing',
    [job('START', 'EXPIRED', 3), job('START', 'REJECTED', 4), job('STOP', 'FAILED', 5), job('START', 'SUCCEEDED', 8)],
    machine('READY', 1),
    ['unknown 24-8', 'RUNNING 8-5', 'ERROR 5-1', 'READY 1-0'],
  ],
  [
    'the same status twice is one part',
    [job('STOP', 'SUCCEEDED', 9)],
    machine('READY', 4),
    ['unknown 24-9', 'READY 9-0'],
  ],
  ['a clock that is behind', [], machine('RUNNING', -1), ['unknown 24-0']],
])('%s', (_, jobs, present, expected) => {
  expect(describeBar(computeRunBar(jobs, present, from, now))).toEqual(expected)
})

test('reports that have stopped end what is known', () => {
  const reported = {
    status: 'RUNNING' as const,
    mode: null,
    remote_enabled: null,
    cycles: null,
    last_cycle_ms: null,
    alarm: null,
    at: hoursAgo(2),
    is_fresh: true,
    interval_seconds: 300,
  }
  const bar = computeRunBar([], { ...machine('RUNNING', 20), reported }, from, now)
  expect(describeBar(bar)).toEqual(['unknown 24-20', 'RUNNING 20-1.75', 'stale 1.75-0'])
  expect(sumBar(bar).get('RUNNING')).toBe(18.25 * hour)
})
