// Conditional headers by RFC 9110 §13.
import { expect, test } from 'vitest'
import { isNotModified, readIfMatch } from '../../src/http/etag.ts'

test.each<[string | undefined, boolean]>([
  [undefined, false],
  ['"1.2"', true],
  ['W/"1.2"', true],
  ['*', true],
  [' * ', true],
  ['"1.1", "1.2"', true],
  ['"1.1","1.2"', true],
  ['W/"1.1", W/"1.2"', true],
  ['"a,b", "1.2"', true],
  ['', false],
  ['"1.1"', false],
  ['1.2', false],
  ['"1.2', false],
  ['"1.2.public"', false],
  ['"1.2 "', false],
  ['"*"', false],
])('If-None-Match: %s names "1.2": %s', (header, isNamed) => {
  expect(isNotModified(header, '"1.2"')).toBe(isNamed)
})

test.each<[string | undefined, string[] | undefined]>([
  [undefined, undefined],
  ['*', undefined],
  [' * ', undefined],
  ['"1.2"', ['"1.2"']],
  ['"1.1", "1.2"', ['"1.1"', '"1.2"']],
  ['W/"1.2"', []],
  ['W/"1.1", "1.2"', ['"1.2"']],
  ['', []],
  ['1.2', []],
  ['"a,b"', ['"a,b"']],
])('If-Match: %s allows %j', (header, tags) => {
  expect(readIfMatch(header)).toEqual(tags)
})
