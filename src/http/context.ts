// What every handler finds in its context: the request's id and trace, and the upstreams bound to that trace.
import type { Context } from 'hono'
import type { Environment } from '../env.ts'
import type { Database } from '../infra/database.ts'
import type { Limiter } from '../infra/limiter.ts'
import type { Queue } from '../infra/queue.ts'
import type { Cache } from '../infra/redis.ts'
import type { Trace } from '../kernel/trace.ts'

/** Who sent the request, as far as the token says. Whether the session still lives is decided by the statement. */
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
    /** Set by `jsonBody()`: the bytes as they came. */
    rawBody: Uint8Array
  }
}

export type AppContext = Context<AppEnv>
