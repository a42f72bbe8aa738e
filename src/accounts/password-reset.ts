// Endpoints for accounts that staff create, and for one-time password resets. The server sends no e-mail: staff give the
// token to the person.
import { createHash, randomBytes } from 'node:crypto'
import { createRoute } from '@hono/zod-openapi'
import { authenticate } from '../http/middleware/authenticate.ts'
import { jsonBody } from '../http/middleware/json-body.ts'
import { bearerSecurity, body, createRouter, json, problems, type Router } from '../http/openapi/router.ts'
import { UniqueViolation } from '../infra/database-error.ts'
import { TiebarError } from '../kernel/error.ts'
import { checkNewPassword } from './account.ts'
import { invalidateSession } from './caller-cache.ts'
import { confirmPassword } from './confirm-password.ts'
import { countByAddress, limitSignUps } from './limits.ts'
import { takenBy, toNewAccount } from './new-account.ts'
import { hashPassword } from './password.ts'
import {
  accountPath,
  accountWithResetSchema,
  newAccountBody,
  passwordResetBody,
  resetOrderBody,
  resetTokenSchema,
} from './schema.ts'
import * as store from './sql/password-reset.ts'
import { readOwnCredentials } from './sql/profile.ts'

const tags = ['Accounts']

const create = createRoute({
  method: 'post',
  path: '/api/accounts',
  operationId: 'createAccount',
  tags,
  summary: 'Create an account without a password (staff only)',
  description: 'Give `reset_token` to the person, who sets a password with it, once, within 24 hours.',
  security: bearerSecurity,
  middleware: [authenticate(), jsonBody()] as const,
  request: { body: body(newAccountBody) },
  responses: {
    201: json(accountWithResetSchema, 'The account, and the token for its first password'),
    ...problems('staff_only', 'username_taken', 'email_taken'),
  },
})

const issue = createRoute({
  method: 'post',
  path: '/api/accounts/{id}/password-reset',
  operationId: 'issuePasswordReset',
  tags,
  summary: 'Issue a token for setting a new password (staff only)',
  description:
    'The token can be used once, within 24 hours. It replaces an earlier token. Until it is used, the old password is ' +
    'valid. For an account with staff rights, `current_password` is required.',
  security: bearerSecurity,
  middleware: [authenticate(), jsonBody({ isOptional: true })] as const,
  request: {
    params: accountPath,
    body: { required: false, content: { 'application/json': { schema: resetOrderBody } } },
  },
  responses: {
    201: json(resetTokenSchema, 'The token'),
    ...problems('staff_only', 'not_found', 'wrong_password', 'rate_limited'),
  },
})

const reset = createRoute({
  method: 'post',
  path: '/api/password-reset',
  operationId: 'resetPassword',
  tags,
  summary: 'Set a new password with a token from staff; all sessions of the account end',
  middleware: [countByAddress('sign-ups'), jsonBody()] as const,
  request: { body: body(passwordResetBody) },
  responses: {
    204: { description: 'The password is set' },
    ...problems('reset_token_invalid', 'rate_limited'),
  },
})

export function passwordResetRoutes(): Router {
  const router = createRouter()

  router.openapi(create, async (c) => {
    const { token, tokenHash } = makeToken()
    const account = toNewAccount(c.req.valid('json'))
    const user = await store
      .insertAccountWithReset(c.var.upstreams.database, c.var.session, account, tokenHash)
      .catch((error: unknown) => {
        throw error instanceof UniqueViolation ? takenBy(error) : error
      })
    return c.json({ user, reset_token: token }, 201)
  })

  router.openapi(issue, async (c) => {
    const { token, tokenHash } = makeToken()
    const { session, upstreams } = c.var
    const { database } = upstreams
    const { current_password } = c.req.valid('json')
    const confirm = async () => confirmPassword(c, await readOwnCredentials(database, session), current_password)
    await store.issueReset(database, session, c.req.valid('param').id, tokenHash, confirm)
    return c.json({ reset_token: token }, 201)
  })

  router.openapi(reset, async (c) => {
    const { reset_token, new_password } = c.req.valid('json')
    const { database, cache } = c.var.upstreams
    const tokenHash = hashOf(reset_token)
    await limitSignUps(c)
    const account = await store.findReset(database, tokenHash)
    if (!account) throw invalidToken()
    checkNewPassword(new_password, account)
    const ended = await store.applyReset(database, tokenHash, await hashPassword(new_password))
    if (!ended) throw invalidToken()
    await cache.write(ended.map(invalidateSession))
    return c.body(null, 204)
  })

  return router
}

function makeToken(): { token: string; tokenHash: string } {
  const token = randomBytes(32).toString('base64url')
  return { token, tokenHash: hashOf(token) }
}

/** One round of SHA-256 is enough for 256 random bits, which nobody can guess. */
function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}

function invalidToken(): TiebarError {
  return new TiebarError(
    'reset_token_invalid',
    'The token was used already, has expired, or was replaced by another.',
    {
      errors: [{ pointer: '/reset_token', detail: 'is not a valid token' }],
    },
  )
}
