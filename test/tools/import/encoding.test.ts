// Files in other encodings than UTF-8: they are decoded as they say or as they are told to, or refused with the place.
import { describe, expect, test } from 'vitest'
import { readRows } from '../../../src/tools/import/dump.ts'
import { decode, findEncoding } from '../../../src/tools/import/encoding.ts'
import { type GivenEncoding, Input } from '../../../src/tools/import/input.ts'
import { FileError, usualColumns } from '../../../src/tools/import/tables.ts'

/** `name` in CP949. 똠 is not in EUC-KR. */
const name = '김똠방ㅏ뢔€'
const nameBytes = [0xb1, 0xe8, 0x8c, 0x63, 0xb9, 0xe6, 0xa4, 0xbf, 0x8f, 0x4f, 0xa2, 0xe6]

const bytesOf = (...parts: (string | number[])[]) =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Uint8Array.from(part))))
const inPieces = (bytes: Buffer, size: number) =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) => bytes.subarray(index * size, (index + 1) * size))

/** The usernames. The file is also read byte by byte. */
function read(bytes: Buffer, given: GivenEncoding = {}) {
  const rows = readRows(new Input([bytes], given), usualColumns)
  expect(readRows(new Input(inPieces(bytes, 1), given), usualColumns)).toEqual(rows)
  return rows.map(({ values }) => values.username)
}
const insert = (value: string | number[]) => bytesOf(`INSERT INTO accounts (username) VALUES ('`, value, `');\n`)
const csv = (value: string | number[]) => bytesOf('id,username,is_active\n7,', value, ',true\n')
const says = (encoding: string) => bytesOf(`SET client_encoding = '${encoding}';\n`)
const utf16be = (text: string) => Buffer.from(text, 'utf16le').swap16()

test.each([
  ['a dump that says UHC', bytesOf([...says('UHC')], [...insert(nameBytes)]), {}],
  ['a dump that says EUC_KR', bytesOf([...says('EUC_KR')], [...insert(nameBytes)]), {}],
  ['a dump with \\encoding', bytesOf('\\encoding uhc\n', [...insert(nameBytes)]), {}],
  ['a dump in UTF-8', insert(name), {}],
  [
    'two dumps in one file',
    bytesOf([...says('UHC')], [...insert(nameBytes)], 'SET NAMES utf8;', [...insert(name)]),
    {},
  ],
  ['a dump that is told to be CP949', insert(nameBytes), { usual: 'cp949' }],
  [
    'a dump that says UTF8 and is told not to be',
    bytesOf([...says('UTF8')], [...insert(nameBytes)]),
    { forced: 'cp949' },
  ],
  [
    'a dump that says UTF8, beside files that do not',
    bytesOf([...says('UTF8')], [...insert(name)]),
    { usual: 'cp949' },
  ],
  ['a CSV of Excel', csv(nameBytes), { usual: 'cp949' }],
  ['a CSV with a byte order mark', bytesOf([0xef, 0xbb, 0xbf], [...csv(name)]), { usual: 'cp949' }],
  ['a CSV in UTF-16', bytesOf([0xff, 0xfe], [...Buffer.from(`id\tusername\n7\t${name}`, 'utf16le')]), {}],
  ['a CSV in UTF-16, big-endian', bytesOf([0xfe, 0xff], [...utf16be(`id;username\r\n7;"${name}"`)]), {}],
  ['a dump in UTF-16', Buffer.from(`${says('UTF8')}${insert(name)}`, 'utf16le'), { usual: 'utf-16le' }],
  [
    'COPY with an encoding',
    bytesOf(`COPY accounts (username) FROM stdin (ENCODING 'UHC');\n`, nameBytes, '\n\\.\n'),
    {},
  ],
] as const)('%s is read', (_, bytes, given) => {
  const names = read(bytes, given)
  expect(new Set(names)).toEqual(new Set([name]))
})

/** Where the value begins in a dump. */
const start = insert('').length - 4

