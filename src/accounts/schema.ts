// Request and response schemas of accounts.
import { z } from '@hono/zod-openapi'
import { enumOf, label, numericId, pageQuery, sortOf, text, time, uuid } from '../http/openapi/fields.ts'
import { bodyOf } from '../http/openapi/strict-input.ts'
import { hasInvisible } from '../kernel/text.ts'
import { mixesAlphabets } from './account.ts'
import { isEmail } from './email.ts'
import { accountSorts } from './sql/administration.ts'
import type { Account } from './sql/caller.ts'

/** Usernames come from Django, which allows letters, digits and @ . + - _ */
const username = label(1, 150)
  .regex(/^[\p{L}\p{N}@.+_-]+$/u, 'may have letters, digits and @ . + - _ only')
  .refine((name) => !hasInvisible(name), 'must not have invisible characters')
  .refine((name) => !mixesAlphabets(name), 'must not mix Latin letters with Cyrillic or Greek ones')
  .openapi({ pattern: '^[\\p{L}\\p{N}@.+_-]+$', example: 'kim.minji' })
const password = text(10, 128).openapi({
  format: 'password',
  example: 'tie-bar-spacing-470',
})
export const currentPassword = text(1, 128).openapi({ format: 'password', example: 'moulding-by-day' })
const email = label(3, 254)
  .refine(isEmail, 'must be an e-mail address')
  .openapi({ format: 'idn-email', example: 'minji@example.com' })
const personName = label(0, 150)

export const userSchema = z
  .object({
    id: z.int().openapi({ example: 7 }),
    username: z.string().openapi({ example: 'kim.minji' }),
    email: z.string().openapi({
      example: 'minji@example.com',
      description:
        'An account from the old system has the text that was stored there: it is empty if there was none, and it need not be an address',
    }),
    first_name: z.string().openapi({ example: '민지' }),
    last_name: z.string().openapi({ example: '김' }),
    is_staff: z.boolean().openapi({ example: false }),
    is_active: z.boolean(),
    date_joined: time,
    last_login: time.nullable(),
  } satisfies Record<keyof Account, z.ZodType>)
  .openapi('User')

/** @param hold the schema of a hold on a machine */
export function meSchema<Hold>(hold: z.ZodType<Hold>) {
  const overridden_holds = z.array(hold).openapi({
    description: 'My holds that a manager has overridden, until I remove them',
  })
  return z.object({ ...userSchema.shape, overridden_holds }).openapi('Me')
}

export const signUpBody = bodyOf('SignUp', {
  username,
  password,
  email,
  first_name: personName.default('').openapi({ example: '민지' }),
  last_name: personName.default('').openapi({ example: '김' }),
})

export const newAccountBody = bodyOf(
  'NewAccount',
  {
    username,
    email,
    first_name: personName.default('').openapi({ example: '지수' }),
    last_name: personName.default('').openapi({ example: '박' }),
  },
  userSchema,
)

const resetToken = z.string().openapi({ example: '0'.repeat(43), description: 'It is shown only once' })
export const resetTokenSchema = z.object({ reset_token: resetToken }).openapi('ResetToken')
export const accountWithResetSchema = z
  .object({ user: userSchema, reset_token: resetToken })
  .openapi('AccountWithResetToken')

export const resetOrderBody = bodyOf('PasswordResetOrder', {
  current_password: currentPassword.optional().openapi({
    description: 'Your own password. Required if the account has staff rights',
  }),
})

export const passwordResetBody = bodyOf('PasswordReset', {
  reset_token: z
    .string()
    .min(1)
    .max(256)
    .openapi({ example: '0'.repeat(43) }),
  new_password: password,
})

export const logInBody = bodyOf('LogIn', {
  username: label(1, 150).openapi({ example: 'demo' }),
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
    current_password: currentPassword
      .optional()
      .openapi({ description: 'Required if `email` is not the current address' }),
  },
  z.object({ ...userSchema.shape, overridden_holds: z.unknown() }),
)

export const passwordBody = bodyOf('PasswordChange', {
  current_password: currentPassword,
  new_password: password,
})

export const rightsBody = bodyOf(
  'RightsPatch',
  {
    is_active: z.boolean().optional(),
    is_staff: z.boolean().optional().openapi({ example: false }),
    current_password: currentPassword.optional().openapi({
      description: "The caller's own password; required to grant staff rights and to enable an account that has them",
    }),
  },
  userSchema,
)

export const sessionPath = z.object({ id: uuid })
export const accountPath = z.object({ id: numericId })

const flag = z.stringbool({ truthy: ['true'], falsy: ['false'], case: 'sensitive' }).openapi({ type: 'boolean' })

export const accountQuery = pageQuery.extend({
  q: label(1, 256).optional().openapi({ description: 'Part of the username, the e-mail address or a name' }),
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

const sessionMembers = {
  id: z.uuid(),
  created_at: time,
  refreshed_at: time,
  expires_at: time,
  user_agent: z.string().nullable().openapi({ example: 'curl/8.18.0' }),
  address: z
    .string()
    .nullable()
    .openapi({ example: '203.0.113.7', description: 'The client address at log-in; for IPv6 its /64 prefix' }),
}
export const storedSessionSchema = z.object({ ...sessionMembers, ended_at: time.nullable() })
export const sessionsSchema = z
  .object({ items: z.array(z.object({ ...sessionMembers, current: z.boolean() })) })
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
