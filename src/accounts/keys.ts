// Endpoints for API keys: a person creates, lists and revokes them. A key cannot.
import { createRoute } from '@hono/zod-openapi'
import type { AppContext } from '../http/context.ts'
import { authenticate } from '../http/middleware/authenticate.ts'
import { jsonBody } from '../http/middleware/json-body.ts'
import { bearerSecurity, body, createRouter, json, problems, type Router } from '../http/openapi/router.ts'
import { answerPage, readPage, toPage } from '../http/pagination/page.ts'
import { TiebarError } from '../kernel/error.ts'
import { invalidateKey } from './caller-cache.ts'
import { makeSecret } from './key.ts'
import { keyPage, keyPath, keyQuery, newKeyBody, newKeySchema } from './key-schema.ts'
import { insertKey, type KeyPlace, type KeyPlaces, keyColumns, keySorts, listKeys, revokeKey } from './sql/keys.ts'

const tags = ['Keys']

const list = createRoute({
  method: 'get',
  path: '/api/keys',
  operationId: 'listKeys',
  tags,
  summary: 'List my API keys, newest first; also revoked and expired ones',
  security: bearerSecurity,
  middleware: [authenticate()] as const,
  request: { query: keyQuery },
  responses: { 200: json(keyPage, 'One page of keys, without their secrets') },
})

const create = createRoute({
  method: 'post',
  path: '/api/keys',
  operationId: 'createKey',
  tags,
  summary: 'Create an API key for a program or a machine',
  description:
    'The key acts for your account: it may do what its scopes name, and never more than your account may do at that ' +
    'moment. Only this answer shows `secret`.',
  security: bearerSecurity,
  middleware: [authenticate(), jsonBody()] as const,
  request: { body: body(newKeyBody) },
  responses: {
    201: json(newKeySchema, 'The key and its secret'),
    ...problems('not_found', 'not_owner', 'role_too_low', 'quota_exceeded'),
  },
})

const revoke = createRoute({
  method: 'delete',
  path: '/api/keys/{id}',
  operationId: 'revokeKey',
  tags,
  summary: 'Revoke one of my API keys: it stops working now',
  description: 'A START that was requested with the key and has not been sent yet is never sent.',
  security: bearerSecurity,
  middleware: [authenticate()] as const,
  request: { params: keyPath },
  responses: { 204: { description: 'The key is revoked' }, ...problems('not_found') },
})

type Options<Change> = KeyPlaces & { publishChange: (c: AppContext, change: Change) => void }

/** @param options `app.ts` passes in what needs machines and sites */
export function keyRoutes<Change>({ publishChange, ...places }: Options<Change>): Router {
  const router = createRouter()

  router.openapi(list, async (c) => {
    const page = readPage(keySorts, { sort: '-id', ...c.req.valid('query') })
    return answerPage(c, toPage(page, await listKeys(c.var.upstreams.database, c.var.session, page), keyColumns.pick))
  })

  router.openapi(create, async (c) => {
    const { name, scopes, machine_id, site_id, expires_at: expiresAt } = c.req.valid('json')
    const place = readPlace(machine_id, site_id)
    if (scopes.includes('report') && !place) throw missingPlace()
    const made = makeSecret()
    const options = { quota: c.var.environment.KEYS_PER_ACCOUNT, ...places }
    const values = { name, scopes, place, expiresAt }
    const { database } = c.var.upstreams
    const { key, change } = await insertKey<Change>(database, c.var.session, made, values, options)
    if (change) publishChange(c, change)
    return c.json({ key, secret: made.secret }, 201)
  })

  router.openapi(revoke, async (c) => {
    const { id } = c.req.valid('param')
    const { database, cache } = c.var.upstreams
    const revoked = await revokeKey<Change>(database, c.var.session, id, places)
    if (!revoked) throw new TiebarError('not_found', 'You have no key with this id that is not revoked.')
    if (revoked.change) publishChange(c, revoked.change)
    await cache.write([invalidateKey(id)])
    return c.body(null, 204)
  })

  return router
}

/** @throws TiebarError `validation_failed` for a machine and a site */
function readPlace(machineId: number | null, siteId: number | null): KeyPlace | null {
  if (machineId !== null && siteId !== null) {
    throw new TiebarError('validation_failed', 'A key is limited to a machine or to a site, not to both.', {
      errors: [{ pointer: '/site_id', detail: 'must not be given together with machine_id' }],
    })
  }
  if (machineId !== null) return { kind: 'machine', id: machineId }
  return siteId === null ? null : { kind: 'site', id: siteId }
}

function missingPlace(): TiebarError {
  return new TiebarError('validation_failed', 'A key with the scope report must be limited to a machine or a site.', {
    errors: [{ pointer: '/machine_id', detail: 'or site_id is required for the scope report' }],
  })
}
