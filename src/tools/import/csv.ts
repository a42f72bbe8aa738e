// CSV: the records with their lines, and files whose header names the columns of one of the old tables.
import { CsvError, parse } from 'csv-parse/sync'
import type { Input } from './input.ts'
import { FileError, type OldRow, type OldTable, toRow } from './tables.ts'

/** A value without quotes that is one of `nulls` is NULL. */
export type CsvFormat = { delimiter: string; quote: string; escape: string; nulls: string[] }
type CsvRecord = { values: (string | null)[]; line: number }

/** The line of a record is its last one, counted from 1. @throws FileError */
export function parseCsv(text: string, { nulls, ...format }: CsvFormat): CsvRecord[] {
  const options = {
    ...format,
    cast: (value: string, { quoting }: { quoting: boolean }) => (!quoting && nulls.includes(value) ? null : value),
    info: true,
    record_delimiter: ['\r\n', '\n', '\r'], // Excel's "CSV (Macintosh)" ends lines with CR
    skip_empty_lines: true,
  }
  try {
    // With `info`, each record comes with its place; the types of the package do not say so.
    const records = parse(text, options) as unknown as { record: (string | null)[]; info: { lines: number } }[]
    return records.map(({ record, info }) => ({ values: record, line: info.lines }))
  } catch (error) {
    if (error instanceof CsvError) throw new FileError(error.message)
    throw error
  }
}

/** The separators of Excel. */
const delimiters = [',', '\t', ';']

/** The columns and the separator of a header; undefined if the line is no header of an old table. */
export function findHeader(line: string): { table: OldTable; columns: string[]; delimiter: string } | undefined {
  for (const delimiter of delimiters) {
    const columns = line.split(delimiter).map((name) =>
      name
        .trim()
        .replace(/^"(.*)"$/, '$1')
        .trim()
        .toLowerCase(),
    )
    const table = columns.every((name) => /^[\w ]*$/.test(name)) ? tableOf(columns) : undefined
    if (table) return { table, columns, delimiter }
  }
  return undefined
}

function tableOf(columns: string[]): OldTable | undefined {
  if (columns.includes('username')) return 'accounts'
  if (columns.includes('location')) return 'machines'
  return columns.includes('request_datetime') ? 'history' : undefined
}

/** @throws FileError */
export function readCsvFile(
  input: Input,
  { table, columns, delimiter }: NonNullable<ReturnType<typeof findHeader>>,
): OldRow[] {
  const start = input.place
  const pieces: string[] = []
  while (input.fill()) {
    pieces.push(input.text.slice(input.at))
    input.at = input.text.length
  }
  const text = input.decode(pieces.join(''), start)
  // psql writes NULL as an empty value or, if it is told to, as \N. Other programs write it in quotes.
  const [, ...records] = parseCsv(text, { delimiter, quote: '"', escape: '"', nulls: ['\\N'] })
  const toValue = (value: string | null) => (value === '' ? null : value)
  return records.map(({ values, line }) => toRow(table, line, columns, values.map(toValue)))
}
