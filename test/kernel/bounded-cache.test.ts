// The cache of bounded size.
import { expect, test } from 'vitest'
import { BoundedCache } from '../../src/kernel/bounded-cache.ts'

test('it keeps entries up to its limit and drops the oldest', () => {
  const memo = new BoundedCache<number>(2)
  memo.set('a', 1)
  memo.set('b', 2)
  memo.set('c', 3)
  expect(['a', 'b', 'c'].map((key) => memo.get(key))).toEqual([undefined, 2, 3])
})
