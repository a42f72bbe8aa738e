// Checks the password of an account and limits failed attempts.
import type { AppContext } from '../http/context.ts'
import { addressOf, failedLogInKeys, knownAddressKey, rememberAddress, throwLatest } from './limits.ts'
import { verifyPassword } from './password.ts'

type CheckableCredentials = { password_hash: string; is_active: boolean }
type CheckedPassword<Credentials> = { credentials: Credentials; isOutdated: boolean }

/**
 * Checks a password. Every check is counted as a failure first, and the count is refunded if the password is right: if
 * failures were counted afterwards, many checks in parallel would all see the same count and pass the limit. All limits
 * are counted while Redis is asked whether the address is known; those that do not apply are refunded.
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
  const { limiter, cache } = c.var.upstreams
  const address = addressOf(c)
  const keys = failedLogInKeys(c.var.environment, usernameKey, address)
  const consuming = limiter.consume(keys)
  const readingKnown = cache.read([knownAddressKey(usernameKey, address)]).then((values) => Boolean(values?.[0]))
  let isFailure = false
  try {
    const [{ refusals }, isKnown, credentials] = await Promise.all([consuming, readingKnown, find()])
    throwLatest(isKnown ? refusals.filter(({ limit }) => limit === keys[0].limit) : refusals)
    const { isRight, isOutdated } = await verifyPassword(password, credentials?.password_hash, isKnown)
    if (credentials?.is_active && isRight) {
      c.executionCtx.waitUntil(cache.write([rememberAddress(usernameKey, address)]))
      return { credentials, isOutdated }
    }
    isFailure = true
    return undefined
  } finally {
    // Everything is refunded if the password was right or was not checked: a limit refused, the database is unavailable,
    // or the queue is full.
    const refund = Promise.all([consuming, readingKnown]).then(([{ consumed }, isKnown]) => {
      const kept = !isFailure ? [] : isKnown ? [keys[0]] : keys
      return limiter.refund(consumed.filter((key) => !kept.includes(key)))
    })
    c.executionCtx.waitUntil(refund)
  }
}
