// Character encodings of files. Bytes that are invalid in an encoding are an error and are never replaced.
import { decodeCp949 } from './cp949.ts'
import { FileError } from './tables.ts'

export type Encoding = 'utf-8' | 'cp949' | 'utf-16le' | 'utf-16be' | 'unknown'

/** Names for people and those of PostgreSQL, without `-` and `_`. */
const names: Record<string, Encoding> = {
  utf8: 'utf-8',
  unicode: 'utf-8',
  cp949: 'cp949',
  ms949: 'cp949',
  uhc: 'cp949',
  win949: 'cp949',
  windows949: 'cp949',
  euckr: 'cp949', // CP949 has all characters of EUC-KR in the same codes
  ksc56011987: 'cp949',
  utf16: 'utf-16le',
  utf16le: 'utf-16le',
  utf16be: 'utf-16be',
}

export function findEncoding(name: string): Encoding | undefined {
  const key = name.toLowerCase().replace(/[-_\s]/g, '')
  return Object.hasOwn(names, key) ? names[key] : undefined
}

const marks: [number[], Encoding][] = [
  [[0xef, 0xbb, 0xbf], 'utf-8'],
  [[0xff, 0xfe], 'utf-16le'],
  [[0xfe, 0xff], 'utf-16be'],
]

/** The encoding that a byte order mark at the start names, and the number of its bytes. */
export function findByteOrderMark(start: Uint8Array): { encoding: Encoding; length: number } | undefined {
  const found = marks.find(([mark]) => mark.every((byte, index) => start[index] === byte))
  return found && { encoding: found[1], length: found[0].length }
}

/** Where a text is in its file: offsets count bytes from 0, lines count from 1. */
export type Place = { offset: number; line: number }

/** @throws FileError that names the first invalid byte, its line, and the option to try */
export function decode(bytes: Uint8Array, encoding: Encoding, start: Place): string {
  const text = tryDecode(bytes, encoding)
  if (typeof text === 'string') return text
  const place = showPlace(bytes, text, start)
  const others = (['utf-8', 'cp949'] as const).filter((each) => typeof tryDecode(bytes, each) === 'string')
  const fault =
    encoding === 'unknown' ? 'the dump does not say its encoding (SQL_ASCII)' : `this is not valid ${encoding}`
  throw new FileError(`${place}: ${fault}.`, (file) =>
    others.length > 0 ? `Try ${others.map((each) => `--encoding ${file}=${each}`).join(' or ')}.` : manualAdvice,
  )
}

/**
 * For a file that declares CP949. A program that converted it to UTF-8 has not changed this declaration. Most bytes of
 * Hangul in UTF-8 are also valid in CP949, as other characters; the reverse does not happen.
 * @throws FileError
 */
export function refuseConverted(bytes: Uint8Array, start: Place): void {
  const text = tryDecode(bytes, 'utf-8')
  if (typeof text !== 'string' || !/\p{Script=Hangul}/u.test(text)) return
  const place = showPlace(
    bytes,
    bytes.findIndex((byte) => byte >= 0x80),
    start,
  )
  throw new FileError(`${place}: this is UTF-8, although the file is said to be cp949.`, (file) => {
    return `If it was converted, give --encoding ${file}=utf-8; otherwise --encoding ${file}=cp949.`
  })
}

/** @param index of a byte of `bytes`, which begin at `start` */
function showPlace(bytes: Uint8Array, index: number, start: Place): string {
  const lines = bytes.subarray(0, index).reduce((count, byte) => count + (byte === 0x0a ? 1 : 0), 0)
  return `Line ${start.line + lines}, byte ${start.offset + index}`
}

const manualAdvice =
  'Convert the file to UTF-8 with "iconv -f ENCODING -t UTF-8", or dump with "pg_dump --encoding=UTF8".'

/** The text, or the index of the first invalid byte. */
function tryDecode(bytes: Uint8Array, encoding: Encoding): string | number {
  if (encoding === 'cp949') return decodeCp949(bytes)
  if (encoding === 'unknown') {
    const index = bytes.findIndex((byte) => byte >= 0x80)
    return index === -1 ? Buffer.from(bytes).toString('latin1') : index
  }
  try {
    return new TextDecoder(encoding, { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return findInvalid(bytes, encoding)
  }
}

/** The decoder does not say where the fault is, so a binary search finds the longest valid prefix. */
function findInvalid(bytes: Uint8Array, encoding: string): number {
  let [valid, invalid] = [0, bytes.length + 1]
  while (invalid - valid > 1) {
    const middle = (valid + invalid) >> 1
    try {
      new TextDecoder(encoding, { fatal: true, ignoreBOM: true }).decode(bytes.subarray(0, middle), { stream: true })
      valid = middle
    } catch {
      invalid = middle
    }
  }
  return valid
}

/** Turns a file in UTF-16 into UTF-8, so that it can be read by bytes. @throws FileError */
export function* toUtf8(chunks: Iterable<Uint8Array>, encoding: Encoding): Generator<Buffer> {
  const decoder = new TextDecoder(encoding, { fatal: true, ignoreBOM: true })
  let offset = 0
  const convert = (chunk: Uint8Array, stream: boolean) => {
    try {
      return Buffer.from(decoder.decode(chunk, { stream }))
    } catch {
      const place = offset + findInvalid(chunk, encoding)
      throw new FileError(`Byte ${place}: this is not valid ${encoding}.`, () => manualAdvice)
    }
  }
  for (const chunk of chunks) {
    yield convert(chunk, true)
    offset += chunk.length
  }
  yield convert(new Uint8Array(), false)
}
