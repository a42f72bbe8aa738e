// Which values of controller_url are accepted, for every spelling of a host.
import { describe, expect, test } from 'vitest'
import {
  findControllerUrlFault,
  maxControllerUrlLength,
  normalizeControllerUrl,
} from '../../src/machines/controller-url.ts'
import { addressUrls, outsideUrls, privateNameUrls } from './controller-urls.ts'

const address = 'must not have an IP address as its host: Cloudflare answers 403 to a Worker that calls one'
const privateName = 'must not point to a private host, such as a name without a dot or below .local'

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

  const outcome = allowPrivate ? 'is accepted' : 'is refused'
  test.each(addressUrls)(`the address %s ${outcome}`, (url) => {
    expect(findControllerUrlFault(url, allowPrivate)).toBe(allowPrivate ? undefined : address)
  })

  test.each(privateNameUrls)(`the private name %s ${outcome}`, (url) => {
    expect(findControllerUrlFault(url, allowPrivate)).toBe(allowPrivate ? undefined : privateName)
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

test.each([
  'HTTPS://Example.COM:443/m/1?a=~',
  'https://example.com./m/1?a=~',
  'https://example.com/x/../m/./1?a=~',
  'https://example.com/%6d/1?a=%7E',
  'https://example.com/%6D/%31?%61=%7e',
])('%s is one address, however it is spelled', (url) => {
  expect(normalizeControllerUrl(url)).toBe('https://example.com/m/1?a=~')
})

test('an empty query is none, and what must be escaped stays', () => {
  expect(normalizeControllerUrl('https://example.com/m?')).toBe('https://example.com/m')
  expect(normalizeControllerUrl('https://example.com/a%2fb%3f%ea%b0%80')).toBe('https://example.com/a%2Fb%3F%EA%B0%80')
  expect(normalizeControllerUrl('https://example.com/가')).toBe('https://example.com/%EA%B0%80')
  expect(normalizeControllerUrl('https://example.com/a%')).toBe('https://example.com/a%')
})
