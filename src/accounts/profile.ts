// Endpoints for the caller's own account: its details, password and sessions.
import { createRoute } from '@hono/zod-openapi'
import { authenticate } from '../http/middleware/authenticate.ts'
import { jsonBody } from '../http/middleware/json-body.ts'
import { bearerSecurity, body, createRouter, json, problems, type Router } from '../http/openapi/router.ts'
import { UniqueViolation } from '../infra/database.ts'
import { TiebarError } from '../kernel/error.ts'
import { findPasswordFault, foldName, takenProblem } from './account.ts'
import { checkPassword } from './check-password.ts'
import { hashPassword } from './password.ts'
import { accountPatchBody, passwordBody, sessionPath, sessionsSchema, userSchema } from './schema.ts'
import { invalidateSession } from './session.ts'
import {
  changeAccount,
  changePassword,
  endOwnSession,
  listSessions,
  type OwnCredentials,
  readOwnCredentials,
} from './sql/profile.ts'
import { readAccount } from './sql/sign-in.ts'

const tags = ['Accounts']
/** The list has no further pages. A change of the password also ends the sessions that are not listed. */
const maxListedSessions = 100

const readMe = createRoute({
  method: 'get',
  path: '/api/me',
  operationId: 'readMe',
  tags,
  summary: 'Read my account',
  security: bearerSecurity,
  middleware: [authenticate()] as const,
  responses: { 200: json(userSchema, 'The account of the token') },
})

const patchMe = createRoute({
  method: 'patch',
  path: '/api/me',
  operationId: 'changeMe',
  tags,
  summary: 'Change my e-mail address or name (JSON Merge Patch)',
  description: 'The username cannot be changed.',
  security: bearerSecurity,
  middleware: [authenticate(), jsonBody()] as const,
  request: { body: body(accountPatchBody) },
  responses: { 200: json(userSchema, 'The account as it is now'), ...problems('email_taken') },
})

const replacePassword = createRoute({
  method: 'post',
  path: '/api/me/password',
  operationId: 'changePassword',
  tags,
  summary: 'Change my password; all my other sessions end',
  description: 'A wrong `current_password` counts as a failed log-in.',
  security: bearerSecurity,
  middleware: [authenticate(), jsonBody()] as const,
  request: { body: body(passwordBody) },
  responses: { 204: { description: 'The password is changed' }, ...problems('wrong_password', 'rate_limited') },
})

const readSessions = createRoute({
  method: 'get',
  path: '/api/me/sessions',
  operationId: 'listSessions',
  tags,
  summary: `List my sessions: this one first, then the most recently refreshed, at most ${maxListedSessions}`,
  security: bearerSecurity,
  middleware: [authenticate()] as const,
  responses: { 200: json(sessionsSchema, 'The sessions that have not ended') },
})

const endSession = createRoute({
  method: 'delete',
  path: '/api/me/sessions/{id}',
  operationId: 'endSession',
  tags,
  summary: 'End one of my sessions: its tokens stop working now',
  security: bearerSecurity,
  middleware: [authenticate()] as const,
  request: { params: sessionPath },
  responses: { 204: { description: 'The session has ended' }, ...problems('not_found') },
})

export function profileRoutes(): Router {
  const router = createRouter()

  router.openapi(readMe, async (c) => c.json(await readAccount(c.var.upstreams.database, c.var.caller), 200))

  router.openapi(patchMe, async (c) => {
    const { email, first_name, last_name } = c.req.valid('json')
    const change = { email, emailKey: email && foldName(email), firstName: first_name, lastName: last_name }
    const user = await changeAccount(c.var.upstreams.database, c.var.caller, change).catch((error: unknown) => {
      throw error instanceof UniqueViolation ? takenProblem('email') : error
    })
    return c.json(user, 200)
  })

  router.openapi(replacePassword, async (c) => {
    const { current_password, new_password } = c.req.valid('json')
    const { database, cache } = c.var.upstreams
    const { username_key, ...own } = await readOwnCredentials(database, c.var.caller)
    checkNewPassword(new_password, own)
    // The account is active: `readOwnCredentials` throws for a disabled one.
    const checked = await checkPassword(c, username_key, current_password, async () => ({ ...own, is_active: true }))
    if (!checked) throw wrongPassword()
    const ended = await changePassword(database, c.var.caller, own.password_hash, await hashPassword(new_password))
    if (!ended) throw wrongPassword()
    await cache.write(ended.map(invalidateSession))
    return c.body(null, 204)
  })

  router.openapi(readSessions, async (c) => {
    const items = await listSessions(c.var.upstreams.database, c.var.caller, maxListedSessions)
    return c.json({ items }, 200)
  })

  router.openapi(endSession, async (c) => {
    const { id } = c.req.valid('param')
    const { database, cache } = c.var.upstreams
    if (!(await endOwnSession(database, c.var.caller, id))) {
      throw new TiebarError('not_found', 'You have no active session with this id.')
    }
    await cache.write([invalidateSession(id)])
    return c.body(null, 204)
  })

  return router
}

function checkNewPassword(password: string, { username, email }: Pick<OwnCredentials, 'username' | 'email'>): void {
  const fault = findPasswordFault(password, username, email)
  if (fault === undefined) return
  throw new TiebarError('validation_failed', 'The new password is too weak.', {
    errors: [{ pointer: '/new_password', detail: fault }],
  })
}

/** Not 401: the token is valid, and a client would refresh it and try again. The password is a field of the body. */
function wrongPassword(): TiebarError {
  return new TiebarError('wrong_password', 'The current password is wrong.', {
    errors: [{ pointer: '/current_password', detail: 'is wrong' }],
  })
}