describe('bytes that are not valid', () => {
  test.each([
    ['in a dump', insert(nameBytes), {}, 1, start, '--encoding old=cp949'],
    [
      'in a dump that says UTF8',
      bytesOf([...says('UTF8')], [...insert(nameBytes)]),
      {},
      2,
      says('UTF8').length + start,
      '--encoding old=cp949',
    ],
    ['after a line break', insert([0x61, 0x0a, 0x62, 0xff]), {}, 2, start + 3, 'iconv'],
    [
      'in a dump that says SQL_ASCII',
      bytesOf([...says('SQL_ASCII')], [...insert(name)]),
      {},
      2,
      says('SQL_ASCII').length + start,
      '--encoding old=utf-8',
    ],
    ['in a CSV', csv(nameBytes), {}, 2, 24, '--encoding old=cp949'],
    ['in a CSV after a byte order mark', bytesOf([0xef, 0xbb, 0xbf], [...csv([0xff])]), {}, 2, 27, 'iconv'],
    ['for a CSV that is UTF-8', csv('한글이'), { usual: 'cp949' }, 2, 24, '--encoding old=utf-8'],
    ['in EUC-KR: half a character', insert([0xb1]), { usual: 'cp949' }, 1, start, 'iconv'],
    ['in EUC-KR: a character for private use', insert([0xc9, 0xfe]), { usual: 'cp949' }, 1, start, 'iconv'],
    ['in EUC-KR: a control character', insert([0x80, 0x80]), { usual: 'cp949' }, 1, start, 'iconv'],
    [
      'in the data of COPY',
      bytesOf('COPY accounts (username) FROM stdin;\na\nb', [0xff], '\n\\.\n'),
      {},
      3,
      40,
      'iconv',
    ],
  ] as const)('%s are refused with their place and advice', (_, bytes, given, line, offset, advice) => {
    for (const size of [1, 1_000]) {
      const refused = catchError(() => readRows(new Input(inPieces(bytes, size), given), usualColumns))
      expect(refused.message).toContain(`Line ${line}, byte ${offset}: `)
      expect(refused.advice('old')).toContain(advice)
    }
  })

  test.each([
    [
      'a lone surrogate',
      bytesOf([0xff, 0xfe], [...Buffer.from('id\tusername\n', 'utf16le')], [0x00, 0xd8, 0x61, 0x00]),
    ],
    ['half a character', bytesOf([0xff, 0xfe], [...Buffer.from('id\tusername\n', 'utf16le')], [0x61])],
  ])('in UTF-16 are refused: %s', (_, bytes) => {
    expect(() => read(bytes)).toThrow(/^Byte \d+: this is not valid utf-16le/)
  })

  test('are skipped in other tables', () => {
    const other = bytesOf(
      `INSERT INTO elsewhere VALUES ('`,
      [0xff],
      `', $$`,
      [0xfe],
      `$$);\nCOPY "`,
      [0xfd],
      '" FROM stdin;\n',
      [0xff],
      '\n\\.\n',
    )
    expect(read(bytesOf([...other], [...insert('a')]))).toEqual(['a'])
  })
})

test('a dump in an encoding that is not supported is refused with advice', () => {
  expect(() => read(bytesOf([...says('JOHAB')], [...insert('a')]))).toThrow(
    /^Line 1: the encoding JOHAB is not supported. Dump with "pg_dump --encoding=UTF8"/,
  )
  expect(() => read(Buffer.from('id,username\n', 'utf16le'))).toThrow(
    'If it is in UTF-16, give --encoding FILE=utf-16le',
  )
})

test('CP949 has every Hangul syllable once', () => {
  const codes = Array.from({ length: 0x8000 }, (_, index) => Uint8Array.of(0x80 + (index >> 8), index & 0xff))
  const texts = codes.flatMap((code) => {
    try {
      return decode(code, 'cp949', { offset: 0, line: 1 })
    } catch {
      return []
    }
  })
  const syllables = texts.filter((text) => /^[가-힣]$/.test(text))
  expect([syllables.length, new Set(syllables).size]).toEqual([11_172, 11_172])
  expect(texts.filter((text) => text.length === 1)).toHaveLength(17_049)
})

test('names of encodings are known in their usual spellings', () => {
  expect(
    ['UTF-8', 'utf8', 'CP949', 'UHC', 'EUC_KR', 'euc-kr', 'ks_c_5601-1987', 'UTF-16', 'latin1'].map(findEncoding),
  ).toEqual(['utf-8', 'utf-8', 'cp949', 'cp949', 'cp949', 'cp949', 'cp949', 'utf-16le', undefined])
})

function catchError(run: () => unknown): FileError {
  try {
    run()
  } catch (error) {
    if (error instanceof FileError) return error
    throw error
  }
  throw new Error('nothing was refused')
}

test.each([
  ['a dump that says EUC_KR and was converted to UTF-8', bytesOf([...says('EUC_KR')], [...insert('민수')]), {}, 2],
  ['a CSV in UTF-8 among files in CP949', csv('민수'), { usual: 'cp949' }, 2],
] as const)('%s is refused, because its bytes are valid in both', (_, bytes, given, line) => {
  expect(() => read(bytes, given)).toThrow(`Line ${line}, byte `)
  expect(() => read(bytes, given)).toThrow('this is UTF-8, although the file is said to be cp949')
  expect(read(bytes, { forced: 'utf-8' })).toEqual([expect.stringContaining('민수')])
  expect(read(bytes, { forced: 'cp949' })).toEqual([expect.not.stringContaining('민수')])
})

test('a name in CP949 whose bytes are also valid in UTF-8, but are no Hangul there, is read', () => {
  expect(read(bytesOf([...says('EUC_KR')], [...insert([0xc3, 0xb6])]))).toEqual(['철'])
})

test('a CSV with the line ends of old Macintosh computers is read', () => {
  expect(read(bytesOf('id,username,is_active\r7,kim,true\r8,"park\rlee",true\r'))).toEqual(['kim', 'park\rlee'])
})
