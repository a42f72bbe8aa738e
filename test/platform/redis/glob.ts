// Redis' glob patterns, as KEYS takes them.
import { NotImplemented } from './reply.ts'

/**
 * A test for keys.
 * @throws NotImplemented for a pattern with character classes or escapes
 */
export function compileGlob(pattern: string): (key: string) => boolean {
  if (/[[\]\\]/.test(pattern)) throw new NotImplemented('KEYS with [, ] or \\ in its pattern')
  const source = pattern
    .replace(/[$.+()|{}^]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
  const expression = new RegExp(`^${source}$`, 's')
  return (key) => expression.test(key)
}

/** The pattern that matches only this text. */
export const escapeGlob = (text: string) => text.replace(/[*?[\]\\^]/g, '\\$&')
