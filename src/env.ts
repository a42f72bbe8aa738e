// Every binding of the Worker, parsed once. What is missing or bad is named, never shown.
import { createPrivateKey, createPublicKey } from 'node:crypto'
import { z } from 'zod'

const serviceUrl = z
  .string()
  .refine((text) => /^https?:\/\/[^\s?#]+$/.test(text) && URL.canParse(text), 'must be an http or https URL, no query')
const baseUrl = z.string().refine(isOrigin, 'must be an origin, such as https://api.example.com, no trailing slash')
/** What a header can carry, so that a stray space or line break is found here and not by the first request. */
const secret = z.string().regex(/^[\x21-\x7e]{8,}$/, 'must have 8 visible ASCII characters or more')
const flag = z.stringbool({ truthy: ['true'], falsy: ['false', ''] }).default(false)
const count = z.coerce.number().int().positive()

function isOrigin(text: string): boolean {
  return /^https?:/.test(text) && URL.parse(text)?.origin === text
}

/** What Neon's proxy insists on. Read as an http URL, as Neon's driver does: what it cannot read, it quotes in an error. */
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
  .refine((key) => isPair(key), 'x is not the public half of d')
export type SigningKey = z.infer<typeof signingKey>

/** Else the tokens would be signed with one key and refused by the other. */
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
  .refine(
    (named) => named.every(isOrigin) || (named.length === 1 && named[0] === '*'),
    'must be origins as browsers write them (https://app.example.com), separated by commas, or * alone',
  )

/** The runtime's own counter: https://developers.cloudflare.com/workers/runtime-apis/bindings/rate-limit/ */
const rateLimiter = z.custom<RateLimit>((value) => typeof value === 'object' && value !== null && 'limit' in value)

/** The pages of the documentation: https://developers.cloudflare.com/workers/static-assets/binding/ */
const fetcher = z.custom<Fetcher>((value) => typeof value === 'object' && value !== null && 'fetch' in value)

/** What each environment chooses for itself: all have defaults. */
const settings = {
  /** Lets controllers have loopback and private addresses: for a machine on one's own desk. */
  ALLOW_PRIVATE_CONTROLLERS: flag,
  /** Origins that browsers may call from, separated by commas. */
  ALLOWED_ORIGINS: origins,
  FAILED_LOG_INS_PER_NAME_AND_ADDRESS: count.default(10),
  FAILED_LOG_INS_PER_NAME: count.default(100),
  FAILED_LOG_INS_PER_ADDRESS: count.default(200),
  SIGN_UPS_PER_ADDRESS: count.default(60),
}

const environment = z.object({
  DATABASE_URL: z.string().refine(isDatabaseUrl, 'must be postgresql://USER:PASSWORD@HOST/DATABASE'),
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
  ...settings,
  ACCOUNT_RATE_LIMIT: rateLimiter,
  ASSETS: fetcher.optional(),
})
export type Environment = z.infer<typeof environment>

/** Every name that the Worker knows, bindings of the runtime too. */
export const environmentNames: string[] = Object.keys(environment.shape)

/** Those that have defaults and name no service. */
export const settingNames: string[] = Object.keys(settings)

export type EnvironmentFault = { name: string; fault: string }

/** Answers the environment, or the names of what is missing or bad and why: never a value. */
export function readEnvironment(bindings: unknown): Environment | EnvironmentFault[] {
  const parsed = environment.safeParse(bindings)
  if (parsed.success) return parsed.data
  return parsed.error.issues.map((issue) => {
    const [first = 'environment', ...rest] = issue.path
    const name = String(first)
    const isMissing = typeof bindings !== 'object' || bindings === null || !(name in bindings)
    // The names within are those of the schema, never of the value.
    const where = rest.length === 0 ? '' : `at ${rest.join('.')}: `
    return { name, fault: isMissing ? 'is missing' : `${where}${issue.message}` }
  })
}
