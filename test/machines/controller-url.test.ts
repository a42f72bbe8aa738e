// Which controllers a machine may have, spelling by spelling.
import { describe, expect, test } from 'vitest'
import { findControllerUrlFault, longestControllerUrl } from '../../src/machines/controller-url.ts'

const inside = 'must not point to a loopback, private or reserved host'

const outsideUrls = [
  'https://controller.example.com/machines/1',
  'http://controller.example.com:8080/machines/1?line=2',
  'https://93.184.216.34/',
  'https://[2606:2800:220:1:248:1893:25c8:1946]/',
  'https://한국.example/',
  'https://example.com./',
  'https://localhost.example.com/',
  'https://mylocalhost/',
  'https://internal.example.com/',
  'https://example.com/@me',
  'https://example.com/?to=a@b',
  'HTTPS://EXAMPLE.COM/',
]

const insideUrls = [
  // Loopback in every spelling that a URL knows.
  'http://127.0.0.1/',
  'http://127.255.255.254/',
  'http://127.1/',
  'http://127.0.1/',
  'http://2130706433/',
  'http://0x7f000001/',
  'http://0x7f.0.0.1/',
  'http://0177.0.0.1/',
  'http://017700000001/',
  'http://0x7F.1/',
  'http://127.0.0.1./',
  'http://127.0.0.1../',
  'http://%31%32%37.0.0.1/',
  'http://①②⑦.0.0.1/',
  'http://127。0。0。1/',
  'http://0/',
  'http://0.0.0.0/',
  'http:127.0.0.1/',
  'http:\\\\127.0.0.1\\',
  'http://[::1]/',
  'http://[0:0:0:0:0:0:0:1]/',
  'http://[::]/',
  'http://[::127.0.0.1]/',
  'http://[::7f00:1]/',
  'http://[::ffff:127.0.0.1]/',
  'http://[::ffff:7f00:1]/',
  'http://[::ffff:0:127.0.0.1]/',
  'http://[64:ff9b::127.0.0.1]/',
  'http://[64:ff9b:1::7f00:1]/',
  'http://[2002:7f00:1::]/',
  'http://[2001:0:7f00:1::]/',
  // Private, shared, link-local.
  'http://10.0.0.1/',
  'http://172.16.0.1/',
  'http://172.31.255.255/',
  'http://192.168.1.1/',
  'http://100.64.0.1/',
  'http://169.254.1.1/',
  'http://3232235777/',
  'http://[fc00::1]/',
  'http://[fd12:3456::1]/',
  'http://[fe80::1]/',
  'http://[fec0::1]/',
  'http://[::ffff:10.0.0.1]/',
  'http://[::ffff:c0a8:101]/',
  // Metadata.
  'http://169.254.169.254/latest/meta-data/',
  'http://0xa9fea9fe/',
  'http://[::ffff:169.254.169.254]/',
  'http://[fd00:ec2::254]/',
  'http://100.100.100.200/',
  'http://168.63.129.16/',
  'http://192.0.0.192/',
  'http://metadata.google.internal/',
  // Documentation, benchmarks, multicast, reserved.
  'http://192.0.2.1/',
  'http://198.51.100.1/',
  'http://203.0.113.1/',
  'http://198.18.0.1/',
  'http://224.0.0.1/',
  'http://240.0.0.1/',
  'http://255.255.255.255/',
  'http://[2001:db8::1]/',
  'http://[3fff::1]/',
  'http://[ff02::1]/',
  'http://[100::1]/',
  'http://[4000::1]/',
  // Names.
  'http://localhost/',
  'http://LOCALHOST:8080/',
  'http://localhost./',
  'http://localhost../',
  'http://ｌocalhost/',
  'http://%6cocalhost/',
  'http://machine.localhost/',
  'http://press.local/',
  'http://PRESS.LOCAL./',
  'http://local/',
  'http://db.internal/',
  'http://internal/',
]

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
  [`https://example.com/${'x'.repeat(longestControllerUrl - 19)}`, 'must have at most 2048 characters'],
]

describe.each([
  { allowPrivate: false, name: 'without' },
  { allowPrivate: true, name: 'with' },
])('$name private controllers', ({ allowPrivate }) => {
  test.each(outsideUrls)('%s will do', (url) => {
    expect(findControllerUrlFault(url, allowPrivate)).toBeUndefined()
  })

  test.each(insideUrls)(`%s ${allowPrivate ? 'will do, too' : 'is refused'}`, (url) => {
    expect(findControllerUrlFault(url, allowPrivate)).toBe(allowPrivate ? undefined : inside)
  })

  test.each(badUrls)('%j %s', (url, fault) => {
    expect(findControllerUrlFault(url, allowPrivate)).toBe(fault)
  })
})

test('2,048 characters are the most, counted as code points', () => {
  const start = 'https://example.com/'
  expect(findControllerUrlFault(start + 'x'.repeat(longestControllerUrl - start.length), false)).toBeUndefined()
  expect(findControllerUrlFault(start + '🏭'.repeat(longestControllerUrl - start.length), false)).toBeUndefined()
})
