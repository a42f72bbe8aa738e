// Runs the SQL statements of a program, and describes a failure to the person who runs the program.

import { settingsStatement } from '../infra/settings.ts'
import { openClient, type Row, type Statement } from '../infra/sql-client.ts'
import { ProgramError } from './program.ts'

export type DatabaseAddress = {
  database_url: string
  /** Absent: where Neon's driver looks for it. */
  fetch_endpoint?: string
}

/** The message is a sentence that never has the password in it. */
export class DatabaseError extends ProgramError {
  override readonly name = 'DatabaseError'

  /** The SQLSTATE, if the database itself gave the error. */
  get code(): string | undefined {
    const { code } = (this.cause ?? {}) as { code?: unknown } // the driver's error has it
    return typeof code === 'string' && code !== '' ? code : undefined
  }
}

/** Programs change many rows at once, so their statements may take longer than those of the Worker. */
const settings: Statement = { query: settingsStatement({ statement_timeout: '15min' }) }

const isDeadlock = '40P01'

/**
 * Runs the statements in one transaction and gives the rows of each. After a deadlock, which rolls everything back, it runs
 * them once more.
 * @throws DatabaseError
 */
export async function runStatements(address: DatabaseAddress, statements: Statement[]): Promise<Row[][]> {
  const attempt = () => run(address, [settings, ...statements])
  const [, ...results] = await attempt().catch((error: unknown) => {
    if (error instanceof DatabaseError && error.code === isDeadlock) return attempt()
    throw error
  })
  return results
}

/**
 * Runs one statement without a transaction around it, with the session's own settings, and gives its rows.
 * @throws DatabaseError
 */
export async function runAlone(address: DatabaseAddress, query: string): Promise<Row[]> {
  const [rows = []] = await run(address, [{ query }])
  return rows
}

async function run(address: DatabaseAddress, statements: Statement[]): Promise<Row[][]> {
  try {
    return await openClient(address.database_url, address.fetch_endpoint)(statements)
  } catch (error) {
    throw new DatabaseError(describeFailure(address, error), { cause: error })
  }
}

/** @param error what the client of `infra/sql-client.ts` threw */
export function describeFailure({ database_url, fetch_endpoint }: DatabaseAddress, error: unknown): string {
  // The fields of the driver's own error, as far as it is one.
  const { message, code, sourceError } = error as { message: string; code?: unknown; sourceError?: unknown }
  if (code) return `the database said: ${message} (${code})`
  const { hostname } = new URL(database_url)
  const place = fetch_endpoint ?? `of ${hostname}`
  const failure = sourceError
    ? `the database endpoint ${place} cannot be reached`
    : `the database endpoint ${place} gave no result: ${message}`
  if (fetch_endpoint !== undefined || hostname.endsWith('.neon.tech')) return failure
  return `${failure}. DATABASE_URL is not Neon's, and Neon's driver speaks SQL over HTTP, which PostgreSQL itself does not understand. Set NEON_FETCH_ENDPOINT to an endpoint that does. "LOCAL_POSTGRES_URL=… npm run dev" puts one before a PostgreSQL server; without DATABASE_URL, programs use that one.`
}
