// Limits on failed log-ins and on sign-ups from one address.
import { createHash } from 'node:crypto'
import type { Environment } from '../env.ts'
import type { AppContext } from '../http/context.ts'
import { limitProblem } from '../http/middleware/rate-limit.ts'
import type { LimitKey } from '../infra/limiter.ts'
import { clientAddress } from './address.ts'

const logInWindowSeconds = 5 * 60
const signUpWindowSeconds = 10 * 60

export function addressOf(c: AppContext): string {
  return clientAddress(c.req.header('CF-Connecting-IP'))
}

/**
 * Counts every valid sign-up, also one with a taken name: its answer reveals that an account has this name.
 * @throws TiebarError `rate_limited`
 */
export async function limitSignUps(c: AppContext): Promise<void> {
  const quota = c.var.environment.SIGN_UPS_PER_ADDRESS
  const limit = { name: 'sign-ups-by-address', quota, windowSeconds: signUpWindowSeconds }
  const { refusal } = await c.var.upstreams.limiter.consume([{ limit, key: addressOf(c) }])
  if (refusal) throw limitProblem(refusal.limit, refusal.retryAfterSeconds)
}

/** The limits that a failed log-in counts against. */
export function failedLogInKeys(environment: Environment, usernameKey: string, address: string): LimitKey[] {
  // A username is personal data and can be long, so Redis gets only its hash.
  const name = createHash('sha256').update(usernameKey).digest('base64url')
  const keyOf = (by: string, quota: number, key: string): LimitKey => ({
    limit: { name: `failed-log-ins-by-${by}`, quota, windowSeconds: logInWindowSeconds },
    key,
  })
  return [
    keyOf('name-and-address', environment.FAILED_LOG_INS_PER_NAME_AND_ADDRESS, `${name}:${address}`),
    keyOf('name', environment.FAILED_LOG_INS_PER_NAME, name),
    keyOf('address', environment.FAILED_LOG_INS_PER_ADDRESS, address),
  ]
}
