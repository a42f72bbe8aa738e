// Request and response schemas of accounts.
import { z } from '@hono/zod-openapi'
import { enumOf, numericId, pageQuery, sortOf, text, time, uuid } from '../http/openapi/fields.ts'
import { bodyOf } from '../http/openapi/strict-input.ts'
import { accountSorts } from './sql/administration.ts'
import type { Account } from './sql/caller.ts'

/** Usernames come from Django, which allows letters, digits and @ . + - _ */
const username = text(1, 150)
  .regex(/^[\p{L}\p{N}@.+_-]+$/u, 'may have letters, digits and @ . + - _ only')
  .openapi({ pattern: '^[\\p{L}\\p{N}@.+_-]+$', example: 'kim.minji' })
const password = text(10, 128).openapi({
  format: 'password',
  example: 'tie-bar-spacing-470',
})
const email = text(3, 254)
  .check(z.email('must be an e-mail address'))
  .openapi({ format: 'email', example: 'minji@example.com' })
const personName = text(0, 150)

export const userSchema = z
  .object({
    id: z.int().openapi({ example: 7 }),
    username: z.string().openapi({ example: 'kim.minji' }),
    email: z.string().openapi({ example: 'minji@example.com' }),
    first_name: z.string().openapi({ example: '민지' }),
    last_name: z.string().openapi({ example: '김' }),
    is_staff: z.boolean().openapi({ example: false }),
    is_active: z.boolean(),
    date_joined: time,
    last_login: time.nullable(),
  } satisfies Record<keyof Account, z.ZodType>)
  .openapi('User')

export const signUpBody = bodyOf('SignUp', {
  username,
  password,
  email,
  first_name: personName.default('').openapi({ example: '민지' }),
  last_name: personName.default('').openapi({ example: '김' }),
})

export const logInBody = bodyOf('LogIn', {
  username: text(1, 150).openapi({ example: 'demo' }),
  password: text(1, 128).openapi({ format: 'password', example: 'moulding-by-day' }),
})

export const refreshBody = bodyOf('Refresh', {
  refresh: z.string().min(1).max(4096).openapi({ example: 'eyJhbGciOi…' }),
})

/** JSON Merge Patch (RFC 7396): an absent member is not changed. */
export const accountPatchBody = bodyOf(
  'AccountPatch',
  {
    email: email.optional(),
    first_name: personName.optional().openapi({ example: '민지' }),
    last_name: personName.optional().openapi({ example: '김' }),
  },
  userSchema,
)

export const passwordBody = bodyOf('PasswordChange', {
  current_password: text(1, 128).openapi({ format: 'password', example: 'moulding-by-day' }),
  new_password: password,
})

export const rightsBody = bodyOf(
  'RightsPatch',
  { is_active: z.boolean().optional(), is_staff: z.boolean().optional() },
  userSchema,
)

export const sessionPath = z.object({ id: uuid })
export const accountPath = z.object({ id: numericId })

const flag = z.stringbool({ truthy: ['true'], falsy: ['false'], case: 'sensitive' }).openapi({ type: 'boolean' })

export const accountQuery = pageQuery.extend({
  q: text(1, 256).optional().openapi({ description: 'Part of the username, the e-mail address or a name' }),
  is_active: flag.optional(),
  is_staff: flag.optional(),
  sort: sortOf(accountSorts.names).default('id'),
})

export const accountPage = z
  .object({
    items: z.array(userSchema),
    next_cursor: z.string().nullable().openapi({ example: 'WyJpZCIsIjIwIiwiMjAiXQ' }),
  })
  .openapi('AccountPage')

export const sessionsSchema = z
  .object({
    items: z.array(
      z.object({
        id: z.uuid(),
        created_at: time,
        refreshed_at: time,
        expires_at: time,
        user_agent: z.string().nullable().openapi({ example: 'curl/8.18.0' }),
        address: z
          .string()
          .nullable()
          .openapi({ example: '203.0.113.7', description: 'The client address at log-in; for IPv6 its /64 prefix' }),
        current: z.boolean(),
      }),
    ),
  })
  .openapi('Sessions')

const tokenSchema = z
  .object({
    access: z.string().openapi({ example: 'eyJhbGciOi…' }),
    refresh: z.string().openapi({ example: 'eyJhbGciOi…' }),
    token_type: enumOf(['Bearer'], { Bearer: 'Send `access` as `Authorization: Bearer …` (RFC 6750).' }),
    expires_in: z.int().openapi({
      description: 'Seconds until the access token expires',
      example: 1800,
    }),
  })
  .openapi('Token')

export const signedInSchema = z.object({ user: userSchema, token: tokenSchema }).openapi('SignedIn')
export const tokenAnswerSchema = z.object({ token: tokenSchema }).openapi('TokenAnswer')
export const publicKeysSchema = z
  .object({
    keys: z.array(
      z.object({
        kty: enumOf(['OKP'], { OKP: 'An octet key pair (RFC 8037).' }),
        crv: enumOf(['Ed25519'], { Ed25519: 'The curve of the key.' }),
        kid: z.string().openapi({ example: '2026-11-22' }),
        x: z.string().openapi({ example: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' }),
        use: enumOf(['sig'], { sig: 'The key verifies signatures.' }),
        alg: enumOf(['EdDSA'], { EdDSA: 'The signature algorithm of our tokens.' }),
      }),
    ),
  })
  .openapi('PublicKeys')
