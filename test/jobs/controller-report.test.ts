// How answers and reports of controllers are read: a fault in the free text never costs the result.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readControllerReport } from '../../src/jobs/controller-report.ts'

const utf8 = (text: string) => new TextEncoder().encode(text)
const concat = (...parts: (string | Uint8Array | number[])[]) =>
  new Uint8Array(Buffer.concat(parts.map((part) => (typeof part === 'string' ? utf8(part) : Uint8Array.from(part)))))
const read = (body: string | Uint8Array, contentType?: string) =>
  readControllerReport(typeof body === 'string' ? utf8(body) : body, contentType)

test.each([
  ['"SUCCESS"', 'SUCCESS'],
  ['"success"', 'SUCCESS'],
  ['" Success\\n"', 'SUCCESS'],
  ['1', 'SUCCESS'],
  ['1.0', 'SUCCESS'],
  ['"1"', 'SUCCESS'],
  ['"REMOTEFAILED"', 'REMOTEFAILED'],
  ['"RemoteFailed"', 'REMOTEFAILED'],
  ['2', 'REMOTEFAILED'],
  ['"2"', 'REMOTEFAILED'],
  ['"pending"', 'PENDING'],
  ['4', 'PENDING'],
  ['" 4 "', 'PENDING'],
])('the result %s is %s', (sent, result) => {
  expect(read(`{"result":${sent},"firmware":{"version":"1.2"}}`)).toEqual({ result, detail: null })
})

test.each([
  ['null'],
  ['true'],
  ['[1]'],
  ['{"result":1}'],
  ['3'],
  ['"3"'],
  ['1.5'],
  ['"01"'],
  ['""'],
  ['"MAYBE"'],
  ['"INTERNALFAILED"'],
  ['"__proto__"'],
])('the result %s is none', (sent) => {
  expect(read(`{"result":${sent}}`)).toBe('no_result')
})

test.each([
  ['', 'not_json'],
  [' ', 'not_json'],
  ['OK', 'not_json'],
  ['<html>1</html>', 'not_json'],
  ['result=1', 'not_json'],
  ['{"result":1', 'not_json'],
  ['{"result":"SUCC', 'not_json'],
  ["{'result':1}", 'not_json'],
  ['{"error":"expected {"result":1}"}', 'not_json'],
  ['{"result":1,"detail":"not "result":2"}', 'not_json'],
  ['null', 'not_an_object'],
  ['1', 'not_an_object'],
  ['"SUCCESS"', 'not_an_object'],
  ['[{"result":1}]', 'not_an_object'],
  ['{}', 'no_result'],
  ['{"Result":1}', 'no_result'],
  ['{"detail":"done"}', 'no_result'],
  ['{"result":"MAYBE","detail":"C:\\q"}', 'no_result'],
])('the body %s is %s', (body, fault) => {
  expect(read(body)).toBe(fault)
})

describe('a detail', () => {
  test.each([
    ['null', null],
    ['""', ''],
    ['7', '7'],
    ['false', 'false'],
    ['{"code":12,"text":"문"}', '{"code":12,"text":"문"}'],
    ['["a",null]', '["a",null]'],
    ['"a\\u0000b"', 'ab'],
    ['"\\ud800"', '\ufffd'],
    [JSON.stringify(`${'가'.repeat(999)}😀tail`), `${'가'.repeat(999)}😀`],
    [JSON.stringify('😀'.repeat(40_000 / 4)), '😀'.repeat(1_000)],
    // What programs do that write JSON by hand.
    ['"line 1\nline 2\t."', 'line 1 line 2 .'],
    ['"a\0b"', 'a b'],
    ['"C:\\press\\7"', 'C:\\press\\7'],
    ['"\\u12"', '\\u12'],
  ])('%j is %j', (sent, detail) => {
    expect(read(`{"result":1,"detail":${sent}}`)).toEqual({ result: 'SUCCESS', detail })
    expect(read(`{"detail":${sent},"result":1}`)).toEqual({ result: 'SUCCESS', detail })
  })

  test('that is nested deeply does not cost the result', () => {
    const deep = `${'['.repeat(32_000)}${']'.repeat(32_000)}`
    expect(read(`{"result":2,"detail":${deep}}`)).toMatchObject({ result: 'REMOTEFAILED' })
  })

  test.each([
    '{"result":"SUCCESS","detail":"the "gate" is open"}',
    '{"detail":"the "gate" is open","result":"SUCCESS"}',
    '{"job":"7","result": 1 ,"detail":"the "gate" is open"}',
    '{"detail":"the "gate" is open", "result": "success", "at": 1.5}',
    '{"result":1,"detail":"cut off by a buffer of 4',
    '{"result":1,"detail":"ends with \\"}',
    '{"result":1,"detail":nan,"a":"b"}',
  ])('that is no JSON does not cost the result, and is kept as it came: %s', (body) => {
    expect(read(body)).toEqual({ result: 'SUCCESS', detail: body })
  })

  test('a body that ends with the NUL of its buffer is read', () => {
    expect(read('{"result":1,"detail":"done"}\0\0')).toEqual({ result: 'SUCCESS', detail: 'done' })
  })
})

