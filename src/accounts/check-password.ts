// Checks the password of an account and limits failed attempts.
import type { AppContext } from '../http/context.ts'
import { limitProblem } from '../http/middleware/rate-limit.ts'
import { addressOf, failedLogInKeys } from './limits.ts'
import { verifyPassword } from './password.ts'

type CheckableCredentials = { password_hash: string; is_active: boolean }
type CheckedPassword<Credentials> = { credentials: Credentials; isOutdated: boolean }

/**
 * Checks a password. Every check is counted as a failure first, and the count is refunded if the password is right: if
 * failures were counted afterwards, many checks in parallel would all see the same count and pass the limit.
 * @param find reads the credentials, in parallel with the count
 * @returns undefined for an unknown account, a disabled account and a wrong password: all take the same time and count
 * @throws TiebarError `rate_limited`, before the expensive hash
 */
export async function checkPassword<Credentials extends CheckableCredentials>(
  c: AppContext,
  usernameKey: string,
  password: string,
  find: () => Promise<Credentials | undefined>,
): Promise<CheckedPassword<Credentials> | undefined> {
  const { limiter } = c.var.upstreams
  const consuming = limiter.consume(failedLogInKeys(c.var.environment, usernameKey, addressOf(c)))
  let isFailure = false
  try {
    const [{ refusal }, credentials] = await Promise.all([consuming, find()])
    if (refusal) throw limitProblem(refusal.limit, refusal.retryAfterSeconds)
    const { isRight, isOutdated } = await verifyPassword(password, credentials?.password_hash)
    if (credentials?.is_active && isRight) return { credentials, isOutdated }
    isFailure = true
    return undefined
  } finally {
    // The password was right or was not checked: a limit refused, the database is unavailable, or the queue is full.
    if (!isFailure) c.executionCtx.waitUntil(consuming.then(({ consumed }) => limiter.refund(consumed)))
  }
}
