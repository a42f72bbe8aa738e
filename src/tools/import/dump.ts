// Reads the rows of the old tables from a dump of PostgreSQL, with INSERT or with COPY, or from a CSV with a header.
// Everything else in a dump (functions, sequences, other tables) is skipped without being read.
import { readCopyOptions, readCopyRows, skipCopyLines } from './copy.ts'
import { findHeader, readCsvFile } from './csv.ts'
import type { Input } from './input.ts'
import { Lexer, type Token } from './lexer.ts'
import { type Columns, FileError, type OldRow, type OldTable, oldTables, toRow } from './tables.ts'
import { readName, readNames, readTuple, show, Tokens } from './values.ts'

/** @throws FileError for a file without rows of the tables, or with a syntax error */
export function readRows(input: Input, columns: Columns): OldRow[] {
  input.fill(64 * 1024)
  const [firstLine = ''] = input.text.trimStart().split(/\r?\n|\r/, 1)
  const header = findHeader(firstLine)
  if (header) return readCsvFile(input, header)
  const dump = new Dump(input, columns)
  const rows = [...dump.readRows()]
  if (rows.length > 0) return rows
  if (!dump.hasStatement && firstLine !== '') {
    const advice = firstLine.includes('\0') ? ' If it is in UTF-16, give --encoding FILE=utf-16le.' : ''
    throw new FileError(
      `The file is neither a dump nor a CSV of the old tables. Its first line is ${firstLine.slice(0, 80)}.${advice}`,
    )
  }
  throw new FileError(`There is no row of ${Object.keys(oldTables).join(', ')} in the schema public.`)
}

class Dump {
  hasStatement = false
  readonly #input: Input
  readonly #lexer: Lexer
  readonly #tokens: Tokens
  readonly #columns: Columns
  /** The tables of which there are rows. */
  readonly #found = new Set<OldTable>()
  /** The schema of names without one. */
  #schema = 'public'

  constructor(input: Input, columns: Columns) {
    this.#input = input
    this.#columns = columns
    this.#lexer = new Lexer(input)
    this.#tokens = new Tokens(this.#lexer)
  }

  *readRows(): Generator<OldRow> {
    for (;;) {
      const token = this.#tokens.next(false)
      if (token.kind === 'end') return
      if (token.kind === 'meta') this.#readMeta(token)
      else if (token.text === 'insert' && this.#tokens.take('into')) yield* this.#readInsert()
      else if (token.text === 'copy') yield* this.#readCopy()
      else if (token.text === 'update' || token.text === 'delete') this.#skipChange(token)
      else if (token.text === 'set') this.#readSetting()
      else if (token.text !== ';') this.#skipStatement(token.text === 'create')
    }
  }

  /** A command of psql. @throws FileError for one that reads another file */
  #readMeta({ text, line }: Token): void {
    const [name = '', argument] = text.split(/\s+/)
    if (name === 'encoding' && argument !== undefined) this.#input.setEncoding(argument.replaceAll("'", ''))
    if (!/^(i|ir|include|include_relative|copy)$/.test(name)) return
    throw new FileError(`Line ${line}: \\${text.slice(0, 80)} reads another file. Give that file to the import.`)
  }

  *#readInsert(): Generator<OldRow> {
    const { line } = this.#tokens.peek()
    const table = this.#findTable()
    if (!table) return this.#skipStatement()
    this.#found.add(table)
    if (this.#tokens.take('as')) this.#tokens.next()
    const columns = readNames(this.#tokens) ?? this.#columns[table]
    if (this.#tokens.take('overriding')) {
      this.#tokens.next()
      this.#tokens.expect('value')
    }
    if (this.#tokens.take('default')) yield { table, line, values: {} }
    else if (!this.#tokens.take('values')) {
      throw new FileError(`Line ${line}: an INSERT of ${show(this.#tokens.peek())} is not supported, only of VALUES.`)
    } else {
      do {
        const { line: own } = this.#tokens.peek()
        yield toRow(table, own, columns, readTuple(this.#tokens))
      } while (this.#tokens.take(','))
      this.#requireEnd()
    }
    this.#skipStatement()
  }

  /** @throws FileError if it changes rows that were read: only the old database can carry it out */
  #skipChange({ text, line }: Token): void {
    if (text === 'delete') this.#tokens.take('from')
    this.#tokens.take('only')
    const table = this.#findTable()
    if (table && this.#found.has(table))
      throw new FileError(
        `Line ${line}: ${text.toUpperCase()} of rows is not supported. Import it into the old database, and dump that.`,
      )
    this.#skipStatement()
  }

  /** A row is followed by the end of the statement, or by a clause such as ON CONFLICT DO NOTHING. */
  #requireEnd(): void {
    const token = this.#tokens.peek()
    if (token.text === ';' || token.text === 'on' || token.text === 'returning') return
    throw new FileError(`Line ${token.line}: ; is missing before ${show(token)}. Is the file complete?`)
  }

  *#readCopy(): Generator<OldRow> {
    const { line, text } = this.#tokens.peek()
    if (text === '(') return this.#skipStatement()
    const table = this.#findTable()
    const columns = readNames(this.#tokens)
    if (!this.#tokens.take('from')) return this.#skipStatement()
    const isInline = this.#tokens.take('stdin')
    if (!table) {
      this.#skipStatement()
      if (isInline) skipCopyLines(this.#input)
      return
    }
    if (!isInline) throw new FileError(`Line ${line}: this COPY reads another file. Give that file to the import.`)
    this.#found.add(table)
    const options = readCopyOptions(this.#tokens)
    yield* readCopyRows(this.#input, table, columns ?? this.#columns[table], options)
  }

  /** The table of this name, if it is one of ours. */
  #findTable(): OldTable | undefined {
    this.hasStatement = true
    const parts = readName(this.#tokens)
    const [name = '', schema = this.#schema] = parts.toReversed()
    if (schema !== 'public' || !Object.hasOwn(oldTables, name)) return undefined
    return oldTables[name as keyof typeof oldTables] // as checked above
  }

  #readSetting(): void {
    if (!this.#tokens.take('session')) this.#tokens.take('local')
    const { text: name } = this.#tokens.next()
    if (name !== 'names' && !this.#tokens.take('to')) this.#tokens.take('=')
    const value = this.#tokens.next().text
    if (name === 'client_encoding' || name === 'names') this.#input.setEncoding(value)
    if (name === 'standard_conforming_strings') this.#lexer.hasStandardStrings = !/^(off|false|no|0|f)$/i.test(value)
    if (name === 'search_path') this.#schema = value === '' || value === '$user' ? 'public' : value
    if (value !== ';') this.#skipStatement()
  }

  /** @param isDefinition a function can have a body with semicolons: BEGIN ATOMIC …; END */
  #skipStatement(isDefinition = false): void {
    let parentheses = 0
    let blocks = 0
    let before = ''
    for (;;) {
      const { kind, text } = this.#tokens.next(false)
      if (kind === 'end') return
      if (kind === 'symbol') {
        if (text === '(') parentheses += 1
        if (text === ')') parentheses -= 1
        if (text === ';' && parentheses <= 0 && blocks <= 0) break
      }
      if (kind === 'word' && isDefinition) {
        if (text === 'atomic' && before === 'begin') blocks += 1
        if (text === 'case' && blocks > 0) blocks += 1
        if (text === 'end' && blocks > 0) blocks -= 1
      }
      before = text
    }
    this.hasStatement = true
  }
}
