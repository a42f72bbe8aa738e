// Endpoints for sign-up, log-in, log-out and the tokens of a session.
import { createRoute } from '@hono/zod-openapi'
import { v7 as uuidv7 } from 'uuid'
import type { AppContext } from '../http/context.ts'
import { chooseJsonType } from '../http/middleware/accept.ts'
import { authenticate } from '../http/middleware/authenticate.ts'
import { jsonBody } from '../http/middleware/json-body.ts'
import { bearerSecurity, body, createRouter, json, jsonAlsoAs, problems, type Router } from '../http/openapi/router.ts'
import { UniqueViolation } from '../infra/database.ts'
import { TiebarError } from '../kernel/error.ts'
import { findPasswordFault, foldName, takenProblem } from './account.ts'
import { checkPassword } from './check-password.ts'
import { addressOf, limitSignUps } from './limits.ts'
import { hashPassword } from './password.ts'
import { logInBody, publicKeysSchema, refreshBody, signedInSchema, signUpBody, tokenAnswerSchema } from './schema.ts'
import { invalidateSession } from './session.ts'
import * as store from './sql/sign-in.ts'
import type { TokenIssuer } from './token.ts'

const tags = ['Accounts']
const maxUserAgentLength = 256

const signUp = createRoute({
  method: 'post',
  path: '/api/sign-up',
  operationId: 'signUp',
  tags,
  summary: 'Create an account and sign in',
  middleware: [jsonBody()] as const,
  request: { body: body(signUpBody) },
  responses: {
    201: json(signedInSchema, 'The account and its first tokens'),
    ...problems('username_taken', 'email_taken', 'rate_limited'),
  },
})

const logIn = createRoute({
  method: 'post',
  path: '/api/log-in',
  operationId: 'logIn',
  tags,
  summary: 'Sign in',
  middleware: [jsonBody()] as const,
  request: { body: body(logInBody) },
  responses: {
    200: json(signedInSchema, 'The account and new tokens'),
    ...problems('bad_credentials', 'rate_limited'),
  },
})

const logOut = createRoute({
  method: 'post',
  path: '/api/log-out',
  operationId: 'logOut',
  tags,
  summary: 'End this session: its tokens stop working now',
  security: bearerSecurity,
  middleware: [authenticate()] as const,
  responses: { 204: { description: 'The session has ended' } },
})

const refresh = createRoute({
  method: 'post',
  path: '/api/token/refresh',
  operationId: 'refreshToken',
  tags,
  summary: 'Exchange a refresh token for new tokens',
  description: 'A refresh token can be used once. If it is used again, its session ends.',
  middleware: [jsonBody()] as const,
  request: { body: body(refreshBody) },
  responses: {
    200: json(tokenAnswerSchema, 'New tokens'),
    ...problems('token_invalid', 'session_ended', 'refresh_reused'),
  },
})

const readPublicKeys = createRoute({
  method: 'get',
  path: '/.well-known/jwks.json',
  operationId: 'readPublicKeys',
  tags,
  summary: 'The public keys that verify our tokens and commands',
  responses: { 200: jsonAlsoAs('application/jwk-set+json', publicKeysSchema, 'A JWK set') },
})

export function accountRoutes({ tokens }: { tokens: TokenIssuer }): Router {
  const router = createRouter()

  router.openapi(signUp, async (c) => {
    const { username, password, email, first_name, last_name } = c.req.valid('json')
    const fault = findPasswordFault(password, username, email)
    if (fault) {
      throw new TiebarError('validation_failed', 'The password is too weak.', {
        errors: [{ pointer: '/password', detail: fault }],
      })
    }
    const account = {
      username,
      usernameKey: foldName(username),
      email,
      emailKey: foldName(email),
      firstName: first_name,
      lastName: last_name,
    }
    const { database } = c.var.upstreams
    const [taken] = await Promise.all([store.findTakenField(database, account), limitSignUps(c)])
    if (taken) throw takenProblem(taken)
    const session = createSession(c)
    const user = await store
      .insertAccount(database, account, await hashPassword(password), session)
      .catch((error: unknown) => {
        if (!(error instanceof UniqueViolation)) throw error
        throw takenProblem(error.constraint === 'accounts_email_key_unique' ? 'email' : 'username')
      })
    return c.json(
      {
        user,
        token: await tokens.issuePair({ accountId: user.id, ...session }),
      },
      201,
    )
  })

  router.openapi(logIn, async (c) => {
    const { username, password } = c.req.valid('json')
    const { database } = c.var.upstreams
    const usernameKey = foldName(username)
    const checked = await checkPassword(c, usernameKey, password, () => store.findCredentials(database, usernameKey))
    // A disabled account gets the same answer as an unknown one.
    if (!checked) throw badCredentials()
    const session = createSession(c)
    // The log-in succeeds even if the hash queue is full: the next log-in can replace the hash.
    const newHash = checked.isOutdated ? await hashPassword(password).catch(() => null) : null
    const user = await store.insertSession(database, checked.credentials, session, newHash)
    if (!user) throw badCredentials()
    return c.json(
      {
        user,
        token: await tokens.issuePair({ accountId: user.id, ...session }),
      },
      200,
    )
  })

  router.openapi(logOut, async (c) => {
    const { database, cache } = c.var.upstreams
    await Promise.all([
      store.endSession(database, c.var.caller),
      cache.write([invalidateSession(c.var.caller.sessionId)]),
    ])
    return c.body(null, 204)
  })

  router.openapi(refresh, async (c) => {
    const session = await tokens.verify(c.req.valid('json').refresh, 'refresh')
    const nextRefreshId = uuidv7()
    const { database, cache } = c.var.upstreams
    const isRotated = await store.rotateRefresh(database, session, session.tokenId, nextRefreshId)
    if (!isRotated) {
      await cache.write([invalidateSession(session.sessionId)])
      throw new TiebarError(
        'refresh_reused',
        'This refresh token was used before, so its session has been ended. Log in again.',
      )
    }
    return c.json(
      {
        token: await tokens.issuePair({ ...session, refreshId: nextRefreshId }),
      },
      200,
    )
  })

  router.openapi(readPublicKeys, (c) => {
    c.header('Cache-Control', 'public, max-age=300')
    return c.json(tokens.publicKeys(), 200, { 'Content-Type': chooseJsonType(c, 'application/jwk-set+json') })
  })

  return router
}

function createSession(c: AppContext): store.NewSession {
  return {
    sessionId: uuidv7(),
    refreshId: uuidv7(),
    userAgent: c.req.header('User-Agent')?.slice(0, maxUserAgentLength) ?? null,
    address: addressOf(c),
  }
}

function badCredentials(): TiebarError {
  return new TiebarError('bad_credentials', 'The username or the password is wrong.')
}
