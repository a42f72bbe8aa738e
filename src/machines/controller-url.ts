// Checks the URL of a controller: commands go only to public http(s) names, however the host is written.
import ipaddr from 'ipaddr.js'

export const maxControllerUrlLength = 2048

/**
 * The URL parser (WHATWG) converts decimal, octal and hexadecimal IPv4 addresses to dotted decimal before the host is
 * checked. A Worker cannot check what a name resolves to; for names, the runtime's egress rules apply.
 * @param allowPrivate accepts IP addresses and private names
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
  return allowPrivate ? undefined : findHostFault(url.hostname)
}

/**
 * The same text for all spellings of one address: scheme and host in lower case, no default port, no trailing dot of the
 * host, no `.` and `..` in the path, no empty query, and `%` only where it is needed (RFC 3986 §6.2.2).
 */
export function normalizeControllerUrl(text: string): string {
  const url = new URL(text)
  url.hostname = url.hostname.replace(/\.+$/, '')
  if (url.search === '') url.search = '' // removes the `?`
  return url.href.replace(/%[0-9a-f]{2}/gi, (code) => {
    const character = String.fromCharCode(Number.parseInt(code.slice(1), 16))
    return /[\w.~-]/.test(character) ? character : code.toUpperCase()
  })
}

/** Matches an `@` in the authority. As in the URL parser, `\` counts as `/`; name and password may be empty. */
const userInformation = /^[^:]*:[\\/]*[^\\/?#]*@/

/** Names that are resolved in one network only, and all names below them. */
const privateNames = ['localhost', 'local', 'internal', 'lan', 'home.arpa', 'svc']

function findHostFault(hostname: string): string | undefined {
  const host = hostname.replace(/\.+$/, '').replace(/^\[|\]$/g, '')
  // Cloudflare's error 1003. `isValid` knows more spellings than the URL parser, such as `0x7f.1..`.
  if (ipaddr.isValid(host))
    return 'must not have an IP address as its host: Cloudflare answers 403 to a Worker that calls one'
  const isPrivate = !host.includes('.') || privateNames.some((name) => host === name || host.endsWith(`.${name}`))
  return isPrivate ? 'must not point to a private host, such as a name without a dot or below .local' : undefined
}
