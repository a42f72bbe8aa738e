// What the bare worker does for a route: the statements of the Worker, with the ids of the request.
import type { SQL } from 'drizzle-orm'
import { PgDialect } from 'drizzle-orm/pg-core'
import type { Database } from '../../src/infra/database.ts'

export type Statement = { sql: string; params: unknown[] }

export type Plan = {
  /** Several statements run as a transaction. */
  statements: Statement[]
  /** Read from Redis, instead of statements. */
  keys?: string[]
  /** After the statements: publish to QStash and write to Redis in parallel, then run this statement. */
  announced?: Statement
  /** The answer is a new pair of tokens instead of the rows. */
  signsPair?: true
}

/** Placeholders in the parameters of a plan: the id in the request's path, and a new id. */
export const idInPlan = 999_999_999_999
export const newIdInPlan = '00000000-0000-7000-8000-000000000000'

/** The statements that `call` would send; they are not executed. */
export async function planOf(call: (database: Database) => Promise<unknown>): Promise<Plan> {
  const dialect = new PgDialect()
  let sent: SQL[] = []
  const halt = async (statements: SQL[]) => {
    sent = statements
    throw new Error('only planned')
  }
  const database = {
    query: (_name: string, statement: SQL) => halt([statement]),
    batch: (_name: string, statements: SQL[]) => halt(statements),
    ping: () => halt([]),
  }
  await call(database).catch(() => undefined)
  if (sent.length === 0) throw new TypeError('the call sent no statement')
  return {
    statements: sent.map((statement) => dialect.sqlToQuery(statement)).map(({ sql, params }) => ({ sql, params })),
  }
}
