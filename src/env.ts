// Every binding of the Worker, parsed once. What is missing or bad is named, never shown.
import { z } from 'zod'

const baseUrl = z
  .url({ protocol: /^https?$/ })
  .refine((text) => new URL(text).pathname === '/' && !text.endsWith('/'), 'must be an origin without a trailing slash')
const serviceUrl = z.url({ protocol: /^https?$/ })
const secret = z.string().min(8)
const flag = z.stringbool({ truthy: ['true'], falsy: ['false', ''] }).default(false)
const count = z.coerce.number().int().positive()

/** An Ed25519 key as a private JWK (RFC 8037) with a `kid`. */
const signingKey = z.object({
  kty: z.literal('OKP'),
  crv: z.literal('Ed25519'),
  kid: z.string().min(1).max(64),
  x: z.string().min(40),
  d: z.string().min(40),
})
export type SigningKey = z.infer<typeof signingKey>

const signingKeys = z
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
  .refine((keys) => new Set(keys.map((key) => key.kid)).size === keys.length, 'two keys bear the same kid')

const origins = z
  .string()
  .default('')
  .transform((text) =>
    text
      .split(',')
      .map((origin) => origin.trim())
      .filter((origin) => origin !== ''),
  )

/** The runtime's own counter: https://developers.cloudflare.com/workers/runtime-apis/bindings/rate-limit/ */
const rateLimiter = z.custom<RateLimit>((value) => typeof value === 'object' && value !== null && 'limit' in value)

const environment = z.object({
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }),
  /** Where Neon's `/sql` is; only for a database that is not Neon's. */
  NEON_FETCH_ENDPOINT: serviceUrl.optional(),
  UPSTASH_REDIS_REST_URL: serviceUrl,
  UPSTASH_REDIS_REST_TOKEN: secret,
  QSTASH_URL: serviceUrl,
  QSTASH_TOKEN: secret,
  QSTASH_CURRENT_SIGNING_KEY: secret,
  QSTASH_NEXT_SIGNING_KEY: secret,
  /** Where clients, QStash and controllers reach this Worker; the issuer of its tokens. */
  PUBLIC_URL: baseUrl,
  /** One or two keys as a JSON array. The first signs, all verify. */
  JWT_KEYS: signingKeys,
  /** Lets controllers have loopback and private addresses: for a machine on one's own desk. */
  ALLOW_PRIVATE_CONTROLLERS: flag,
  /** Origins that browsers may call from, separated by commas. */
  ALLOWED_ORIGINS: origins,
  FAILED_LOG_INS_PER_NAME_AND_ADDRESS: count.default(10),
  FAILED_LOG_INS_PER_NAME: count.default(100),
  FAILED_LOG_INS_PER_ADDRESS: count.default(200),
  SIGN_UPS_PER_ADDRESS: count.default(60),
  ACCOUNT_RATE_LIMIT: rateLimiter,
})
export type Environment = z.infer<typeof environment>

export type EnvironmentFault = { name: string; fault: string }

/** Answers the environment, or the names of what is missing or bad and why: never a value. */
export function readEnvironment(bindings: unknown): Environment | EnvironmentFault[] {
  const parsed = environment.safeParse(bindings)
  if (parsed.success) return parsed.data
  return parsed.error.issues.map((issue) => {
    const name = String(issue.path[0] ?? 'environment')
    const isMissing = typeof bindings !== 'object' || bindings === null || !(name in bindings)
    return { name, fault: isMissing ? 'is missing' : issue.message }
  })
}
