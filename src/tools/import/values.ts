// Reads the list of values of an INSERT, and names, as pg_dump and people write them.
import type { Lexer, Token } from './lexer.ts'
import { FileError } from './tables.ts'

/** Gives the tokens of one statement, with one token of lookahead. */
export class Tokens {
  readonly lexer: Lexer
  #next: Token | undefined

  constructor(lexer: Lexer) {
    this.lexer = lexer
  }

  peek(): Token {
    this.#next ??= this.lexer.next()
    return this.#next
  }

  next(keep = true): Token {
    const token = this.#next ?? this.lexer.next(keep)
    this.#next = undefined
    return token
  }

  /** Reads a keyword or a symbol if it is next. */
  take(text: string): boolean {
    const { kind, text: found } = this.peek()
    const isThere = (kind === 'word' || kind === 'symbol') && found === text
    if (isThere) this.next()
    return isThere
  }

  /** @throws FileError */
  expect(text: string): void {
    if (!this.take(text))
      throw new FileError(`Line ${this.peek().line}: ${text} is missing before ${show(this.peek())}`)
  }
}

export function show({ kind, text }: Token): string {
  return kind === 'end' ? 'the end of the file' : `"${text.slice(0, 40)}"`
}

/** The parts of `a."B".c`. @throws FileError */
export function readName(tokens: Tokens): string[] {
  const parts: string[] = []
  do {
    const token = tokens.next()
    if (token.kind !== 'word' && token.kind !== 'name') throw cannotRead(token, 'a name')
    parts.push(token.text)
  } while (tokens.take('.'))
  return parts
}

/** `(a, "b", c)`; undefined if there is none. @throws FileError */
export function readNames(tokens: Tokens): string[] | undefined {
  if (!tokens.take('(')) return undefined
  const names: string[] = []
  do names.push(readName(tokens).join('.'))
  while (tokens.take(','))
  tokens.expect(')')
  return names
}

/** `(1, 'it''s', NULL)` as texts; null is NULL, undefined is DEFAULT. @throws FileError */
export function readTuple(tokens: Tokens): (string | null | undefined)[] {
  tokens.expect('(')
  const values: (string | null | undefined)[] = []
  do values.push(readValue(tokens))
  while (tokens.take(','))
  tokens.expect(')')
  return values
}

function readValue(tokens: Tokens): string | null | undefined {
  if (tokens.take('(')) {
    const value = readValue(tokens)
    tokens.expect(')')
    skipCasts(tokens, false)
    return value
  }
  const sign = tokens.take('-') ? '-' : tokens.take('+') ? '' : undefined
  const token = tokens.next()
  if (sign !== undefined && token.kind !== 'number') throw cannotRead(token, 'a number')
  const value = token.kind === 'word' ? readWord(tokens, token) : token.text
  if (!['word', 'string', 'number', 'bits'].includes(token.kind)) throw cannotRead(token, 'a value')
  skipCasts(tokens, token.kind === 'bits')
  return sign === '-' ? `-${value}` : value
}

const constants: Record<string, string | null | undefined> = {
  null: null,
  default: undefined,
  true: 'true',
  false: 'false',
}

/** A constant, `CAST(value AS type)`, or `timestamp with time zone 'value'`. */
function readWord(tokens: Tokens, first: Token): string | null | undefined {
  if (Object.hasOwn(constants, first.text)) return constants[first.text]
  if (first.text === 'cast' && tokens.take('(')) {
    const value = readValue(tokens)
    tokens.expect('as')
    readType(tokens)
    tokens.expect(')')
    return value
  }
  while (tokens.peek().kind === 'word') tokens.next()
  const literal = tokens.next()
  if (literal.kind !== 'string' || !isTypeOfText(first.text)) throw cannotRead(first, 'a value')
  return literal.text
}

function isTypeOfText(name: string): boolean {
  return /^(text|varchar|character|bpchar|timestamp|timestamptz|date|boolean|bool|bigint|integer|int[248]?|smallint)$/.test(
    name,
  )
}

/** A cast does not change what the texts mean, except for bits: B'10'::integer is 2. */
function skipCasts(tokens: Tokens, isBits: boolean): void {
  while (tokens.take('::')) {
    const token = tokens.peek()
    const type = readType(tokens)
    if (isBits && !['bit', 'varbit'].includes(type)) throw cannotRead(token, 'a type of bits')
  }
}

/** `pg_catalog.timestamp(3) with time zone`, `varchar(20)[]`. @returns the first word of the name */
function readType(tokens: Tokens): string {
  const type = readName(tokens).at(-1) ?? ''
  while (tokens.peek().kind === 'word' && tokens.peek().text !== 'as') tokens.next()
  if (tokens.take('(')) {
    while (!tokens.take(')')) if (tokens.next().kind === 'end') tokens.expect(')')
  }
  while (tokens.peek().kind === 'word') tokens.next()
  if (tokens.take('[')) tokens.expect(']')
  return type
}

function cannotRead(token: Token, expected: string): FileError {
  return new FileError(`Line ${token.line}: ${show(token)} cannot be read; it must be ${expected}.`)
}
