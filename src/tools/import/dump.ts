// Reads the rows of the old tables from a `pg_dump --data-only --inserts` (with or without column names) or from a CSV
// with a header. Everything else in a dump (settings, sequences, other tables) is skipped.
import { parse } from 'csv-parse/sync'
import { UsageError } from '../program.ts'

export const oldTables = {
  accounts: 'accounts',
  injection_molding_machines: 'machines',
  machines_history: 'history',
} as const
export type OldTable = (typeof oldTables)[keyof typeof oldTables]

/** The values are PostgreSQL's texts; null is NULL. */
export type OldRow = { table: OldTable; line: number; values: Record<string, string | null> }

export type Columns = Record<OldTable, string[]>

/**
 * The order of columns in a dump that does not name them, as Django's migrations made it: AbstractUser for accounts; in
 * the other tables the plain fields come before the references.
 */
export const usualColumns: Columns = {
  accounts: [
    'id',
    'password',
    'last_login',
    'is_superuser',
    'username',
    'first_name',
    'last_name',
    'email',
    'is_staff',
    'is_active',
    'date_joined',
  ],
  machines: ['id', 'name', 'location', 'status', 'owner_id'],
  history: ['id', 'command', 'request_datetime', 'result', 'machine_id', 'worker_id'],
}

/** @throws UsageError for a file without rows of the tables, or with a syntax error */
export function readRows(text: string, columns: Columns): OldRow[] {
  const rows = /^\s*INSERT\s+INTO\s/im.test(text) ? readInserts(text, columns) : readCsv(text)
  if (rows.length === 0) throw new UsageError(`There is no row of ${Object.keys(oldTables).join(', ')}.`)
  return rows
}

function readCsv(text: string): OldRow[] {
  let table: OldTable | undefined
  const records: { record: Record<string, string>; info: { lines: number } }[] = parse(text, {
    bom: true,
    columns: (header: string[]) => {
      const names = header.map((name) => name.trim().toLowerCase())
      table = tableOf(names)
      return names
    },
    info: true,
    record_delimiter: ['\r\n', '\n'],
    skip_empty_lines: true,
  })
  return records.map(({ record, info }) => ({
    table: table as OldTable, // the header comes before every record
    line: info.lines,
    // COPY … CSV writes NULL as an empty value; in the old tables an empty text means the same.
    values: Object.fromEntries(Object.entries(record).map(([name, value]) => [name, value === '' ? null : value])),
  }))
}

/** @throws UsageError */
function tableOf(header: string[]): OldTable {
  if (header.includes('username')) return 'accounts'
  if (header.includes('location')) return 'machines'
  if (header.includes('request_datetime')) return 'history'
  throw new UsageError(`The file is neither a dump nor a CSV of the old tables. Its first line is ${header.join(',')}`)
}

const insert =
  /INSERT\s+INTO\s+(?:"?public"?\s*\.\s*)?"?(\w+)"?\s*(?:\(([^)]*)\)\s*)?(?:OVERRIDING\s+SYSTEM\s+VALUE\s+)?VALUES\s*/iy

function readInserts(text: string, columns: Columns): OldRow[] {
  const rows: OldRow[] = []
  const lines = countLines(text)
  let at = 0
  while (at < text.length) {
    const start = text.slice(at).search(/^\s*INSERT\s+INTO\s/im)
    if (start === -1) break
    at += start + (/^\s*/.exec(text.slice(at + start, at + start + 1_000))?.[0].length ?? 0)
    insert.lastIndex = at
    const found = insert.exec(text)
    if (!found) throw new UsageError(`Line ${lines(at)}: this INSERT does not have the form that pg_dump writes.`)
    const table = oldTables[found[1] as keyof typeof oldTables] as OldTable | undefined // undefined: another table
    const named = found[2]?.split(',').map((name) => name.trim().replaceAll('"', '').toLowerCase())
    const line = lines(at)
    const { tuples, end } = readTuples(text, insert.lastIndex, () => line)
    at = end
    if (!table) continue
    const names = named ?? columns[table]
    for (const tuple of tuples) {
      if (tuple.length !== names.length) {
        throw new UsageError(
          `Line ${line}: ${found[1]} has ${tuple.length} columns, not ${names.length} (${names.join(', ')}). ` +
            `Dump with --column-inserts, or name the columns: --columns ${table}=a,b,c`,
        )
      }
      rows.push({ table, line, values: Object.fromEntries(names.map((name, index) => [name, tuple[index] ?? null])) })
    }
  }
  return rows
}

const space = /\s*/y
const literal = /E?'((?:[^']|'')*)'(?:::[\w ]+)?|([^\s,()']+)/y

/** Reads `(1, 'it''s', NULL), (…);` as texts. `at` is the position after VALUES. */
function readTuples(text: string, at: number, line: () => number): { tuples: (string | null)[][]; end: number } {
  const tuples: (string | null)[][] = []
  let tuple: (string | null)[] = []
  const skip = () => {
    space.lastIndex = at
    at += space.exec(text)?.[0].length ?? 0
  }
  const take = (mark: string) => {
    skip()
    const isThere = text.startsWith(mark, at)
    if (isThere) at += mark.length
    return isThere
  }
  do {
    if (!take('(')) throw new UsageError(`Line ${line()}: a ( is missing.`)
    tuple = []
    do {
      skip()
      literal.lastIndex = at
      const found = literal.exec(text)
      if (!found) throw new UsageError(`Line ${line()}: a value cannot be read.`)
      at = literal.lastIndex
      tuple.push(toValue(found))
    } while (take(','))
    if (!take(')')) throw new UsageError(`Line ${line()}: a ) is missing.`)
    tuples.push(tuple)
  } while (take(','))
  return { tuples, end: at }
}

function toValue([whole, quoted, bare = '']: RegExpExecArray): string | null {
  if (quoted !== undefined) {
    const text = quoted.replaceAll("''", "'")
    return whole.startsWith('E') ? text.replace(/\\(.)/gs, (_, mark: string) => (mark === 'n' ? '\n' : mark)) : text
  }
  return /^null$/i.test(bare) ? null : bare
}

/** Gives the line of a position. The positions must not decrease from call to call. */
function countLines(text: string): (at: number) => number {
  let line = 1
  let counted = 0
  return (at) => {
    for (; counted < at; counted += 1) if (text[counted] === '\n') line += 1
    return line
  }
}
