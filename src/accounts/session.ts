// The short-lived mark in Redis that lets a job's status be read without asking PostgreSQL who asks.
import type { CacheWrite } from '../infra/redis.ts'

const markSeconds = 60

export function sessionCacheKey(sessionId: string): string {
  return `session:${sessionId}`
}

/** After PostgreSQL said that the session lives. Never overwrites `ask`, which a log-out may just have written. */
export function cacheSession(sessionId: string): CacheWrite {
  return {
    when: 'absent',
    key: sessionCacheKey(sessionId),
    value: 'alive',
    seconds: markSeconds,
  }
}

/** Whatever ends a session writes this before it answers: until the mark expires, PostgreSQL is asked. */
export function invalidateSession(sessionId: string): CacheWrite {
  return {
    when: 'always',
    key: sessionCacheKey(sessionId),
    value: 'ask',
    seconds: markSeconds,
  }
}

export function isSessionCached(mark: string | null | undefined): boolean {
  return mark === 'alive'
}
