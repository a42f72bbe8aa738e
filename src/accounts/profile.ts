// Endpoints for the caller's own account: its details, password and sessions.
import { createRoute, type z } from '@hono/zod-openapi'
import type { AppContext } from '../http/context.ts'
import { authenticate } from '../http/middleware/authenticate.ts'
import { jsonBody } from '../http/middleware/json-body.ts'
import { bearerSecurity, body, createRouter, json, problems, type Router } from '../http/openapi/router.ts'
import { UniqueViolation } from '../infra/database-error.ts'
import { TiebarError } from '../kernel/error.ts'
import { checkNewPassword, takenProblem, wrongPassword } from './account.ts'
import { invalidateSession } from './caller-cache.ts'
import { confirmPassword } from './confirm-password.ts'
import { foldEmail } from './email.ts'
import { limitSignUps } from './limits.ts'
import { hashPassword } from './password.ts'
import { accountPatchBody, meSchema, passwordBody, sessionPath, sessionsSchema, userSchema } from './schema.ts'
import { changeAccount, changePassword, endOwnSession, listSessions, readOwnCredentials } from './sql/profile.ts'
import { readAccount, type SelectHolds } from './sql/sign-in.ts'

const tags = ['Accounts']
/** The list has no further pages. A change of the password also ends the sessions that are not listed. */
const maxListedSessions = 100

const patchMe = createRoute({
  method: 'patch',
  path: '/api/me',
  operationId: 'changeMe',
  tags,
  summary: 'Change my e-mail address or name (JSON Merge Patch)',
  description:
    'A change of the e-mail address requires `current_password`, and counts as a sign-up for the limit. The username cannot ' +
    'be changed.',
  security: bearerSecurity,
  middleware: [authenticate(), jsonBody()] as const,
  request: { body: body(accountPatchBody) },
  responses: {
    200: json(userSchema, 'The account as it is now'),
    ...problems('email_taken', 'wrong_password', 'rate_limited'),
  },
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

/** The holds of an account. `app.ts` passes them in, because the slice of machines is above this one. */
export type Holds<Hold> = { schema: z.ZodType<Hold>; selectOverridden: SelectHolds; fromJson(hold: Hold): Hold }

export function profileRoutes<Hold extends object>({ schema, selectOverridden, fromJson }: Holds<Hold>): Router {
  const router = createRouter()
  const readMe = createRoute({
    method: 'get',
    path: '/api/me',
    operationId: 'readMe',
    tags,
    summary: 'Read my account',
    security: bearerSecurity,
    middleware: [authenticate()] as const,
    responses: { 200: json(meSchema(schema), 'The account of the token') },
  })

  router.openapi(readMe, async (c) => {
    const me = await readAccount<Hold>(c.var.upstreams.database, c.var.session, selectOverridden)
    return c.json({ ...me, overridden_holds: me.overridden_holds.map(fromJson) }, 200)
  })

  router.openapi(patchMe, async (c) => {
    const { email, first_name, last_name, current_password } = c.req.valid('json')
    if (email !== undefined) await permitEmail(c, email, current_password)
    const change = { email, emailKey: email && foldEmail(email), firstName: first_name, lastName: last_name }
    const user = await changeAccount(c.var.upstreams.database, c.var.session, change).catch((error: unknown) => {
      throw error instanceof UniqueViolation ? takenProblem('email') : error
    })
    return c.json(user, 200)
  })

  router.openapi(replacePassword, async (c) => {
    const { current_password, new_password } = c.req.valid('json')
    const { database, cache } = c.var.upstreams
    const own = await readOwnCredentials(database, c.var.session)
    checkNewPassword(new_password, own)
    await confirmPassword(c, own, current_password)
    const ended = await changePassword(database, c.var.session, own.password_hash, await hashPassword(new_password))
    if (!ended) throw wrongPassword()
    await cache.write(ended.map(invalidateSession))
    return c.body(null, 204)
  })

  router.openapi(readSessions, async (c) => {
    const items = await listSessions(c.var.upstreams.database, c.var.session, maxListedSessions)
    return c.json({ items }, 200)
  })

  router.openapi(endSession, async (c) => {
    const { id } = c.req.valid('param')
    const { database, cache } = c.var.upstreams
    if (!(await endOwnSession(database, c.var.session, id))) {
      throw new TiebarError('not_found', 'You have no active session with this id.')
    }
    await cache.write([invalidateSession(id)])
    return c.body(null, 204)
  })

  return router
}

/**
 * A change of the address requires the password, because the owner of the new address can take over the account. It also
 * counts as a sign-up, because the answer reveals whether another account has the address.
 */
async function permitEmail(c: AppContext, email: string, currentPassword: string | undefined): Promise<void> {
  const own = await readOwnCredentials(c.var.upstreams.database, c.var.session)
  if (foldEmail(email) === own.email_key) return
  await confirmPassword(c, own, currentPassword)
  await limitSignUps(c)
}
