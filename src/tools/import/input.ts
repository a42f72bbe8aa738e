// A file as a window of characters that moves forward, so that a file of any size is read in one pass. Each character is
// one byte: quotes and separators are ASCII in every encoding that is read, and a value is decoded when it is kept.
import { closeSync, openSync, readSync } from 'node:fs'
import {
  decode,
  type Encoding,
  findByteOrderMark,
  findEncoding,
  type Place,
  refuseConverted,
  toUtf8,
} from './encoding.ts'
import { FileError } from './tables.ts'

const chunkBytes = 256 * 1024
/** Longer than every token that is not a literal, a comment or a line of data. */
const lookahead = 1_024

export type GivenEncoding = {
  /** The encoding of a file that does not say it. */
  usual?: Encoding | undefined
  /** The encoding whatever the file says, except for a byte order mark. */
  forced?: Encoding | undefined
}

/** Reads a file in pieces. */
export function* readChunks(path: string): Generator<Buffer> {
  const file = openSync(path, 'r')
  try {
    for (;;) {
      const chunk = Buffer.allocUnsafe(chunkBytes)
      const length = readSync(file, chunk)
      if (length === 0) return
      yield chunk.subarray(0, length)
    }
  } finally {
    closeSync(file)
  }
}

export class Input {
  /** The window. `at` is the position in it; what is before `at` has been read. */
  text = ''
  at = 0
  encoding: Encoding
  #isFixed: boolean
  #chunks: Iterator<Uint8Array>
  #isComplete = false
  #base = 0
  #line = 1
  #counted = 0

  constructor(chunks: Iterable<Uint8Array>, { usual, forced }: GivenEncoding = {}) {
    const all = chunks[Symbol.iterator]()
    let start = Buffer.alloc(0)
    while (start.length < 3) {
      const { value, done } = all.next()
      if (done) break
      start = Buffer.concat([start, value])
    }
    const mark = findByteOrderMark(start)
    this.encoding = mark?.encoding ?? forced ?? usual ?? 'utf-8'
    this.#isFixed = mark !== undefined || forced !== undefined
    const rest = prepend(start.subarray(mark?.length ?? 0), all)
    const isWide = this.encoding.startsWith('utf-16')
    if (isWide) this.#isFixed = true
    this.#chunks = isWide ? toUtf8(rest, this.encoding) : rest
    if (isWide) this.encoding = 'utf-8'
    else this.#base = mark?.length ?? 0
  }

  /** Moves the window until it has enough characters after `at`, or the end of the file. False if there are none. */
  fill(needed = lookahead): boolean {
    while (this.text.length - this.at < needed && !this.#isComplete) {
      const { value, done } = this.#chunks.next()
      if (done) {
        this.#isComplete = true
        break
      }
      this.#countLines()
      this.#base += this.at
      this.text = this.text.slice(this.at) + Buffer.from(value).toString('latin1')
      this.at = 0
      this.#counted = 0
    }
    return this.at < this.text.length
  }

  /** Reads what matches a sticky pattern at this position. It must be shorter than the lookahead. */
  take(pattern: RegExp): RegExpExecArray | undefined {
    this.fill()
    pattern.lastIndex = this.at
    const found = pattern.exec(this.text)
    if (found) this.at += found[0].length
    return found ?? undefined
  }

  /**
   * Reads up to a mark, and the mark.
   * @param keep false: the text is not needed
   * @returns what is before the mark; `isFound` is false if the file ends without it
   */
  takeUntil(mark: string, keep = true): { text: string; isFound: boolean } {
    const pieces: string[] = []
    for (;;) {
      this.fill(mark.length)
      const end = this.text.indexOf(mark, this.at)
      const isFound = end !== -1
      const isLast = !isFound && this.text.length - this.at < mark.length
      // The beginning of the mark may be at the end of the window.
      const stop = isFound ? end : isLast ? this.text.length : this.text.length - mark.length + 1
      if (keep) pieces.push(this.text.slice(this.at, stop))
      this.at = isFound ? end + mark.length : stop
      if (isFound || isLast) return { text: pieces.length === 1 ? (pieces[0] ?? '') : pieces.join(''), isFound }
    }
  }

  get place(): Place {
    this.#countLines()
    return { offset: this.#base + this.at, line: this.#line }
  }

  /** The client encoding of the dump from here on. @throws FileError for one that is not supported */
  setEncoding(name: string): void {
    if (this.#isFixed) return
    const encoding = name.toUpperCase() === 'SQL_ASCII' ? 'unknown' : findEncoding(name)
    if (!encoding || encoding.startsWith('utf-16')) {
      throw new FileError(
        `Line ${this.place.line}: the encoding ${name} is not supported. Dump with "pg_dump --encoding=UTF8".`,
      )
    }
    this.encoding = encoding
  }

  /** @throws FileError */
  decode(raw: string, start: Place): string {
    if (isAscii(raw)) return raw
    const bytes = Buffer.from(raw, 'latin1')
    const text = decode(bytes, this.encoding, start)
    if (this.encoding === 'cp949' && !this.#isFixed) refuseConverted(bytes, start)
    return text
  }

  #countLines(): void {
    const read = this.text.slice(this.#counted, this.at)
    for (let next = read.indexOf('\n'); next !== -1; next = read.indexOf('\n', next + 1)) this.#line += 1
    this.#counted = this.at
  }
}

function* prepend(first: Uint8Array, rest: Iterator<Uint8Array>): Generator<Uint8Array> {
  yield first
  for (let next = rest.next(); !next.done; next = rest.next()) yield next.value
}

function isAscii(raw: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the characters are bytes
  return !/[^\x00-\x7f]/.test(raw)
}
