// The session cache in Redis: for 60 s the status of a job can be read without a session check in PostgreSQL.
import type { CacheWrite } from '../infra/redis.ts'

const cacheSeconds = 60

export function sessionCacheKey(sessionId: string): string {
  return `session:${sessionId}`
}

/** Use it after PostgreSQL has confirmed the session. Never overwrites `ask`, which a log-out may have just written. */
export function cacheSession(sessionId: string): CacheWrite {
  return {
    when: 'absent',
    key: sessionCacheKey(sessionId),
    value: 'alive',
    seconds: cacheSeconds,
  }
}

/**
 * Every request that ends a session writes this before it answers: until the entry expires, PostgreSQL checks the
 * session.
 */
export function invalidateSession(sessionId: string): CacheWrite {
  return {
    when: 'always',
    key: sessionCacheKey(sessionId),
    value: 'ask',
    seconds: cacheSeconds,
  }
}

export function isSessionCached(value: string | null | undefined): boolean {
  return value === 'alive'
}
