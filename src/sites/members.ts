// Endpoints for the members of a site or of a machine. Both kinds have the same endpoints.
import { createRoute, type RouteConfig } from '@hono/zod-openapi'
import { foldName } from '../accounts/account.ts'
import { authenticate } from '../http/middleware/authenticate.ts'
import { jsonBody } from '../http/middleware/json-body.ts'
import { pageQuery } from '../http/openapi/fields.ts'
import { bearerSecurity, body, createRouter, json, problems, type Router } from '../http/openapi/router.ts'
import { answerPage, readPage, toPage } from '../http/pagination/page.ts'
import { memberBody, memberPage, memberPath, memberSchema, placePath } from './schema.ts'
import { listMembers, memberSorts, type Place, putMember, removeMember } from './sql/members.ts'

/** The members of a site or machine, and how the OpenAPI document names them. */
export type Members = {
  place: Place
  /** The path of the site or machine, such as `/api/sites/{id}`. */
  path: `/api/${string}/{id}`
  /** Singular. It is part of the ids of the operations. */
  noun: 'Site' | 'Machine'
  tags: string[]
}

export function memberRoutes({ place, path, noun, tags }: Members): Router {
  const router = createRouter()
  const what = noun.toLowerCase()
  const common = { tags, security: bearerSecurity } satisfies Partial<RouteConfig>
  const refusals = ['not_found', 'not_owner', 'role_too_low'] as const

  const list = createRoute({
    ...common,
    method: 'get',
    path: `${path}/members`,
    operationId: `list${noun}Members`,
    summary: `List the members of a ${what} (managers only)`,
    middleware: [authenticate()] as const,
    request: { params: placePath, query: pageQuery },
    responses: { 200: json(memberPage, 'One page of members'), ...problems(...refusals) },
  })

  const put = createRoute({
    ...common,
    method: 'post',
    path: `${path}/members`,
    operationId: `put${noun}Member`,
    summary: `Give an account a role on a ${what}, or change its role`,
    middleware: [authenticate(), jsonBody()] as const,
    request: { params: placePath, body: body(memberBody) },
    responses: {
      200: json(memberSchema, 'The member, whose role was replaced'),
      201: json(memberSchema, 'The new member'),
      ...problems(...refusals, 'no_such_account', 'role_is_fixed', ...(place.needsManager ? lastManager : [])),
    },
  })

  const remove = createRoute({
    ...common,
    method: 'delete',
    path: `${path}/members/{account_id}`,
    operationId: `remove${noun}Member`,
    summary: `Remove the role of an account on a ${what}; every member may leave`,
    middleware: [authenticate()] as const,
    request: { params: memberPath },
    responses: {
      204: { description: 'The account is no longer a member' },
      ...problems(...refusals, ...(place.needsManager ? lastManager : [])),
    },
  })

  router.openapi(list, async (c) => {
    const page = readPage(memberSorts, { sort: 'account_id', ...c.req.valid('query') })
    const rows = await listMembers(c.var.upstreams.database, c.var.session, place, c.req.valid('param').id, page)
    const toMember = ({ account_id, username, role, expires_at }: (typeof rows)[number]) => {
      return { account_id, username, role, expires_at }
    }
    return answerPage(c, toPage(page, rows, toMember))
  })

  router.openapi(put, async (c) => {
    const { username, role, expires_at: expiresAt } = c.req.valid('json')
    const grant = { usernameKey: foldName(username), role, expiresAt }
    const { database } = c.var.upstreams
    const { member, isNew } = await putMember(database, c.var.session, place, c.req.valid('param').id, grant)
    return isNew ? c.json(member, 201) : c.json(member, 200)
  })

  router.openapi(remove, async (c) => {
    const { id, account_id: accountId } = c.req.valid('param')
    await removeMember(c.var.upstreams.database, c.var.session, place, id, accountId)
    return c.body(null, 204)
  })

  return router
}

const lastManager = ['last_manager'] as const
