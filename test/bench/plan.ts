// What the bare worker does for a route: the Worker's own statements, with ids filled in by request.
import type { SQL } from 'drizzle-orm'
import { PgDialect } from 'drizzle-orm/pg-core'
import type { Database } from '../../src/infra/database.ts'

export type Statement = { sql: string; params: unknown[] }

export type Plan = {
  /** More than one: as a transaction. */
  statements: Statement[]
  /** Read from Redis, instead of statements. */
  keys?: string[]
  /** Publishes to QStash and writes to Redis, side by side, after the statements; and when that is answered, this. */
  announced?: Statement
  /** The answer is a new pair of tokens, and not the rows. */
  signsPair?: true
}

/** Stand in the parameters of a plan for the id in the request's path, and for an id that is made up. */
export const idInPlan = 999_999_999_999
export const newIdInPlan = '00000000-0000-7000-8000-000000000000'

/** The statements that `call` sends, which are not run. */
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
