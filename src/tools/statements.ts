// Runs the SQL statements of a program, and describes a failure to the person at the keyboard.
import { openClient, type Row, type Statement } from '../infra/database.ts'
import { ProgramError } from './program.ts'

export type DatabaseAddress = {
  database_url: string
  /** Absent: where Neon's driver looks for it. */
  fetch_endpoint?: string
}

/** The message is a sentence that never has the password in it. */
export class DatabaseError extends ProgramError {
  override readonly name = 'DatabaseError'
}

/**
 * Runs the statements in one transaction and gives the rows of each.
 * @throws DatabaseError
 */
export async function runStatements(address: DatabaseAddress, statements: Statement[]): Promise<Row[][]> {
  try {
    return await openClient(address.database_url, address.fetch_endpoint)(statements)
  } catch (error) {
    throw new DatabaseError(describeFailure(address, error), { cause: error })
  }
}

/** @param error what the client of `infra/database.ts` threw */
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