describe('text in another encoding', () => {
  const cp949 = [0xbb, 0xe7, 0xc3, 0xe2, 0xb1, 0xe2] // 사출기
  const sjis = [0x8e, 0xcb, 0x8f, 0x6f, 0x83, 0x5c] // 射出ソ: its last byte is `\`
  const inBytes = (text: number[]) => concat('{"result":"SUCCESS","detail":"', text, '"}')
  const success = (detail: string) => ({ result: 'SUCCESS', detail })

  test.each(['euc-kr', 'EUC-KR', '"ks_c_5601-1987"', 'windows-949', 'CP949', 'ms949', 'x-windows-949'])(
    'is decoded by charset=%s',
    (charset) => {
      expect(read(inBytes(cp949), `application/json; charset=${charset}`)).toEqual(success('사출기'))
      expect(read(inBytes(cp949), `text/plain;x=1 ; Charset = ${charset} ;`)).toEqual(success('사출기'))
    },
  )

  test('whose second byte is a backslash is decoded by its charset, and survives without', () => {
    expect(read(inBytes(sjis), 'application/json;charset=Shift_JIS')).toEqual(success('射出ソ'))
    expect(read(inBytes(sjis))).toMatchObject({ result: 'SUCCESS', detail: expect.stringContaining('\ufffd') })
  })

  test.each([null, 'application/json', 'application/json; charset=utf-8', 'application/json; charset=klingon', ';;='])(
    'is decoded with replacement by %j',
    (contentType) => {
      const report = readControllerReport(inBytes(cp949), contentType)
      expect(report).toMatchObject({ result: 'SUCCESS', detail: expect.stringMatching(/^\ufffd+/) })
    },
  )

  test('is UTF-8 if it can be, whatever the header says', () => {
    expect(read('{"result":1,"detail":"사출기"}', 'application/json; charset=euc-kr')).toEqual(success('사출기'))
    expect(read('\ufeff{"result":1,"detail":"사출기"}')).toEqual(success('사출기'))
  })

  test('is UTF-16 by its byte order mark, or by its charset', () => {
    const littleEndian = new Uint8Array(Buffer.from('{"result":1,"detail":"사출기😀"}', 'utf16le'))
    const bigEndian = new Uint8Array(Buffer.from(littleEndian).swap16())
    expect(read(concat([0xff, 0xfe], littleEndian))).toEqual(success('사출기😀'))
    expect(read(concat([0xfe, 0xff], bigEndian))).toEqual(success('사출기😀'))
    expect(read(littleEndian, 'application/json; charset=utf-16le')).toEqual(success('사출기😀'))
    expect(read(bigEndian, 'application/json; charset=UTF-16BE')).toEqual(success('사출기😀'))
  })
})

describe('whatever is sent', () => {
  const contentTypes = fc.option(
    fc.oneof(
      fc.string(),
      fc.constantFrom('euc-kr', 'utf-16', 'x').map((name) => `application/json; charset=${name}`),
    ),
  )
  const isStorable = (detail: string | null) =>
    detail === null || (detail.isWellFormed() && !detail.includes('\0') && [...detail].length <= 1_000)

  test('no bytes throw, and a detail can be stored', () => {
    const pieces = fc.constantFrom('{', '}', '"result"', ':', '1', ',', '"', '\\', '"detail"', '\ud800', '\0', ' ', 'é')
    const nearlyJson = fc.array(pieces, { maxLength: 40 }).map((parts) => utf8(parts.join('')))
    const bodies = fc.oneof(fc.uint8Array({ maxLength: 200 }), nearlyJson)
    const property = fc.property(bodies, contentTypes, (bytes, contentType) => {
      const report = readControllerReport(bytes, contentType)
      expect(typeof report === 'string' || isStorable(report.detail)).toBe(true)
    })
    fc.assert(property, { numRuns: 2_000 })
  })

  test('a result survives every detail that is JSON', () => {
    const property = fc.property(fc.jsonValue(), fc.string({ unit: 'binary' }), contentTypes, (json, text, type) => {
      for (const detail of [json, text]) {
        const report = readControllerReport(utf8(JSON.stringify({ detail, result: 'REMOTEFAILED' })), type)
        expect(report).toMatchObject({ result: 'REMOTEFAILED' })
        expect(typeof report !== 'string' && isStorable(report.detail)).toBe(true)
      }
    })
    fc.assert(property, { numRuns: 1_000 })
  })

  test('a result survives every detail of broken bytes, before and after it', () => {
    const property = fc.property(fc.uint8Array({ maxLength: 60 }), contentTypes, (bytes, contentType) => {
      const after = concat('{"result":"PENDING","detail":"', bytes, '"}')
      const before = concat('{"detail":"', bytes, '","result":4}')
      expect(readControllerReport(after, contentType)).toMatchObject({ result: 'PENDING' })
      expect(readControllerReport(before, contentType)).toMatchObject({ result: 'PENDING' })
    })
    fc.assert(property, { numRuns: 2_000 })
  })

  test('the longest bodies take a few milliseconds', () => {
    const size = 64 * 1024
    const longest = [
      `{"a":"${'\\"'.repeat(size / 2)}`,
      `{${'"a":1,'.repeat(size / 6)}"result":1`,
      `{"detail":"${', '.repeat(size / 2)}"result":1,"b"`,
      `{"a":${' '.repeat(size)}`,
      `{"detail":"x"y",${' '.repeat(size)}"result":3`,
      '\\'.repeat(size),
      '"result"'.repeat(size / 8),
    ]
    const beganAt = performance.now()
    for (const body of longest) expect(read(body)).toBeTypeOf('string')
    expect(performance.now() - beganAt).toBeLessThan(1_000)
  })
})
