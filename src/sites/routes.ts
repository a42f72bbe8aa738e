// Endpoints for sites, which group machines.
import { createRoute, z } from '@hono/zod-openapi'
import { authenticate } from '../http/middleware/authenticate.ts'
import { jsonBody } from '../http/middleware/json-body.ts'
import { bearerOrKey, body, createRouter, json, problems, type Router } from '../http/openapi/router.ts'
import { answerPage, readPage, toPage } from '../http/pagination/page.ts'
import { memberRoutes } from './members.ts'
import { explainSiteRefusal } from './refusals.ts'
import { newSiteBody, placePath, sitePage, sitePatchBody, siteQuery, siteSchema } from './schema.ts'
import type { Place } from './sql/members.ts'
import * as store from './sql/sites.ts'

const tags = ['Sites']
const path = '/api/sites/{id}'

const list = createRoute({
  method: 'get',
  path: '/api/sites',
  operationId: 'listSites',
  tags,
  summary: 'List the sites on which I have a role',
  security: bearerOrKey('read'),
  middleware: [authenticate({ scopes: ['read'] })] as const,
  request: { query: siteQuery },
  responses: { 200: json(sitePage, 'One page of sites') },
})

const create = createRoute({
  method: 'post',
  path: '/api/sites',
  operationId: 'createSite',
  tags,
  summary: 'Create a site, whose first manager I am',
  security: bearerOrKey('manage'),
  middleware: [authenticate({ scopes: ['manage'] }), jsonBody()] as const,
  request: { body: body(newSiteBody) },
  responses: {
    201: { ...json(siteSchema, 'The site'), headers: z.object({ Location: z.string() }) },
    ...problems('quota_exceeded', 'key_not_allowed'),
  },
})

const read = createRoute({
  method: 'get',
  path,
  operationId: 'readSite',
  tags,
  summary: 'Read a site',
  security: bearerOrKey('read'),
  middleware: [authenticate({ scopes: ['read'] })] as const,
  request: { params: placePath },
  responses: { 200: json(siteSchema, 'The site'), ...problems('not_found') },
})

const patch = createRoute({
  method: 'patch',
  path,
  operationId: 'changeSite',
  tags,
  summary: 'Rename a site (managers only)',
  security: bearerOrKey('manage'),
  middleware: [authenticate({ scopes: ['manage'] }), jsonBody()] as const,
  request: { params: placePath, body: body(sitePatchBody) },
  responses: { 200: json(siteSchema, 'The site'), ...problems('not_found', 'role_too_low') },
})

const remove = createRoute({
  method: 'delete',
  path,
  operationId: 'deleteSite',
  tags,
  summary: 'Delete a site without machines (managers only)',
  security: bearerOrKey('manage'),
  middleware: [authenticate({ scopes: ['manage'] })] as const,
  request: { params: placePath },
  responses: {
    204: { description: 'The site is deleted, and its members have lost their roles' },
    ...problems('not_found', 'role_too_low', 'site_not_empty'),
  },
})

const place: Place = {
  column: 'site_id',
  lock: store.lockSite,
  select: store.selectSite,
  needsManager: true,
  refuse: explainSiteRefusal,
}

export function siteRoutes({ selectMachinesOfSite }: { selectMachinesOfSite: store.SelectMachinesOfSite }): Router {
  const router = createRouter()

  router.openapi(list, async (c) => {
    const page = readPage(store.siteSorts, c.req.valid('query'))
    const rows = await store.listSites(c.var.upstreams.database, c.var.caller, page)
    return answerPage(c, toPage(page, rows, store.toSite))
  })

  router.openapi(create, async (c) => {
    const { name } = c.req.valid('json')
    const { upstreams, caller, environment } = c.var
    const site = await store.createSite(upstreams.database, caller, name, environment.SITES_PER_ACCOUNT)
    c.header('Location', `/api/sites/${site.id}`)
    return c.json(site, 201)
  })

  router.openapi(read, async (c) => {
    return c.json(await store.readSite(c.var.upstreams.database, c.var.caller, c.req.valid('param').id), 200)
  })

  router.openapi(patch, async (c) => {
    const { name } = c.req.valid('json')
    const { id } = c.req.valid('param')
    return c.json(await store.renameSite(c.var.upstreams.database, c.var.caller, id, name), 200)
  })

  router.openapi(remove, async (c) => {
    const { database } = c.var.upstreams
    await store.deleteSite(database, c.var.caller, c.req.valid('param').id, selectMachinesOfSite)
    return c.body(null, 204)
  })

  router.route('/', memberRoutes({ place, path, noun: 'Site', tags }))
  return router
}
