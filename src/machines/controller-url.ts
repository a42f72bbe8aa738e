// Checks the URL of a controller: commands go only to public http(s) hosts, however the host is written.
import ipaddr from 'ipaddr.js'

export const maxControllerUrlLength = 2048

/** Azure's metadata and DNS host: an internal service with an address in a public range. */
const azureWireServer = '168.63.129.16'

/** The only global unicast range of IPv6. IPv4-compatible addresses (`::127.0.0.1`), for example, are outside it. */
const globalUnicast = ipaddr.IPv6.parseCIDR('2000::/3')

/**
 * The URL parser (WHATWG) converts decimal, octal and hexadecimal IPv4 addresses to dotted decimal before the host is
 * checked. A Worker cannot check what a name resolves to; for names, the runtime's egress rules apply.
 * @param allowPrivate accepts loopback and private hosts
 * @returns what is wrong with the URL of a controller; undefined if it is acceptable
 */
export function findControllerUrlFault(text: string, allowPrivate: boolean): string | undefined {
  if ([...text].length > maxControllerUrlLength) return `must have at most ${maxControllerUrlLength} characters`
  // The parser drops tabs, line breaks and outer spaces: the stored URL would differ from the URL that is called.
  if (/[\s\p{Cc}]/u.test(text)) return 'must not contain spaces or control characters'
  if (!URL.canParse(text)) return 'must be a URL'
  const url = new URL(text)
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return 'must be an http or https URL'
  if (userInformation.test(text)) return 'must not contain user information'
  if (text.includes('#')) return 'must not contain a fragment'
  if (!allowPrivate && isPrivateHost(url.hostname)) return 'must not point to a loopback, private or reserved host'
  return undefined
}

/** Matches an `@` in the authority. As in the URL parser, `\` counts as `/`; name and password may be empty. */
const userInformation = /^[^:]*:[\\/]*[^\\/?#]*@/

const privateNames = ['localhost', 'local', 'internal']

function isPrivateHost(hostname: string): boolean {
  const host = hostname.replace(/\.+$/, '').replace(/^\[|\]$/g, '')
  if (!ipaddr.isValid(host)) return privateNames.some((name) => host === name || host.endsWith(`.${name}`))
  // `process` converts an IPv4-mapped IPv6 address to IPv4.
  const address = ipaddr.process(host)
  if (address.range() !== 'unicast' || address.toString() === azureWireServer) return true
  return address.kind() === 'ipv6' && !address.match(globalUnicast)
}
