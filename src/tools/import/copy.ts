// `COPY … FROM stdin` of a dump: its options, and the rows of its data in text and CSV format.
// https://www.postgresql.org/docs/current/sql-copy.html
import { type CsvFormat, parseCsv } from './csv.ts'
import type { Place } from './encoding.ts'
import { endsInEscape, InvalidEscape, readCopyText } from './escapes.ts'
import type { Input } from './input.ts'
import { FileError, type OldRow, type OldTable, toRow } from './tables.ts'
import { show, type Tokens } from './values.ts'

type CopyOptions = { isCsv: boolean; null?: string; hasHeader: boolean; encoding?: string } & Partial<
  Omit<CsvFormat, 'nulls'>
>

/** Reads both `WITH (FORMAT csv, NULL 'x')` and `WITH CSV NULL AS 'x'`, up to the semicolon. @throws FileError */
export function readCopyOptions(tokens: Tokens): CopyOptions {
  const options: CopyOptions = { isCsv: false, hasHeader: false }
  for (;;) {
    const token = tokens.next()
    if (token.text === ';') return options
    if (['with', '(', ')', ','].includes(token.text)) continue
    const value = () => {
      tokens.take('as')
      return tokens.next().text
    }
    if (token.text === 'csv') options.isCsv = true
    else if (token.text === 'format') options.isCsv = readFormat(value(), token.line)
    else if (token.text === 'delimiter' || token.text === 'delimiters') options.delimiter = value()
    else if (token.text === 'null') options.null = value()
    else if (token.text === 'quote') options.quote = value()
    else if (token.text === 'escape') options.escape = value()
    else if (token.text === 'encoding') options.encoding = value()
    else if (token.text === 'header') options.hasHeader = readFlag(tokens)
    else if (token.text === 'freeze') readFlag(tokens)
    else throw new FileError(`Line ${token.line}: the option ${show(token)} of COPY is not supported.`)
  }
}

function readFormat(format: string, line: number): boolean {
  if (format === 'csv' || format === 'text') return format === 'csv'
  throw new FileError(`Line ${line}: the format ${format} of COPY is not supported. Dump with --column-inserts.`)
}

/** `HEADER`, `HEADER true`, `HEADER match` */
function readFlag(tokens: Tokens): boolean {
  const { kind, text } = tokens.peek()
  if (kind === 'symbol' || (kind === 'word' && !/^(true|false|on|off|match)$/.test(text))) return true
  tokens.next()
  return !/^(false|off|0)$/.test(text)
}

type Line = { raw: string; start: Place }

/** The lines after the semicolon up to `\.`, with their places. @throws FileError if the end is missing */
function* readLines(input: Input, keep: boolean): Generator<Line> {
  const { line: first } = input.place
  input.takeUntil('\n', false)
  for (;;) {
    const start = input.place
    const { text: raw, isFound } = input.takeUntil('\n')
    if (withoutReturn(raw) === '\\.') return
    if (!isFound) throw new FileError(`Line ${first}: the data of this COPY has no end. Is the file complete?`)
    if (keep) yield { raw, start }
  }
}

/** Skips the data of another table. @throws FileError */
export function skipCopyLines(input: Input): void {
  readLines(input, false).next()
}

/** A dump that was on Windows can have CR LF. A CR in a value is written as \r. */
function withoutReturn(raw: string): string {
  return raw.endsWith('\r') ? raw.slice(0, -1) : raw
}

/** @throws FileError */
export function* readCopyRows(
  input: Input,
  table: OldTable,
  columns: string[],
  options: CopyOptions,
): Generator<OldRow> {
  const before = input.encoding
  if (options.encoding !== undefined) input.setEncoding(options.encoding)
  if (options.isCsv) yield* readCsvRows(input, table, columns, options)
  else yield* readTextRows(input, table, columns, options)
  input.encoding = before
}

function* readTextRows(input: Input, table: OldTable, columns: string[], options: CopyOptions): Generator<OldRow> {
  const { delimiter = '\t', null: nullText = '\\N' } = options
  let isHeader = options.hasHeader
  let open = ''
  for (const { raw, start } of readLines(input, true)) {
    const text = open + input.decode(withoutReturn(raw), start)
    open = endsInEscape(text) ? `${text}\n` : '' // a line break in a value can be written after a backslash
    if (open !== '') continue
    const values = splitFields(text, delimiter).map((field) =>
      field === nullText ? null : readField(field, start.line),
    )
    if (!isHeader) yield toRow(table, start.line, columns, values)
    isHeader = false
  }
}

function readField(field: string, line: number): string {
  try {
    return readCopyText(field)
  } catch (error) {
    if (!(error instanceof InvalidEscape)) throw error
    throw new FileError(`Line ${line}: a value cannot be read: ${error.message}.`)
  }
}

/** Splits at the delimiters that have no backslash before them. */
function splitFields(text: string, delimiter: string): string[] {
  const parts = text.split(delimiter)
  if (!text.includes('\\')) return parts
  const fields: string[] = []
  let field: string | undefined
  for (const part of parts) {
    field = field === undefined ? part : `${field}${delimiter}${part}`
    if (endsInEscape(part)) continue
    fields.push(field)
    field = undefined
  }
  return field === undefined ? fields : [...fields, field]
}

function* readCsvRows(input: Input, table: OldTable, columns: string[], options: CopyOptions): Generator<OldRow> {
  const { delimiter = ',', quote = '"', null: nullText = '' } = options
  const format = { delimiter, quote, escape: options.escape ?? quote, nulls: [nullText] }
  const lines = [...readLines(input, true)]
  const start = lines[0]?.start ?? input.place
  const text = input.decode(lines.map(({ raw }) => `${raw}\n`).join(''), start)
  for (const [index, { values, line }] of parseCsv(text, format).entries()) {
    if (index > 0 || !options.hasHeader) yield toRow(table, start.line + line - 1, columns, values)
  }
}
