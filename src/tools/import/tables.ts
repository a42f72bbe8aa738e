// The tables of the old system, and the form of their rows in the import.
import { ProgramError } from '../program.ts'

export const oldTables = {
  accounts: 'accounts',
  injection_molding_machines: 'machines',
  machines_history: 'history',
} as const
export type OldTable = (typeof oldTables)[keyof typeof oldTables]

/** The values are PostgreSQL's texts; null is NULL. A column that is not given is absent. */
export type OldRow = { table: OldTable; line: number; values: Record<string, string | null> }
/** A row with the name of its file. */
export type FileRow = OldRow & { file: string }

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

/** A file that cannot be read. The message says where. */
export class FileError extends ProgramError {
  override readonly name = 'FileError'
  override readonly exitCode = 2
  /** What to do, for a file with this name. */
  readonly advice: (file: string) => string

  constructor(message: string, advice = (_file: string) => '', options?: ErrorOptions) {
    super(message, options)
    this.advice = advice
  }
}

/** @throws FileError if there are more or fewer values than columns */
export function toRow(table: OldTable, line: number, columns: string[], given: (string | null | undefined)[]): OldRow {
  if (given.length !== columns.length) {
    throw new FileError(
      `Line ${line}: the row of ${table} has ${given.length} columns, not ${columns.length} (${columns.join(', ')}). ` +
        `Dump with --column-inserts, or name the columns: --columns ${table}=a,b,c`,
    )
  }
  const values: OldRow['values'] = {}
  for (const [index, column] of columns.entries()) {
    const value = given[index]
    if (value !== undefined) values[column] = value
  }
  return { table, line, values }
}
