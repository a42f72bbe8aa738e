// Which values of controller_url are accepted, for every spelling of a host.
import { describe, expect, test } from 'vitest'
import { findControllerUrlFault, maxControllerUrlLength } from '../../src/machines/controller-url.ts'
import { insideUrls, outsideUrls } from './controller-urls.ts'

const inside = 'must not point to a loopback, private or reserved host'

const badUrls: [string, string][] = [
  ['', 'must be a URL'],
  ['controller', 'must be a URL'],
  ['/machines/1', 'must be a URL'],
  ['//example.com/', 'must be a URL'],
  ['https://', 'must be a URL'],
  ['https://exa mple.com/', 'must not contain spaces or control characters'],
  [' https://example.com/', 'must not contain spaces or control characters'],
  ['https://example.com/\n', 'must not contain spaces or control characters'],
  ['https://exa\tmple.com/', 'must not contain spaces or control characters'],
  ['https://example.com:99999/', 'must be a URL'],
  ['https://[fe80::1%25eth0]/', 'must be a URL'],
  ['https://[::1', 'must be a URL'],
  ['https://256.256.256.256/', 'must be a URL'],
  ['javascript:alert(1)', 'must be an http or https URL'],
  ['ftp://example.com/', 'must be an http or https URL'],
  ['file:///etc/passwd', 'must be an http or https URL'],
  ['data:text/plain,x', 'must be an http or https URL'],
  ['ws://example.com/', 'must be an http or https URL'],
  ['gopher://example.com/', 'must be an http or https URL'],
  ['https://user@example.com/', 'must not contain user information'],
  ['https://user:password@example.com/', 'must not contain user information'],
  ['https://@example.com/', 'must not contain user information'],
  ['https://:@example.com/', 'must not contain user information'],
  ['https:user@example.com/', 'must not contain user information'],
  ['https:\\\\user@example.com/', 'must not contain user information'],
  ['https://example.com@127.0.0.1/', 'must not contain user information'],
  ['https://example.com/#part', 'must not contain a fragment'],
  ['https://example.com/#', 'must not contain a fragment'],
  [`https://example.com/${'x'.repeat(maxControllerUrlLength - 19)}`, 'must have at most 2048 characters'],
]

describe.each([
  { allowPrivate: false, name: 'without' },
  { allowPrivate: true, name: 'with' },
])('$name private controllers', ({ allowPrivate }) => {
  test.each(outsideUrls)('%s is accepted', (url) => {
    expect(findControllerUrlFault(url, allowPrivate)).toBeUndefined()
  })

  test.each(insideUrls)(`%s ${allowPrivate ? 'is accepted' : 'is refused'}`, (url) => {
    expect(findControllerUrlFault(url, allowPrivate)).toBe(allowPrivate ? undefined : inside)
  })

  test.each(badUrls)('%j %s', (url, fault) => {
    expect(findControllerUrlFault(url, allowPrivate)).toBe(fault)
  })
})

test('the maximum is 2,048 characters, counted as code points', () => {
  const start = 'https://example.com/'
  expect(findControllerUrlFault(start + 'x'.repeat(maxControllerUrlLength - start.length), false)).toBeUndefined()
  expect(findControllerUrlFault(start + '🏭'.repeat(maxControllerUrlLength - start.length), false)).toBeUndefined()
})
