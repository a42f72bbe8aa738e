// What the bare worker does for a route: the statements of the Worker, with the ids of the request.
import type { Query, SQL } from 'drizzle-orm'
import { type Database, type Sent, toSent, toTexts } from '../../src/infra/database.ts'
import { render } from '../../src/infra/prepare.ts'
import type { toRequest } from '../../src/infra/queue.ts'
import type { Statement } from '../../src/infra/sql-client.ts'
import type { NeededRows } from '../../src/infra/stored.ts'

/** The same message and the same Redis script as the Worker's: the ratio is not about what QStash and Redis do. */
export type Announcement = { message: ReturnType<typeof toRequest>; script: string; statement: Statement }

export type Plan = {
  /** A round trip before the statements. */
  first?: Statement
  statements: Statement[]
  isTransaction: boolean
  /** The bearer token is an API key, whose hash replaces `hashInPlan`, and not a JWT. */
  takesKey?: true
  /** How many tokens the answer has, besides the rows. */
  signedTokens?: number
  /** Read from Redis, instead of statements. */
  keys?: string[]
  /** After the statements: publish the message and write the job to Redis in parallel, then run the statement. */
  announced?: Announcement
  /** After the answer: this Redis script adds an entry to the change feed, as the Worker does. */
  feedScript?: string
  /** The answer is a new pair of tokens instead of the rows. */
  signsPair?: true
}

/** Placeholders in the parameters of a plan: the id in the request's path, and a new id. */
export const idInPlan = 999_999_999_999
export const newIdInPlan = '00000000-0000-7000-8000-000000000000'
export const hashInPlan = 'the hash of the key'

/** What `call` would send; it is not executed. */
export async function planOf(call: (database: Database) => Promise<unknown>): Promise<Plan> {
  const { name, queries, needed } = await record(call)
  const { statements, isTransaction }: Sent = toSent(name, queries, needed)
  return { statements, isTransaction }
}

/** The statements of `call` as texts, also those that PostgreSQL keeps as a function. For EXPLAIN. */
export async function textsOf(call: (database: Database) => Promise<unknown>): Promise<Statement[]> {
  return toTexts((await record(call)).queries)
}

type Recorded = { name: string; queries: Query[]; needed: NeededRows }

async function record(call: (database: Database) => Promise<unknown>): Promise<Recorded> {
  let recorded: Recorded | undefined
  const halt = (needed: NeededRows) => async (name: string, statements: (SQL | Query)[]) => {
    recorded = { name, queries: statements.map(render), needed }
    throw new Error('only planned')
  }
  const batch = halt('last')
  const database = {
    query: (name: string, statement: SQL | Query) => batch(name, [statement]),
    batch,
    batchAll: halt('all'),
    ping: () => batch('ping', []),
  }
  await call(database).catch(() => undefined)
  if (!recorded) throw new TypeError('the call sent no statement')
  return recorded
}
