// The escape sequences of PostgreSQL: in E'…' strings, in U&'…' strings and in the text format of COPY.
// https://www.postgresql.org/docs/current/sql-syntax-lexical.html https://www.postgresql.org/docs/current/sql-copy.html

/** An invalid escape sequence. The message says which. */
export class InvalidEscape extends Error {}

/** Whether the character after this text is escaped: an odd number of backslashes precedes it. */
export function endsInEscape(text: string): boolean {
  let at = text.length
  while (at > 0 && text[at - 1] === '\\') at -= 1
  return (text.length - at) % 2 === 1
}

const controls: Record<string, string> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }
const copyControls: Record<string, string> = { ...controls, v: '\v' }

// A run of bytes is decoded together, because a character can have several.
const bytes = String.raw`(?:\\(?:x[0-9a-fA-F]{1,2}|[0-7]{1,3}))+`
const stringEscape = new RegExp(String.raw`(${bytes})|\\u([0-9a-fA-F]{4})|\\U([0-9a-fA-F]{8})|\\(.)`, 'gs')
const copyEscape = new RegExp(String.raw`(${bytes})|\\(.)`, 'gs')

/** Reads the text between the quotes of E'…', in which a quote is written as `\'`. @throws InvalidEscape */
export function readEscapeString(raw: string): string {
  if (!raw.includes('\\')) return raw
  const text = raw.replace(stringEscape, (whole, run?: string, short?: string, long?: string, mark = '') => {
    if (run !== undefined) return readBytes(run)
    const code = short ?? long
    if (code !== undefined) return readCodePoint(code)
    if (/[uU]/.test(mark)) throw new InvalidEscape(`${whole} needs 4 or 8 hexadecimal digits`)
    return controls[mark] ?? mark
  })
  return requireText(text)
}

/** Reads a value of COPY in text format that is not NULL. @throws InvalidEscape */
export function readCopyText(raw: string): string {
  if (!raw.includes('\\')) return raw
  const text = raw.replace(copyEscape, (_, run?: string, mark = '') =>
    run === undefined ? (copyControls[mark] ?? mark) : readBytes(run),
  )
  return requireText(text)
}

/** Reads the text between the quotes of U&'…'. @param escapeMark the character of UESCAPE @throws InvalidEscape */
export function readUnicodeString(raw: string, escapeMark: string): string {
  const mark = escapeMark.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
  const pattern = new RegExp(`${mark}(?:([0-9a-fA-F]{4})|\\+([0-9a-fA-F]{6})|(${mark})|)`, 'g')
  const text = raw.replace(pattern, (whole, short?: string, long?: string, literal?: string) => {
    if (literal !== undefined) return literal
    const code = short ?? long
    if (code === undefined) throw new InvalidEscape(`${whole} needs 4 hexadecimal digits, or + and 6`)
    return readCodePoint(code)
  })
  return requireText(text)
}

/** The bytes are UTF-8: PostgreSQL reads them in the encoding of the database. */
function readBytes(run: string): string {
  const values = [...run.matchAll(/\\(?:x(\w+)|(\d+))/g)].map(([, hex, octal]) =>
    hex === undefined ? Number.parseInt(octal ?? '', 8) & 0xff : Number.parseInt(hex, 16),
  )
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(values))
  } catch {
    throw new InvalidEscape(`${run} is not valid UTF-8`)
  }
}

function readCodePoint(hex: string): string {
  const code = Number.parseInt(hex, 16)
  if (code > 0x10_ffff) throw new InvalidEscape(`there is no character ${hex}`)
  return String.fromCodePoint(code)
}

/** Two escapes of surrogates are one character; one alone is none. */
function requireText(text: string): string {
  if (text.includes('\0') || !text.isWellFormed()) throw new InvalidEscape('a NUL or half of a surrogate pair')
  return text
}
