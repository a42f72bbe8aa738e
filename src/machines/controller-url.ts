// Where commands may be posted to: an http(s) URL of the outside world, whatever spelling its host has.
import ipaddr from 'ipaddr.js'

export const longestControllerUrl = 2048

/** Azure's metadata and DNS host: an address that is public by its range alone. */
const azureWireServer = '168.63.129.16'

/** All that IANA has given out of IPv6 so far. Outside it are, among others, IPv4-compatible addresses (`::127.0.0.1`). */
const globalUnicast = ipaddr.IPv6.parseCIDR('2000::/3')

/**
 * Says what is wrong with a controller's URL, or undefined when it will do. The URL parser (WHATWG) has turned decimal,
 * octal and hexadecimal IPv4 spellings into the dotted one before the host is looked at. Names that resolve to an
 * inside address are beyond a Worker's sight; the runtime's egress rules hold there.
 * @param allowPrivate lets loopback and private hosts pass
 */
export function findControllerUrlFault(text: string, allowPrivate: boolean): string | undefined {
  if ([...text].length > longestControllerUrl) return `must have at most ${longestControllerUrl} characters`
  // The parser would drop tabs and line breaks, and spaces at the ends: what is stored would not be what is called.
  if (/[\s\p{Cc}]/u.test(text)) return 'must not contain spaces or control characters'
  if (!URL.canParse(text)) return 'must be a URL'
  const url = new URL(text)
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return 'must be an http or https URL'
  if (userInformation.test(text)) return 'must not contain user information'
  if (text.includes('#')) return 'must not contain a fragment'
  if (!allowPrivate && isInside(url.hostname)) return 'must not point to a loopback, private or reserved host'
  return undefined
}

/** An `@` in the authority, where `\` counts as `/` and empty names and passwords count too. */
const userInformation = /^[^:]*:[\\/]*[^\\/?#]*@/

const insideNames = ['localhost', 'local', 'internal']

function isInside(hostname: string): boolean {
  const host = hostname.replace(/\.+$/, '').replace(/^\[|\]$/g, '')
  if (!ipaddr.isValid(host)) return insideNames.some((name) => host === name || host.endsWith(`.${name}`))
  // `process` turns an IPv4-mapped IPv6 address into the IPv4 address that it is.
  const address = ipaddr.process(host)
  if (address.range() !== 'unicast' || address.toString() === azureWireServer) return true
  return address.kind() === 'ipv6' && !address.match(globalUnicast)
}
