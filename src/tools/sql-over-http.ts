// Statements for a database behind Neon's SQL over HTTP endpoint, sent without the vendor's driver: that one keeps its
// endpoint in a variable of the whole process, and programs may speak to several databases at once.
import { z } from 'zod'

export type DatabaseAddress = {
  database_url: string
  /** Absent: where Neon's driver would look for it. */
  fetch_endpoint?: string
}
export type Statement = { query: string; params?: unknown[] }
export type Row = Record<string, unknown>

/** What the database or its endpoint said, as a sentence that never has the password in it. */
export class DatabaseError extends Error {
  override readonly name = 'DatabaseError'
}

const resultsSchema = z.object({ results: z.array(z.object({ rows: z.array(z.record(z.string(), z.unknown())) })) })
const errorSchema = z.object({ message: z.string(), code: z.string().nullish() })

/**
 * Runs the statements in one transaction and gives the rows of each.
 * @throws DatabaseError with what the database or the endpoint says
 */
export async function runStatements(address: DatabaseAddress, statements: Statement[]): Promise<Row[][]> {
  const endpoint = address.fetch_endpoint ?? endpointOf(address.database_url)
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: { 'neon-connection-string': address.database_url },
    body: JSON.stringify({ queries: statements.map(({ query, params = [] }) => ({ query, params })) }),
  }).catch((error: unknown) => {
    throw new DatabaseError(`the database endpoint ${endpoint} cannot be reached`, { cause: error })
  })
  const text = await response.text()
  if (!response.ok) throw new DatabaseError(`the database said: ${describeError(text) ?? `HTTP ${response.status}`}`)
  return resultsSchema.parse(JSON.parse(text)).results.map(({ rows }) => rows)
}

/** As Neon's driver does: the first label of the host gives way to `api`. */
function endpointOf(databaseUrl: string): string {
  return `https://${new URL(databaseUrl).hostname.replace(/^[^.]+\./, 'api.')}/sql`
}

function describeError(text: string): string | undefined {
  try {
    const { message, code } = errorSchema.parse(JSON.parse(text))
    return code ? `${message} (${code})` : message
  } catch {
    return undefined
  }
}
