// Limits on log-ins and sign-ups. The runtime counts all requests of an address, before anything costly; Redis counts
// failed log-ins and valid sign-ups.
import { createHash } from 'node:crypto'
import { createMiddleware } from 'hono/factory'
import type { Environment } from '../env.ts'
import type { AppContext, AppEnv } from '../http/context.ts'
import { countInRuntime, limitProblem } from '../http/middleware/rate-limit.ts'
import type { LimitKey, Refusal } from '../infra/limiter.ts'
import type { CacheWrite } from '../infra/redis.ts'
import { clientAddress } from './address.ts'

const logInWindowSeconds = 5 * 60
const signUpWindowSeconds = 10 * 60
const knownSeconds = 30 * 24 * 60 * 60

/** The same numbers as those of SIGN_IN_RATE_LIMIT in wrangler.toml. */
const requestQuota = 100
const requestWindowSeconds = 60

/** Requests that hash a password, which is expensive. Each kind has the whole quota. */
type CostlyRequest = 'log-ins' | 'sign-ups' | 'password-checks'

/** @throws TiebarError `rate_limited` */
export async function countOfAddress(c: AppContext, what: CostlyRequest): Promise<void> {
  const limit = { name: `requests-for-${what}-by-address`, quota: requestQuota, windowSeconds: requestWindowSeconds }
  await countInRuntime(c, c.get('environment').SIGN_IN_RATE_LIMIT, limit, addressOf(c))
}

/** The middleware throws TiebarError `rate_limited`. */
export function countByAddress(what: CostlyRequest) {
  return createMiddleware<AppEnv>(async function countByAddress(c, next) {
    await countOfAddress(c, what)
    await next()
  })
}

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
  const { refusals } = await c.var.upstreams.limiter.consume([{ limit, key: addressOf(c) }])
  throwLatest(refusals)
}

/** @throws TiebarError `rate_limited` for the limit that resets last */
export function throwLatest(refusals: Refusal[]): void {
  const [latest] = refusals.toSorted((one, other) => other.retryAfterSeconds - one.retryAfterSeconds)
  if (latest) throw limitProblem(latest.limit, latest.retryAfterSeconds)
}

/** A username is personal data and can be long, so Redis gets only its hash. */
function hash(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}

/**
 * A key of Redis. While it is set, failed log-ins with this name from this address are counted separately from all others.
 * So nobody can lock a person out at a usual address by guessing from other addresses, or by guessing other names.
 */
export function knownAddressKey(usernameKey: string, address: string): string {
  return `known:${hash(`${usernameKey} ${address}`)}`
}

/** After a successful log-in or sign-up. */
export function rememberAddress(usernameKey: string, address: string): CacheWrite {
  return { when: 'always', key: knownAddressKey(usernameKey, address), value: '1', seconds: knownSeconds }
}

/** The limits that a failed log-in counts against. At a known address, only the first one applies. */
export function failedLogInKeys(
  environment: Environment,
  usernameKey: string,
  address: string,
): [LimitKey, ...LimitKey[]] {
  const name = hash(usernameKey)
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
