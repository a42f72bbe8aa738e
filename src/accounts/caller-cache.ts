// The cache of callers in Redis. For 60 s after PostgreSQL has checked a session or a key, the status of a job can be read
// without another check.
import type { Caller } from '../http/context.ts'
import type { CacheWrite } from '../infra/redis.ts'

const cacheSeconds = 60

/** What the cache knows of a caller. `machineId`: the only machine that its key can see. */
export type KnownCaller = { accountId: number; machineId: number | null }

/** The entry of a key, as JSON. `proof` binds it to what PostgreSQL has checked. */
type KeyEntry = KnownCaller & { proof: string }

export function callerCacheKey(caller: Caller): string {
  return caller.kind === 'key' ? keyCacheKey(caller.keyId) : sessionCacheKey(caller.sessionId)
}

const sessionCacheKey = (sessionId: string) => `session:${sessionId}`
const keyCacheKey = (keyId: string) => `key:${keyId}`

/** A wrong secret with a right id is another proof, and so is another scope. */
function proofOf(caller: Caller & { kind: 'key' }): string {
  return `${caller.secretHash} ${caller.scopes.join(' ')}`
}

/** Use it after PostgreSQL has confirmed the caller. Never overwrites `ask`, which a log-out may have just written. */
export function cacheCaller(caller: Caller, known: KnownCaller): CacheWrite {
  const entry = (key: KeyEntry) => JSON.stringify(key)
  return {
    when: 'absent',
    key: callerCacheKey(caller),
    value: caller.kind === 'key' ? entry({ ...known, proof: proofOf(caller) }) : 'alive',
    seconds: cacheSeconds,
  }
}

/** @returns undefined if PostgreSQL has to check the caller */
export function readCachedCaller(caller: Caller, value: string | null | undefined): KnownCaller | undefined {
  if (caller.kind === 'session') {
    return value === 'alive' ? { accountId: caller.accountId, machineId: null } : undefined
  }
  if (!value?.startsWith('{')) return undefined
  const entry: KeyEntry = JSON.parse(value) // only `cacheCaller` writes it
  return entry.proof === proofOf(caller) ? entry : undefined
}

/**
 * Every request that ends a session writes this before it answers: until the entry expires, PostgreSQL checks the
 * session.
 */
export function invalidateSession(sessionId: string): CacheWrite {
  return invalidate(sessionCacheKey(sessionId))
}

/** The same for every request that ends a key. */
export function invalidateKey(keyId: string): CacheWrite {
  return invalidate(keyCacheKey(keyId))
}

function invalidate(key: string): CacheWrite {
  return { when: 'always', key, value: 'ask', seconds: cacheSeconds }
}
