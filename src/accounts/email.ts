// E-mail addresses as Django and browsers take them
// (https://html.spec.whatwg.org/multipage/input.html#valid-e-mail-address): the local part is ASCII, the domain may have
// any letters.
import { foldName } from './account.ts'

const atom = "[a-zA-Z0-9!#$%&'*+/=?^_`{|}~-]+"
const localPart = new RegExp(`^${atom}(\\.${atom})*$`)
/** Before it is parsed as the host of a URL: no character that ends a host. */
const anyDomain = /^[\p{L}\p{M}\p{N}-]+(\.[\p{L}\p{M}\p{N}-]+)+$/u
const label = '[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?'
const asciiDomain = new RegExp(`^(${label}\\.)+${label}$`)

/** The domain in lower case and punycode, as in DNS; undefined if it is not one. */
function toAsciiDomain(domain: string): string | undefined {
  // A last label of digits would make the host an IPv4 address.
  if (!anyDomain.test(domain) || /[.]\d+$/.test(domain)) return undefined
  const host = URL.parse(`http://${domain}`)?.hostname
  return host !== undefined && asciiDomain.test(host) ? host : undefined
}

function split(email: string): { local: string; domain: string } {
  const at = email.lastIndexOf('@')
  return { local: email.slice(0, at === -1 ? 0 : at), domain: email.slice(at + 1) }
}

export function isEmail(email: string): boolean {
  const { local, domain } = split(email)
  return localPart.test(local) && toAsciiDomain(domain) !== undefined
}

/** The key for uniqueness: regardless of case, and of whether the domain is written in punycode. */
export function foldEmail(email: string): string {
  const { local, domain } = split(email)
  const ascii = toAsciiDomain(domain)
  return ascii === undefined ? foldName(email) : `${foldName(local)}@${ascii}`
}
