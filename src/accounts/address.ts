// Where a request comes from, as limits and the list of sessions see it.

/**
 * The client's address from `CF-Connecting-IP`, the only header that Cloudflare sets itself and a client cannot forge.
 * An IPv6 address counts by its /64, which is what one household or one server gets.
 */
export function clientAddress(header: string | undefined): string {
  if (header === undefined) return 'unknown'
  if (!header.includes(':')) return header.slice(0, 45)
  const [head = '', tail = ''] = header.toLowerCase().split('%')[0]?.split('::') ?? []
  const front = head === '' ? [] : head.split(':')
  const back = tail === '' ? [] : tail.split(':')
  const isShortened = header.includes('::')
  const groups = isShortened
    ? [...front, ...Array(Math.max(0, 8 - front.length - back.length)).fill('0'), ...back]
    : front
  const prefix = groups.slice(0, 4).map((group) => group.replace(/^0+(?=.)/, ''))
  return `${prefix.join(':')}::/64`
}
