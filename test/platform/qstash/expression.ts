// The language of Upstash-Retry-Delay: numbers, + - * /, parentheses, the variable `retried` and nine functions.
// https://upstash.com/docs/qstash/features/retry#custom-retry-delay

/** Milliseconds to wait before the next attempt, given how often the message has been retried (0 before the first). */
export type DelayExpression = (retried: number) => number

type Cursor = { tokens: string[]; at: number }

const functions: Record<string, { arity: number; apply: (...values: number[]) => number }> = {
  pow: { arity: 2, apply: Math.pow },
  sqrt: { arity: 1, apply: Math.sqrt },
  abs: { arity: 1, apply: Math.abs },
  exp: { arity: 1, apply: Math.exp },
  floor: { arity: 1, apply: Math.floor },
  ceil: { arity: 1, apply: Math.ceil },
  round: { arity: 1, apply: Math.round },
  min: { arity: 2, apply: Math.min },
  max: { arity: 2, apply: Math.max },
}

// Each parenthesis is a level of recursion: the limit prevents a stack overflow by a hostile header.
const maxLength = 1_000

/**
 * Parses an expression, so that an invalid one is refused when the message is published.
 * @throws SyntaxError with the reason
 */
export function parseDelayExpression(text: string): DelayExpression {
  if (text.length > maxLength) throw new SyntaxError(`expression is longer than ${maxLength} characters`)
  const cursor = { tokens: tokenize(text), at: 0 }
  const expression = readSum(cursor)
  const rest = cursor.tokens[cursor.at]
  if (rest !== undefined) throw new SyntaxError(`unexpected "${rest}"`)
  return expression
}

function tokenize(text: string): string[] {
  const pattern = /\s*(\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+|[A-Za-z_]\w*|[-+*/(),])\s*/y
  const tokens: string[] = []
  while (pattern.lastIndex < text.length) {
    const start = pattern.lastIndex
    const token = pattern.exec(text)?.[1]
    if (token === undefined) throw new SyntaxError(`unexpected "${text.slice(start).trim().charAt(0)}"`)
    tokens.push(token)
  }
  return tokens
}

function readSum(cursor: Cursor): DelayExpression {
  let left = readProduct(cursor)
  for (;;) {
    const before = left
    if (take(cursor, '+')) {
      const right = readProduct(cursor)
      left = (retried) => before(retried) + right(retried)
    } else if (take(cursor, '-')) {
      const right = readProduct(cursor)
      left = (retried) => before(retried) - right(retried)
    } else return left
  }
}

function readProduct(cursor: Cursor): DelayExpression {
  let left = readSigned(cursor)
  for (;;) {
    const before = left
    if (take(cursor, '*')) {
      const right = readSigned(cursor)
      left = (retried) => before(retried) * right(retried)
    } else if (take(cursor, '/')) {
      const right = readSigned(cursor)
      left = (retried) => before(retried) / right(retried)
    } else return left
  }
}

function readSigned(cursor: Cursor): DelayExpression {
  if (take(cursor, '+')) return readSigned(cursor)
  if (!take(cursor, '-')) return readValue(cursor)
  const value = readSigned(cursor)
  return (retried) => -value(retried)
}

function readValue(cursor: Cursor): DelayExpression {
  const token = cursor.tokens[cursor.at++]
  if (token === undefined) throw new SyntaxError('unexpected end of expression')
  if (token === '(') {
    const inner = readSum(cursor)
    expect(cursor, ')')
    return inner
  }
  if (/^[\d.]/.test(token)) {
    const number = Number(token)
    return () => number
  }
  if (token === 'retried') return (retried) => retried
  return readCall(cursor, token)
}

function readCall(cursor: Cursor, name: string): DelayExpression {
  const called = Object.hasOwn(functions, name) ? functions[name] : undefined
  if (called === undefined) throw new SyntaxError(`unexpected "${name}"`)
  expect(cursor, '(')
  const values = [readSum(cursor)]
  while (take(cursor, ',')) values.push(readSum(cursor))
  expect(cursor, ')')
  if (values.length !== called.arity)
    throw new SyntaxError(`${name} takes ${called.arity}, not ${values.length} values`)
  return (retried) => called.apply(...values.map((value) => value(retried)))
}

function take(cursor: Cursor, token: string): boolean {
  if (cursor.tokens[cursor.at] !== token) return false
  cursor.at++
  return true
}

function expect(cursor: Cursor, token: string): void {
  if (!take(cursor, token)) throw new SyntaxError(`expected "${token}"`)
}
