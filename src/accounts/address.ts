// Where a request comes from, as limits and the list of sessions see it.
import ipaddr from 'ipaddr.js'

/**
 * The client's address from `CF-Connecting-IP`, the only header that Cloudflare sets itself and a client cannot forge.
 * An IPv6 address counts by its /64, which is what one household or one server gets; an IPv4-mapped one is IPv4.
 */
export function clientAddress(header: string | undefined): string {
  if (header === undefined || !ipaddr.isValid(header)) return 'unknown'
  const address = ipaddr.process(header)
  if (!(address instanceof ipaddr.IPv6)) return address.toString()
  return `${address.parts
    .slice(0, 4)
    .map((part) => part.toString(16))
    .join(':')}::/64`
}
