// What the bare worker does for a route: the statements of the Worker, with the ids of the request.
import { type Sent, toSent, toTexts } from '../../src/infra/database.ts'
import type { toRequest } from '../../src/infra/queue.ts'
import type { Statement } from '../../src/infra/sql-client.ts'
import { type Call, recordCall } from '../../src/tools/stored/record.ts'

/** The same message and the same Redis script as the Worker's: the ratio is not about what QStash and Redis do. */
export type Announcement = { message: ReturnType<typeof toRequest>; script: string }

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
  /** After the statements: publish the message and write the job to Redis in parallel. */
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
export async function planOf(call: Call): Promise<Plan> {
  const { name, queries, needed } = await recordCall(call)
  const { statements, isTransaction }: Sent = toSent(name, queries, needed)
  return { statements, isTransaction }
}

/** The statements of `call` as texts, also those that PostgreSQL keeps as a function. For EXPLAIN. */
export async function textsOf(call: Call): Promise<Statement[]> {
  return toTexts((await recordCall(call)).queries)
}
