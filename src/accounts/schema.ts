// The wire shapes of accounts.
import { z } from '@hono/zod-openapi'
import { text, time } from '../http/fields.ts'

/** What Django allowed, which is where the names come from: letters, digits and @ . + - _ */
const username = text(1, 150)
  .regex(/^[\p{L}\p{N}@.+_-]+$/u, 'may have letters, digits and @ . + - _ only')
  .openapi({ example: 'kim.minji' })
const password = text(10, 128).openapi({
  format: 'password',
  example: 'tie-bar-spacing-470',
})
const email = text(3, 254)
  .check(z.email('must be an e-mail address'))
  .openapi({ format: 'email', example: 'minji@example.com' })
const personName = text(0, 150)

export const signUpBody = z
  .object({
    username,
    password,
    email,
    first_name: personName.default('').openapi({ example: '민지' }),
    last_name: personName.default('').openapi({ example: '김' }),
  })
  .openapi('SignUp')

export const logInBody = z
  .object({
    username: text(1, 150).openapi({ example: 'demo' }),
    password: text(1, 128).openapi({ format: 'password' }),
  })
  .openapi('LogIn')

export const refreshBody = z.object({ refresh: z.string().min(1).max(4096) }).openapi('Refresh')

export const userSchema = z
  .object({
    id: z.int(),
    username: z.string(),
    email: z.string(),
    first_name: z.string(),
    last_name: z.string(),
    is_staff: z.boolean(),
    is_active: z.boolean(),
    date_joined: time,
    last_login: time.nullable(),
  })
  .openapi('User')

export const tokenSchema = z
  .object({
    access: z.string(),
    refresh: z.string(),
    token_type: z.literal('Bearer'),
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
        kty: z.literal('OKP'),
        crv: z.literal('Ed25519'),
        kid: z.string(),
        x: z.string(),
        use: z.literal('sig'),
        alg: z.literal('EdDSA'),
      }),
    ),
  })
  .openapi('PublicKeys')
