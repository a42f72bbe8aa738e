// How often a password may be guessed and an address may sign up.
import { createHash } from 'node:crypto'
import type { Environment } from '../env.ts'
import type { AppContext } from '../http/context.ts'
import { limitProblem } from '../http/middleware/rate-limit.ts'
import type { LimitKey } from '../infra/limiter.ts'
import { clientAddress } from './address.ts'
import { verifyPassword } from './password.ts'

const logInWindowSeconds = 5 * 60
const signUpWindowSeconds = 10 * 60

export function addressOf(c: AppContext): string {
  return clientAddress(c.req.header('CF-Connecting-IP'))
}

/** Counts every sign-up that could be read: also one whose name is taken, which tells that somebody has it. */
export async function limitSignUps(c: AppContext): Promise<void> {
  const quota = c.var.environment.SIGN_UPS_PER_ADDRESS
  const limit = { name: 'sign-ups-by-address', quota, windowSeconds: signUpWindowSeconds }
  const { refusal } = await c.var.upstreams.limiter.consume([{ limit, key: addressOf(c) }])
  if (refusal) throw limitProblem(refusal.limit, refusal.retryAfterSeconds)
}

type Checkable = { password_hash: string; is_active: boolean }
type Proof<Credentials> = { credentials: Credentials; isOutdated: boolean }

/**
 * Checks a password, at most so often wrong. Every check counts as a failure before it is known to be none, and is
 * given back when it was: if only known failures were counted, all checks that are under way at once would see the
 * same count, and a flood in parallel would be through before the first has failed.
 * @param find reads the credentials, beside the count
 * @returns undefined for an unknown or disabled account and for a wrong password: the three cost the same and count
 * @throws TiebarError `rate_limited`, before the costly hash
 */
export async function checkPassword<Credentials extends Checkable>(
  c: AppContext,
  usernameKey: string,
  password: string,
  find: () => Promise<Credentials | undefined>,
): Promise<Proof<Credentials> | undefined> {
  const { limiter } = c.var.upstreams
  const taking = limiter.consume(failedLogIn(c.var.environment, usernameKey, addressOf(c)))
  let isFailure = false
  try {
    const [{ refusal }, credentials] = await Promise.all([taking, find()])
    if (refusal) throw limitProblem(refusal.limit, refusal.retryAfterSeconds)
    const { isRight, isOutdated } = await verifyPassword(password, credentials?.password_hash)
    if (credentials?.is_active && isRight) return { credentials, isOutdated }
    isFailure = true
    return undefined
  } finally {
    // Right, refused by another limit, or not checked at all because the database is away or the queue is full.
    if (!isFailure) c.executionCtx.waitUntil(taking.then(({ consumed }) => limiter.refund(consumed)))
  }
}

function failedLogIn(environment: Environment, usernameKey: string, address: string): LimitKey[] {
  // A name is somebody's own and can be long: Redis gets its hash.
  const name = createHash('sha256').update(usernameKey).digest('base64url')
  const charge = (by: string, quota: number, key: string): LimitKey => ({
    limit: { name: `failed-log-ins-by-${by}`, quota, windowSeconds: logInWindowSeconds },
    key,
  })
  return [
    charge('name-and-address', environment.FAILED_LOG_INS_PER_NAME_AND_ADDRESS, `${name}:${address}`),
    charge('name', environment.FAILED_LOG_INS_PER_NAME, name),
    charge('address', environment.FAILED_LOG_INS_PER_ADDRESS, address),
  ]
}
