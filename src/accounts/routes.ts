// Endpoints for sign-up, log-in, log-out and the tokens of a session.
import { createRoute } from '@hono/zod-openapi'
import { v7 as uuidv7 } from 'uuid'
import type { AppContext } from '../http/context.ts'
import { chooseJsonType } from '../http/middleware/accept.ts'
import { authenticate } from '../http/middleware/authenticate.ts'
import { jsonBody } from '../http/middleware/json-body.ts'
import { countRequest } from '../http/middleware/rate-limit.ts'
import { bearerSecurity, body, createRouter, json, jsonAlsoAs, problems, type Router } from '../http/openapi/router.ts'
import { UniqueViolation } from '../infra/database-error.ts'
import { TiebarError } from '../kernel/error.ts'
import { cutText } from '../kernel/text.ts'
import { findPasswordFault, foldName, takenProblem } from './account.ts'
import { invalidateSession } from './caller-cache.ts'
import { checkPassword } from './check-password.ts'
import { addressOf, countByAddress, limitSignUps, rememberAddress } from './limits.ts'
import { takenBy, toNewAccount } from './new-account.ts'
import { hashPassword } from './password.ts'
import { logInBody, publicKeysSchema, refreshBody, signedInSchema, signUpBody, tokenAnswerSchema } from './schema.ts'
import * as store from './sql/sign-in.ts'
import type { TokenIssuer } from './token.ts'

const tags = ['Accounts']
const maxUserAgentLength = 256

const signUp = createRoute({
  method: 'post',
  path: '/api/sign-up',
  operationId: 'signUp',
  tags,
  summary: 'Create an account and log in',
  middleware: [countByAddress('sign-ups'), jsonBody()] as const,
  request: { body: body(signUpBody) },
  responses: {
    201: json(signedInSchema, 'The account and its first tokens'),
    ...problems('sign_up_closed', 'username_taken', 'email_taken', 'rate_limited'),
  },
})

const logIn = createRoute({
  method: 'post',
  path: '/api/log-in',
  operationId: 'logIn',
  tags,
  summary: 'Log in',
  description: 'If the account then has too many sessions, the oldest one ends.',
  middleware: [countByAddress('log-ins'), jsonBody()] as const,
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
  description:
    'A refresh token can be used once. If it is used again, its session ends. Exception: for 10 seconds, the token before ' +
    'the last one gets the last one again, because an answer may be lost and two tabs may refresh at once.',
  middleware: [jsonBody()] as const,
  request: { body: body(refreshBody) },
  responses: {
    200: json(tokenAnswerSchema, 'New tokens'),
    ...problems('token_invalid', 'session_ended', 'refresh_reused', 'rate_limited'),
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
    if (c.var.environment.SIGN_UP === 'closed') {
      throw new TiebarError('sign_up_closed', 'Nobody can sign up here. Ask a staff member for an account.')
    }
    const { password, ...details } = c.req.valid('json')
    const fault = findPasswordFault(password, details.username, details.email)
    if (fault) {
      throw new TiebarError('validation_failed', 'The password is too weak.', {
        errors: [{ pointer: '/password', detail: fault }],
      })
    }
    const account = toNewAccount(details)
    const { database, cache } = c.var.upstreams
    const [taken] = await Promise.all([store.findTakenField(database, account), limitSignUps(c)])
    if (taken) throw takenProblem(taken)
    const session = createSession(c)
    const user = await store
      .insertAccount(database, account, await hashPassword(password), session)
      .catch((error: unknown) => {
        throw error instanceof UniqueViolation ? takenBy(error) : error
      })
    c.executionCtx.waitUntil(cache.write([rememberAddress(account.usernameKey, session.address)]))
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
    const { database, cache } = c.var.upstreams
    const usernameKey = foldName(username)
    const checked = await checkPassword(c, usernameKey, password, () => store.findCredentials(database, usernameKey))
    // A disabled account gets the same answer as an unknown one.
    if (!checked) throw badCredentials()
    const session = createSession(c)
    // The log-in succeeds even if the hash queue is full: the next log-in can replace the hash.
    const newHash = checked.isOutdated ? await hashPassword(password).catch(() => null) : null
    const quota = c.var.environment.SESSIONS_PER_ACCOUNT
    const inserted = await store.insertSession(database, checked.credentials, session, newHash, quota)
    if (!inserted) throw badCredentials()
    const { account: user, ended } = inserted
    await cache.write(ended.map(invalidateSession))
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
      store.endSession(database, c.var.session),
      cache.write([invalidateSession(c.var.session.sessionId)]),
    ])
    return c.body(null, 204)
  })

  router.openapi(refresh, async (c) => {
    const session = await tokens.verify(c.req.valid('json').refresh, 'refresh')
    await countRequest(c, 'refreshes', session.sessionId)
    const { database, cache } = c.var.upstreams
    const refreshId = await store.rotateRefresh(database, session, session.tokenId, uuidv7())
    if (refreshId === null) {
      await cache.write([invalidateSession(session.sessionId)])
      throw new TiebarError(
        'refresh_reused',
        'This refresh token was used before, so its session has been ended. Log in again.',
      )
    }
    return c.json(
      {
        token: await tokens.issuePair({ ...session, refreshId }),
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
    userAgent: cutText(c.req.header('User-Agent') ?? '', maxUserAgentLength) || null,
    address: addressOf(c),
  }
}

function badCredentials(): TiebarError {
  return new TiebarError('bad_credentials', 'The username or the password is wrong.')
}
