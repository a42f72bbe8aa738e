// The tokens of a SQL dump, as psql and PostgreSQL see them. Literals of statements that are skipped are not stored.
import { endsInEscape, InvalidEscape, readEscapeString, readUnicodeString } from './escapes.ts'
import type { Input } from './input.ts'
import { FileError } from './tables.ts'

export type Token = {
  /**
   * `word`: a keyword or a name without quotes, in lower case. `name`: a name in quotes. `bits`: B'…' and X'…' as ones
   * and zeros. `meta`: a psql command with its line. `symbol`: any other character, and `::`.
   */
  kind: 'word' | 'name' | 'string' | 'bits' | 'number' | 'symbol' | 'meta' | 'end'
  text: string
  line: number
}

const space = /[ \t\r\n\f\v]+/y
const lineComment = /--/y
const blockComment = /\/\*/y
const insideComment = /\/\*|\*\/|[^*/]+|[*/]/y
const quote = /(e|u&|b|x|n)?'/iy
const dollarQuote = /\$(?:[a-z_\x80-\xff][a-z0-9_\x80-\xff]*)?\$/iy
const nameQuote = /(u&)?"/iy
const word = /[a-z_\x80-\xff][a-z0-9_$\x80-\xff]*/iy
const number = /(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?/iy
const metaCommand = /\\/y
const symbol = /::|./sy
const continuation = /[ \t\f\v]*\r?\n[ \t\r\n\f\v]*'/y
const unicodeEscape = /\s*uescape\s*'(.)'/iy

export class Lexer {
  readonly input: Input
  /** The setting standard_conforming_strings. */
  hasStandardStrings = true

  constructor(input: Input) {
    this.input = input
  }

  /** @param keep false: the text of literals is not needed and is left empty. @throws FileError */
  next(keep = true): Token {
    const { input } = this
    this.#skipSpace()
    const { line } = input.place
    const token = (kind: Token['kind'], text: string): Token => ({ kind, text, line })
    if (!input.fill()) return token('end', '')
    const string = input.take(quote)
    if (string) return this.#readString(string[1]?.toLowerCase() ?? '', keep, token)
    const dollar = input.take(dollarQuote)
    if (dollar) return token('string', this.#readDollarString(dollar[0], keep))
    const quoted = input.take(nameQuote)
    if (quoted) return token('name', this.#readName(quoted[1] !== undefined))
    const found = input.take(word)
    if (found) return token('word', found[0].toLowerCase())
    const digits = input.take(number)
    if (digits) return token('number', digits[0])
    if (input.take(metaCommand)) return token('meta', input.takeUntil('\n').text.trimEnd())
    return token('symbol', input.take(symbol)?.[0] ?? '')
  }

  #skipSpace(): void {
    const { input } = this
    for (;;) {
      if (input.take(space)) continue
      if (input.take(lineComment)) input.takeUntil('\n', false)
      else if (input.take(blockComment)) this.#skipComment()
      else return
    }
  }

  /** Comments can contain comments. */
  #skipComment(): void {
    const { line } = this.input.place
    for (let depth = 1; depth > 0; ) {
      const found = this.input.take(insideComment)?.[0]
      if (found === undefined) throw new FileError(`Line ${line}: the comment that begins here does not end.`)
      if (found === '/*') depth += 1
      if (found === '*/') depth -= 1
    }
  }

  #readString(prefix: string, keep: boolean, token: (kind: Token['kind'], text: string) => Token): Token {
    const { input } = this
    const hasEscapes = prefix === 'e' || (!this.hasStandardStrings && (prefix === '' || prefix === 'n'))
    const start = input.place
    const pieces: string[] = []
    for (;;) {
      const piece = this.#readUntil("'", start.line, keep || hasEscapes)
      if (keep) pieces.push(piece)
      if (hasEscapes && endsInEscape(piece)) {
        if (keep) pieces.push("'") // after its backslash
      } else if (input.take(/'/y)) {
        if (keep) pieces.push(hasEscapes ? "\\'" : "'")
      } else if (!input.take(continuation)) break
    }
    if (!keep) return token('string', '')
    const text = input.decode(pieces.join(''), start)
    if (prefix === 'b') return token('bits', text)
    if (prefix === 'x') return token('bits', text.replace(/./gs, toBits))
    if (prefix === 'u&')
      return token('string', this.#readEscapes(text, start.line, input.take(unicodeEscape)?.[1] ?? '\\'))
    return token('string', hasEscapes ? this.#readEscapes(text, start.line) : text)
  }

  /** @param unicode the escape character of a U&'…' string */
  #readEscapes(text: string, line: number, unicode?: string): string {
    try {
      return unicode === undefined ? readEscapeString(text) : readUnicodeString(text, unicode)
    } catch (error) {
      if (!(error instanceof InvalidEscape)) throw error
      throw new FileError(`Line ${line}: the escape sequence cannot be read: ${error.message}.`)
    }
  }

  #readDollarString(mark: string, keep: boolean): string {
    const start = this.input.place
    return this.input.decode(this.#readUntil(mark, start.line, keep), start)
  }

  /** Names are not decoded: the names that matter are ASCII. */
  #readName(isUnicode: boolean): string {
    const { line } = this.input.place
    let name = this.#readUntil('"', line, true)
    while (this.input.take(/"/y)) name += `"${this.#readUntil('"', line, true)}`
    return isUnicode ? this.#readEscapes(name, line, this.input.take(unicodeEscape)?.[1] ?? '\\') : name
  }

  #readUntil(mark: string, line: number, keep: boolean): string {
    const { text, isFound } = this.input.takeUntil(mark, keep)
    if (!isFound)
      throw new FileError(`Line ${line}: a value cannot be read: it has no ${mark} at its end. Is the file complete?`)
    return text
  }
}

function toBits(digit: string): string {
  return /[0-9a-f]/i.test(digit) ? Number.parseInt(digit, 16).toString(2).padStart(4, '0') : digit
}
