// The Hono context of every handler: the request's id and trace, and clients of the upstreams that record in that trace.
import type { Context } from 'hono'
import type { Environment } from '../env.ts'
import type { Database } from '../infra/database.ts'
import type { Limiter } from '../infra/limiter.ts'
import type { Queue } from '../infra/queue.ts'
import type { Cache } from '../infra/redis.ts'
import type { Trace } from '../kernel/trace.ts'

/** The caller according to the access token. Each SQL statement checks whether the session is still active. */
export type Caller = { accountId: number; sessionId: string }

export type Upstreams = { database: Database; cache: Cache; limiter: Limiter; queue: Queue }

export type AppEnv = {
  Variables: {
    environment: Environment
    requestId: string
    trace: Trace
    upstreams: Upstreams
    /** Checks an access token. @throws TiebarError `token_invalid` */
    verifyAccess: (token: string) => Promise<Caller>
    /** Set by `authenticate()`. */
    caller: Caller
    /** Set by `jsonBody()`: the bytes of the body before decoding. */
    rawBody: Uint8Array
  }
}

export type AppContext = Context<AppEnv>
