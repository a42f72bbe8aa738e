// The client address that the limits count by.
import { expect, test } from 'vitest'
import { clientAddress } from '../../src/accounts/address.ts'

test.each([
  [undefined, 'unknown'],
  ['', 'unknown'],
  ['not an address', 'unknown'],
  ['203.0.113.7, 198.51.100.1', 'unknown'],
  ['203.0.113.7', '203.0.113.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8:1:2:ffff::1', '2001:db8:1:2::/64'],
  ['2001:0DB8:0001:0002::1', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['::', '0:0:0:0::/64'],
  ['::ffff:203.0.113.7', '203.0.113.7'],
  ['::ffff:cb00:7107', '203.0.113.7'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
])('%s counts as %s', (header, address) => {
  expect(clientAddress(header)).toBe(address)
})
