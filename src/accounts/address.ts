// The client address of a request, for limits and the list of sessions.
import ipaddr from 'ipaddr.js'

/**
 * The client's address from `CF-Connecting-IP`, the only header that Cloudflare sets itself and a client cannot forge.
 * An IPv6 address is reduced to its /64, the prefix of one household or one server. An IPv4-mapped one becomes IPv4.
 * @returns `unknown` if the header is missing or invalid
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
