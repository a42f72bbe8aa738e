// Parses all bindings of the Worker once. Errors contain the names of missing or invalid variables, never their values.
import { createPrivateKey, createPublicKey } from 'node:crypto'
import { z } from 'zod'

const serviceUrl = z
  .string()
  .refine(
    (text) => /^https?:\/\/[^\s?#]+$/.test(text) && URL.canParse(text),
    'must be an http or https URL without a query',
  )
const baseUrl = z
  .string()
  .refine(isOrigin, 'must be an origin, such as https://api.example.com, without a trailing slash')
/** Only characters that a header can contain: a stray space or line break fails here, not in the first request. */
const secret = z.string().regex(/^[\x21-\x7e]{8,}$/, 'must have at least 8 characters, all of them visible ASCII')
const flag = z.stringbool({ truthy: ['true'], falsy: ['false', ''] }).default(false)
const count = z.coerce.number().int().positive()

function isOrigin(text: string): boolean {
  return /^https?:/.test(text) && URL.parse(text)?.origin === text
}

/**
 * Whether the URL has the parts that Neon's proxy requires. It is parsed as an http URL, as Neon's driver does. Checked
 * before the driver gets it, because the driver's error would quote an invalid URL with its password.
 */
export function isDatabaseUrl(text: string): boolean {
  const url = /^postgres(ql)?:\/\//.test(text) ? URL.parse(text.replace(/^\w+/, 'http')) : null
  return url !== null && url.username !== '' && url.pathname.length > 1
}

const keyBytes = z.string().regex(/^[\w-]{43}$/, { error: 'must be 32 bytes in base64url', abort: true })

/** An Ed25519 key as a private JWK (RFC 8037) with a `kid`. */
const signingKey = z
  .object({
    kty: z.literal('OKP'),
    crv: z.literal('Ed25519'),
    kid: z.string().min(1).max(64),
    x: keyBytes,
    d: keyBytes,
  })
  .refine((key) => isPair(key), 'x is not the public key of d')
export type SigningKey = z.infer<typeof signingKey>

/** Whether `x` is the public key of `d`. Otherwise tokens signed with `d` could not be verified with `x`. */
function isPair({ kty, crv, x, d }: { kty: string; crv: string; x: string; d: string }): boolean {
  const privateKey = createPrivateKey({ format: 'jwk', key: { kty, crv, x, d } })
  return createPublicKey(privateKey).export({ format: 'jwk' }).x === x
}

/** JWT_KEYS: one or two keys as a JSON array. */
export const signingKeys = z
  .string()
  .transform((text, context) => {
    try {
      return JSON.parse(text)
    } catch {
      context.addIssue({ code: 'custom', message: 'must be JSON' })
      return z.NEVER
    }
  })
  .pipe(z.array(signingKey).min(1).max(2))
  .refine((keys) => new Set(keys.map((key) => key.kid)).size === keys.length, 'two keys have the same kid')

const origins = z
  .string()
  .default('')
  .transform((text) =>
    text
      .split(',')
      .map((origin) => origin.trim())
      .filter((origin) => origin !== ''),
  )
  .refine(
    (list) => list.every(isOrigin) || (list.length === 1 && list[0] === '*'),
    'must be origins as browsers send them (https://app.example.com), separated by commas, or only *',
  )

/** The rate limiter of the Workers runtime: https://developers.cloudflare.com/workers/runtime-apis/bindings/rate-limit/ */
const rateLimiter = z.custom<RateLimit>((value) => typeof value === 'object' && value !== null && 'limit' in value)

const neverRefuses = { limit: async () => ({ success: true }) }
/** Stand-ins for the bindings of the runtime, for programs on Node. */
export const runtimeStandIns = {
  REQUEST_RATE_LIMIT: neverRefuses,
  SIGN_IN_RATE_LIMIT: neverRefuses,
  STREAM_RATE_LIMIT: neverRefuses,
}

/** Settings that can differ between environments. All have defaults. */
const settings = {
  /** Allows controllers with loopback and private addresses, for local development. */
  ALLOW_PRIVATE_CONTROLLERS: flag,
  /** Origins of web pages that may call the API, separated by commas. */
  ALLOWED_ORIGINS: origins,
  /** The three limits on failed log-ins count within 5 minutes. */
  FAILED_LOG_INS_PER_NAME_AND_ADDRESS: count.default(10),
  FAILED_LOG_INS_PER_NAME: count.default(100),
  FAILED_LOG_INS_PER_ADDRESS: count.default(200),
  /** `closed`: only staff create accounts. */
  SIGN_UP: z.enum(['open', 'closed']).default('open'),
  /** Within 10 minutes. */
  SIGN_UPS_PER_ADDRESS: count.default(60),
  /** Days for which ended jobs and their events are kept. Without a value, they are never deleted. */
  HISTORY_KEPT_DAYS: count.optional(),
  /** Days for which requests that were refused at once are kept. */
  REFUSALS_KEPT_DAYS: count.default(30),
  /** The quota of machines, without deleted ones. */
  MACHINES_PER_ACCOUNT: count.default(1_000),
  /** The quota of sites that an account created, without deleted ones. */
  SITES_PER_ACCOUNT: count.default(50),
  /** The quota of keys, without revoked and expired ones. */
  KEYS_PER_ACCOUNT: count.default(100),
  /** The quota of sessions. A log-in above it ends the oldest session. */
  SESSIONS_PER_ACCOUNT: count.default(100),
}

const environment = z.object({
  DATABASE_URL: z.string().refine(isDatabaseUrl, 'must be postgresql://USER:PASSWORD@HOST/DATABASE'),
  /** URL of the `/sql` endpoint. Only set for a database that Neon does not host. */
  NEON_FETCH_ENDPOINT: serviceUrl.optional(),
  UPSTASH_REDIS_REST_URL: serviceUrl,
  UPSTASH_REDIS_REST_TOKEN: secret,
  QSTASH_URL: serviceUrl,
  QSTASH_TOKEN: secret,
  QSTASH_CURRENT_SIGNING_KEY: secret,
  QSTASH_NEXT_SIGNING_KEY: secret,
  /** The URL at which clients, QStash and controllers reach this Worker. Also the issuer of its tokens. */
  PUBLIC_URL: baseUrl,
  /** One or two keys as a JSON array. The first key signs tokens; every key verifies them. */
  JWT_KEYS: signingKeys,
  ...settings,
  REQUEST_RATE_LIMIT: rateLimiter,
  SIGN_IN_RATE_LIMIT: rateLimiter,
  STREAM_RATE_LIMIT: rateLimiter,
})
export type Environment = z.infer<typeof environment>

/** The names of all variables and bindings that the Worker reads. */
export const environmentNames: string[] = Object.keys(environment.shape)

/** The names of the settings above. */
export const settingNames: string[] = Object.keys(settings)

export type EnvironmentFault = { name: string; fault: string }

/** @returns the environment, or one fault per missing or invalid variable. A fault never contains a value. */
export function readEnvironment(bindings: unknown): Environment | EnvironmentFault[] {
  const parsed = environment.safeParse(bindings)
  if (parsed.success) return parsed.data
  return parsed.error.issues.map((issue) => {
    const [first = 'environment', ...rest] = issue.path
    const name = String(first)
    const isMissing = typeof bindings !== 'object' || bindings === null || !(name in bindings)
    // The path contains only member names of the schema and array indexes, never a part of the value.
    const where = rest.length === 0 ? '' : `at ${rest.join('.')}: `
    return { name, fault: isMissing ? 'is missing' : `${where}${issue.message}` }
  })
}
