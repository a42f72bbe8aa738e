// Redis' glob patterns, as KEYS takes them.
import { NotSpoken } from './reply.ts'

/**
 * A test for whole keys.
 * @throws NotSpoken for a pattern with character classes or escapes
 */
export function compileGlob(pattern: string): (key: string) => boolean {
  if (/[[\]\\]/.test(pattern)) throw new NotSpoken('KEYS with [, ] or \\ in its pattern')
  const source = pattern
    .replace(/[$.+()|{}^]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
  const expression = new RegExp(`^${source}$`, 's')
  return (key) => expression.test(key)
}

/** The pattern that matches this text and nothing else. */
export const escapeGlob = (text: string) => text.replace(/[*?[\]\\^]/g, '\\$&')
