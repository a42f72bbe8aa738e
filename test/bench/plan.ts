// What the bare worker does for a route: the statements of the Worker, with the ids of the request.
import type { Query, SQL } from 'drizzle-orm'
import { type Database, type Statement, toSent } from '../../src/infra/database.ts'
import { render } from '../../src/infra/prepare.ts'
import type { toRequest } from '../../src/infra/queue.ts'

/** The same message and the same Redis script as the Worker's: the ratio is not about what QStash and Redis do. */
export type Announcement = { message: ReturnType<typeof toRequest>; script: string; statement: Statement }

export type Plan = {
  /** A round trip before the statements. */
  first?: Statement
  /** Several statements run as a transaction. */
  statements: Statement[]
  /** The bearer token is an API key, whose hash replaces `hashInPlan`, and not a JWT. */
  takesKey?: true
  /** How many tokens the answer has, besides the rows. */
  signedTokens?: number
  /** Read from Redis, instead of statements. */
  keys?: string[]
  /** After the statements: publish the message and write the job to Redis in parallel, then run the statement. */
  announced?: Announcement
  /** The answer is a new pair of tokens instead of the rows. */
  signsPair?: true
}

/** Placeholders in the parameters of a plan: the id in the request's path, and a new id. */
export const idInPlan = 999_999_999_999
export const newIdInPlan = '00000000-0000-7000-8000-000000000000'
export const hashInPlan = 'the hash of the key'

/** The statements that `call` would send; they are not executed. */
export async function planOf(call: (database: Database) => Promise<unknown>): Promise<Plan> {
  let sent: Statement[] = []
  const halt = async (name: string, statements: (SQL | Query)[]) => {
    sent = toSent(name, statements.map(render))
    throw new Error('only planned')
  }
  const database = {
    query: (name: string, statement: SQL | Query) => halt(name, [statement]),
    batch: halt,
    batchAll: halt,
    ping: () => halt('ping', []),
  }
  await call(database).catch(() => undefined)
  if (sent.length === 0) throw new TypeError('the call sent no statement')
  return { statements: sent }
}
