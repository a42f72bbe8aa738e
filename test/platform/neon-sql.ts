// Statements for a database behind Neon's SQL over HTTP endpoint, sent without the vendor's driver: that one keeps its
// endpoint in a variable of the whole process, and here several databases may be spoken to at once.
import { z } from 'zod'
import type { PostgresService } from './named-services.ts'
import { PlatformError } from './platform-error.ts'

export type Statement = { query: string; params?: unknown[] }
export type Row = Record<string, unknown>

const resultsSchema = z.object({ results: z.array(z.object({ rows: z.array(z.record(z.string(), z.unknown())) })) })
const errorSchema = z.object({ message: z.string(), code: z.string().nullish() })

/**
 * Runs the statements in one transaction and gives the rows of each.
 * @throws PlatformError with what the database or the endpoint says
 */
export async function runStatements(service: PostgresService, statements: Statement[]): Promise<Row[][]> {
  const response = await fetch(service.fetch_endpoint, {
    method: 'POST',
    headers: { 'neon-connection-string': service.database_url },
    body: JSON.stringify({ queries: statements.map(({ query, params = [] }) => ({ query, params })) }),
  }).catch((error: unknown) => {
    throw new PlatformError(`the database endpoint ${service.fetch_endpoint} cannot be reached`, { cause: error })
  })
  const text = await response.text()
  if (!response.ok) throw new PlatformError(`the database said: ${describeError(text) ?? `HTTP ${response.status}`}`)
  return resultsSchema.parse(JSON.parse(text)).results.map(({ rows }) => rows)
}

function describeError(text: string): string | undefined {
  try {
    const { message, code } = errorSchema.parse(JSON.parse(text))
    return code ? `${message} (${code})` : message
  } catch {
    return undefined
  }
}
