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
  ['"1.2-gzip"', true],
  ['"1.2-br"', true],
  ['"1.2--gzip"', true],
  ['"1.2-zstd"', true],
  ['W/"1.2-gzip"', true],
  ['W/"1.1-br", W/"1.2--br"', true],
  ['W/"someone else\'s", "1.2"', true],
  ['', false],
  ['W/"1.1"', false],
  ['"1.1-gzip"', false],
  ['"1.2-lzma"', false],
  ['"1.2gzip"', false],
  ['"1.2-gzip-x"', false],
  ['"-gzip"', false],
  ['W/*', false],
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
  ['W/"1.2"', ['"1.2"']],
  ['W/"1.1", "1.2"', ['"1.1"', '"1.2"']],
  ['"1.2-gzip"', ['"1.2"']],
  ['"1.2--gzip"', ['"1.2"']],
  ['"1.2-br"', ['"1.2"']],
  ['W/"1.2-gzip", "1.1-br"', ['"1.2"', '"1.1"']],
  ['"1.2-gzip-br"', ['"1.2"']],
  ['"1.2-lzma"', ['"1.2-lzma"']],
  ['"gzip"', ['"gzip"']],
  ['', []],
  ['1.2', []],
  ['"a,b"', ['"a,b"']],
])('If-Match: %s allows %j', (header, tags) => {
  expect(readIfMatch(header)).toEqual(tags)
})
