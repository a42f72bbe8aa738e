// The Hono context of every handler: the request's id and trace, and clients of the upstreams that record in that trace.
import type { Context } from 'hono'
import type { Environment } from '../env.ts'
import type { Database } from '../infra/database.ts'
import type { Limiter } from '../infra/limiter.ts'
import type { Queue } from '../infra/queue.ts'
import type { Cache } from '../infra/redis.ts'
import type { TiebarError } from '../kernel/error.ts'
import type { Scope } from '../kernel/scope.ts'
import type { Trace } from '../kernel/trace.ts'

/** A person, by an access token. Each SQL statement checks whether the session is still active. */
export type SessionCaller = { kind: 'session'; accountId: number; sessionId: string }

/**
 * A program, by an API key. Only PostgreSQL knows its account. Each SQL statement checks whether the key is valid and has
 * one of `scopes`, each of which is enough for the request.
 */
export type KeyCaller = { kind: 'key'; keyId: string; secretHash: string; scopes: readonly Scope[] }

export type Caller = SessionCaller | KeyCaller

/** The same caller for what needs one of these scopes. A session may do everything that its account may. */
export function withScopes(caller: Caller, scopes: readonly Scope[]): Caller {
  return caller.kind === 'key' ? { ...caller, scopes } : caller
}

export type Upstreams = { database: Database; cache: Cache; limiter: Limiter; queue: Queue }

export type AppEnv = {
  Variables: {
    environment: Environment
    requestId: string
    trace: Trace
    upstreams: Upstreams
    /** Reads an access token or an API key; a key has no scopes yet. @throws TiebarError `token_invalid`, `key_invalid` */
    verifyAccess: (token: string) => Promise<Caller>
    /** Finds out why a key was refused. */
    explainKey: (database: Database, key: KeyCaller) => Promise<TiebarError>
    /** Set by `authenticate()`. */
    caller: Caller
    /** The caller of a route that is not open to keys. Not set by other routes. */
    session: SessionCaller
    /** Set by `jsonBody()`: the bytes of the body before decoding. */
    rawBody: Uint8Array
  }
}

export type AppContext = Context<AppEnv>
