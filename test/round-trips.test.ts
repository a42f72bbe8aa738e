// Tests the counting of round trips.
import { expect, test } from 'vitest'
import { longestChain } from './round-trips.ts'

const cases: [string, [startedAt: number, endedAt: number][], number][] = [
  ['no calls are no chain', [], 0],
  ['one call is a chain of one', [[0, 5]], 1],
  [
    'sequential calls are all counted, in any order of the list',
    [
      [20, 30],
      [0, 10],
      [10, 20],
    ],
    3,
  ],
  [
    'parallel calls count once',
    [
      [0, 10],
      [1, 9],
      [2, 12],
    ],
    1,
  ],
  [
    'two short calls in parallel with a long one count as two',
    [
      [0, 100],
      [0, 10],
      [11, 20],
    ],
    2,
  ],
  [
    'a call that overlaps two does not join them',
    [
      [0, 10],
      [9, 21],
      [20, 30],
    ],
    2,
  ],
]

test.each(cases)('%s', (_, spans, length) => {
  expect(longestChain(spans.map(([startedAt, endedAt]) => ({ startedAt, endedAt })))).toBe(length)
})
