// Which screen an address of the console shows.
import { expect, test } from 'vitest'
import { parseHash, toHash } from '../../src/console/address.ts'

test.each([
  ['', { screen: 'board', id: undefined, query: {} }],
  ['#/', { screen: 'board', id: undefined, query: {} }],
  ['#/?q=%EC%82%AC%EC%B6%9C&status=ERROR', { screen: 'board', id: undefined, query: { q: '사출', status: 'ERROR' } }],
  ['#/machines/42', { screen: 'machine', id: 42, query: {} }],
  ['#/machines/42/', { screen: 'machine', id: 42, query: {} }],
  ['#/machines/x', { screen: 'notFound', id: undefined, query: {} }],
  ['#/machines/9999999999999999999', { screen: 'notFound', id: undefined, query: {} }],
  ['#/sites/3?tab=1', { screen: 'site', id: 3, query: { tab: '1' } }],
  ['#/elsewhere', { screen: 'notFound', id: undefined, query: {} }],
  ['#/reset-password?token=a%2Bb', { screen: 'reset', id: undefined, query: { token: 'a+b' } }],
])('%s', (hash, route) => {
  expect(parseHash(hash)).toEqual(route)
})

test.each([
  [toHash('board'), '#/'],
  [toHash('board', { query: { q: '사출기 1', status: '' } }), '#/?q=%EC%82%AC%EC%B6%9C%EA%B8%B0+1'],
  [toHash('machine', { id: 42 }), '#/machines/42'],
])('is written as %s', (written, expected) => {
  expect(written).toBe(expected)
})

test('is read as it was written', () => {
  const query = { q: 'a&b=c?d#e', site: '7' }
  expect(parseHash(toHash('site', { id: 7, query }))).toEqual({ screen: 'site', id: 7, query })
})
