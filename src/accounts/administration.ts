// Endpoints for staff to manage all accounts: list them, disable them, grant staff rights.
import { createRoute } from '@hono/zod-openapi'
import { authenticate } from '../http/middleware/authenticate.ts'
import { jsonBody } from '../http/middleware/json-body.ts'
import { bearerSecurity, body, createRouter, json, problems, type Router } from '../http/openapi/router.ts'
import { answerPage, readPage, toPage } from '../http/pagination/page.ts'
import { invalidateKey, invalidateSession } from './caller-cache.ts'
import { confirmPassword } from './confirm-password.ts'
import { accountPage, accountPath, accountQuery, rightsBody, userSchema } from './schema.ts'
import { accountSorts, changeRights, listAccounts } from './sql/administration.ts'
import { accountColumns } from './sql/caller.ts'
import { readOwnCredentials } from './sql/profile.ts'

const tags = ['Accounts']

const list = createRoute({
  method: 'get',
  path: '/api/accounts',
  operationId: 'listAccounts',
  tags,
  summary: 'List accounts (staff only)',
  security: bearerSecurity,
  middleware: [authenticate()] as const,
  request: { query: accountQuery },
  responses: { 200: json(accountPage, 'One page of accounts'), ...problems('staff_only') },
})

const patch = createRoute({
  method: 'patch',
  path: '/api/accounts/{id}',
  operationId: 'changeAccountRights',
  tags,
  summary: 'Disable or enable an account, grant or revoke staff rights (staff only)',
  description:
    'Granting staff rights, and enabling an account that has them, requires `current_password`, the password of the ' +
    'caller. Disabling an account ends all its sessions. The last active staff account cannot be disabled or lose its rights.',
  security: bearerSecurity,
  middleware: [authenticate(), jsonBody()] as const,
  request: { params: accountPath, body: body(rightsBody) },
  responses: {
    200: json(userSchema, 'The account as it is now'),
    ...problems('staff_only', 'not_found', 'last_staff', 'wrong_password', 'rate_limited'),
  },
})

export function administrationRoutes(): Router {
  const router = createRouter()

  router.openapi(list, async (c) => {
    const { q, is_active, is_staff, ...query } = c.req.valid('query')
    const filter = { q, isActive: is_active, isStaff: is_staff }
    const page = readPage(accountSorts, query)
    const rows = await listAccounts(c.var.upstreams.database, c.var.session, filter, page)
    return answerPage(c, toPage(page, rows, accountColumns.pick))
  })

  router.openapi(patch, async (c) => {
    const { is_active, is_staff, current_password } = c.req.valid('json')
    const { database, cache } = c.var.upstreams
    const { session } = c.var
    const change = { isActive: is_active, isStaff: is_staff }
    const confirm = async () => confirmPassword(c, await readOwnCredentials(database, session), current_password)
    const { id } = c.req.valid('param')
    const { account, ended, stoppedKeys } = await changeRights(database, session, id, change, confirm)
    await cache.write([...ended.map(invalidateSession), ...stoppedKeys.map(invalidateKey)])
    return c.json(account, 200)
  })

  return router
}
