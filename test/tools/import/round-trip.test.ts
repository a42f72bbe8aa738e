// Property: rows that are written as pg_dump and COPY write them are read as the same rows, however the file is cut.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readRows } from '../../../src/tools/import/dump.ts'
import { Input } from '../../../src/tools/import/input.ts'
import { usualColumns } from '../../../src/tools/import/tables.ts'

type Value = string | null
type Row = [Value, Value, Value]
const columns = ['id', 'command', 'result']

const special = [
  "'",
  '\\',
  '"',
  '$',
  '$$',
  '$a$',
  ';',
  '(',
  ')',
  ',',
  '--',
  '/*',
  '*/',
  '\n',
  '\r',
  '\t',
  '\b',
  '\v',
  '|',
  '\\.',
  '\\N',
  'E',
  'U&',
  '가',
  '똠',
  '😀',
  '\u00a0',
  'ÿ',
  'x41',
  '101',
]
const value = fc.oneof(
  { weight: 1, arbitrary: fc.constant(null) },
  {
    weight: 5,
    arbitrary: fc.array(fc.constantFrom(...special, 'a', ' ', ''), { maxLength: 8 }).map((parts) => parts.join('')),
  },
)
const row = fc.tuple(value, value, value)

// As pg_dump: E'…' only for a backslash, if standard_conforming_strings is off or strings are escaped.
const plain = (text: string) => `'${text.replaceAll("'", "''")}'`
const escaped = (text: string) => `E'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
const backslashed = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
const dollar = (text: string) => `$q$${text}$q$`
const bytes = (text: string) =>
  `E'${[...Buffer.from(text)].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('')}'`
const unicode = (text: string) =>
  `U&'${[...text].map((each) => `\\+${(each.codePointAt(0) ?? 0).toString(16).padStart(6, '0')}`).join('')}'`
const cast = (text: string) => `${plain(text)}::character varying(9)`

type Form = (rows: Row[]) => string
const values = (row: Row, literal: (text: string) => string) =>
  `(${row.map((each) => (each === null ? 'NULL' : literal(each))).join(', ')})`
const inserts =
  (literal: (text: string) => string): Form =>
  (rows) =>
    rows.map((row) => `INSERT INTO public.machines_history VALUES ${values(row, literal)};\n`).join('')
const oneInsert =
  (literal: (text: string) => string): Form =>
  (rows) =>
    `INSERT INTO public."machines_history" (id, "command", result) VALUES\n\t${rows.map((row) => values(row, literal)).join(',\n\t')}\nON CONFLICT DO NOTHING;\n`

const copyEscapes: Record<string, string> = {
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
}
const copy =
  (delimiter: string, nullText: string): Form =>
  (rows) => {
    const field = (each: Value) =>
      each === null ? nullText : each.replace(/[\b\f\n\r\t\v\\|]/g, (mark) => copyEscapes[mark] ?? `\\${mark}`)
    const lines = rows.map((row) => `${row.map(field).join(delimiter)}\n`)
    return `COPY public.machines_history (id, command, result) FROM stdin WITH (DELIMITER '${delimiter}', NULL '${nullText}');\n${lines.join('')}\\.\n`
  }
const copyCsv: Form = (rows) => {
  const field = (each: Value) => (each === null ? '' : `"${each.replaceAll('"', '""')}"`)
  return `COPY public.machines_history (id, command, result) FROM stdin WITH CSV;\n${rows.map((row) => `${row.map(field).join(',')}\n`).join('')}\\.\n`
}
const off =
  (form: Form): Form =>
  (rows) =>
    `SET standard_conforming_strings = off;\n${form(rows)}`

const forms: [string, Form][] = [
  ['INSERT', inserts(plain)],
  ['INSERT with escape strings', inserts(escaped)],
  ['INSERT without standard strings', off(inserts(escaped))],
  ['INSERT with backslashes', off(inserts(backslashed))],
  ['INSERT with octal bytes', inserts(bytes)],
  ['INSERT with Unicode strings', inserts(unicode)],
  ['INSERT of many rows', oneInsert(plain)],
  ['INSERT of many rows with casts', oneInsert(cast)],
  ['INSERT of many rows without standard strings', off(oneInsert(backslashed))],
  ['COPY', copy('\t', '\\N')],
  ['COPY with another delimiter and NULL', copy('|', 'x41')],
]

function read(dump: string, size: number) {
  const whole = Buffer.from(dump)
  const pieces = Array.from({ length: Math.ceil(whole.length / size) }, (_, index) =>
    whole.subarray(index * size, (index + 1) * size),
  )
  const rows = readRows(new Input(pieces), { ...usualColumns, history: columns })
  return rows.map(({ values }) => columns.map((column) => values[column]))
}

test.each(forms)('%s', (_, form) => {
  fc.assert(
    fc.property(fc.array(row, { minLength: 1, maxLength: 6 }), fc.integer({ min: 1, max: 64 }), (rows, size) => {
      // A value that is the NULL text cannot be written without a backslash in it.
      const written = rows.map((each) => each.map((field) => (field === 'x41' ? 'x' : field))) as Row[] // as many fields as before
      const others = form(written).replaceAll('machines_history', 'elsewhere')
      expect(read(`-- it's\n${others}${form(written)}${others}`, size)).toEqual(written)
    }),
    { numRuns: 150 },
  )
})

test('INSERT with dollar strings, and COPY in CSV, of what they can write', () => {
  fc.assert(
    fc.property(fc.array(row, { minLength: 1, maxLength: 6 }), fc.integer({ min: 1, max: 64 }), (rows, size) => {
      const clean = rows.map((each) =>
        each.map((field) => field?.replaceAll('\\', '').replaceAll('\r', '') ?? null),
      ) as Row[] // as many fields as before
      expect(read(inserts(dollar)(clean), size)).toEqual(clean)
      expect(read(copyCsv(clean), size)).toEqual(clean)
    }),
    { numRuns: 150 },
  )
})
