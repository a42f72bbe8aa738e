// Redis' glob patterns, as KEYS and SCAN take them.

const literal = (char: string) => char.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')

/** The class that opens at `start` (just behind the bracket), and where it ends. An open end closes itself. */
function readClass(pattern: string, start: number): { source: string; end: number } {
  let at = start
  const isNegated = pattern[at] === '^'
  if (isNegated) at += 1
  let members = ''
  while (at < pattern.length && pattern[at] !== ']') {
    if (pattern[at] === '\\' && at + 1 < pattern.length) {
      members += literal(pattern.charAt(at + 1))
      at += 2
    } else if (pattern[at + 1] === '-' && at + 2 < pattern.length) {
      const [low, high] = [pattern.charAt(at), pattern.charAt(at + 2)].sort()
      members += `${literal(low ?? '')}-${literal(high ?? '')}`
      at += 3
    } else {
      members += literal(pattern.charAt(at))
      at += 1
    }
  }
  return { source: `[${isNegated ? '^' : ''}${members}]`, end: at + 1 }
}

/** A test for whole keys. */
export function compileGlob(pattern: string): (key: string) => boolean {
  let source = ''
  let at = 0
  while (at < pattern.length) {
    const char = pattern.charAt(at)
    at += 1
    if (char === '*') source += '.*'
    else if (char === '?') source += '.'
    else if (char === '[') {
      const found = readClass(pattern, at)
      source += found.source
      at = found.end
    } else if (char === '\\' && at < pattern.length) {
      source += literal(pattern.charAt(at))
      at += 1
    } else source += literal(char)
  }
  const expression = new RegExp(`^${source}$`, 's')
  return (key) => expression.test(key)
}

/** The pattern that matches this text and nothing else. */
export const escapeGlob = (text: string) => text.replace(/[*?[\]\\^]/g, '\\$&')
