// Endpoints to list, register, read, change and delete machines.
import { createRoute, z } from '@hono/zod-openapi'
import { selectCaller } from '../accounts/sql/caller.ts'
import type { AppContext } from '../http/context.ts'
import { isNotModified, readIfMatch } from '../http/etag.ts'
import { withIdempotencyKey } from '../http/idempotency/idempotency.ts'
import { authenticate } from '../http/middleware/authenticate.ts'
import { jsonBody } from '../http/middleware/json-body.ts'
import { bearerOrKey, body, createRouter, json, problems, type Router } from '../http/openapi/router.ts'
import { answerPage, readPage, toPage } from '../http/pagination/page.ts'
import { TiebarError } from '../kernel/error.ts'
import { findControllerUrlFault } from './controller-url.ts'
import { publishChange, toMachineChange } from './feed.ts'
import { toEtag, toRevisions } from './machine.ts'
import {
  machinePage,
  machinePatchBody,
  machinePath,
  machineQuery,
  machineSchema,
  newMachineBody,
  toMachine,
  wholeMachineBody,
} from './schema.ts'
import { createChangeMachine, type MachineChange, type SelectOpenJobs } from './sql/change.ts'
import { insertMachine } from './sql/create.ts'
import { type MachineRow, machineColumns } from './sql/fragments.ts'
import { listMachines, machineSorts, readMachine } from './sql/read.ts'

const tags = ['Machines']
const path = '/api/machines/{id}'
const etagHeader = { headers: z.object({ ETag: z.string() }) }
const writeProblems = problems(
  'not_found',
  'not_owner',
  'role_too_low',
  'precondition_failed',
  'job_open',
  'machine_running',
  'machine_reports',
)

const list = createRoute({
  method: 'get',
  path: '/api/machines',
  operationId: 'listMachines',
  tags,
  summary: 'List machines',
  security: bearerOrKey('read'),
  middleware: [authenticate({ scopes: ['read'] })] as const,
  request: { query: machineQuery },
  responses: { 200: json(machinePage, 'One page of machines') },
})

const create = createRoute({
  method: 'post',
  path: '/api/machines',
  operationId: 'createMachine',
  tags,
  summary: 'Register a machine that I own',
  security: bearerOrKey('manage'),
  middleware: [authenticate({ scopes: ['manage'] }), jsonBody()] as const,
  request: { body: body(newMachineBody) },
  responses: {
    201: { ...json(machineSchema, 'The machine'), headers: z.object({ ETag: z.string(), Location: z.string() }) },
    ...problems(
      'quota_exceeded',
      'controller_taken',
      'no_such_site',
      'role_too_low',
      'key_not_allowed',
      'idempotency_key_reused',
    ),
  },
})

const read = createRoute({
  method: 'get',
  path,
  operationId: 'readMachine',
  tags,
  summary: 'Read a machine',
  security: bearerOrKey('read'),
  middleware: [authenticate({ scopes: ['read'] })] as const,
  request: { params: machinePath },
  responses: {
    200: { ...json(machineSchema, 'The machine'), ...etagHeader },
    304: { description: 'If-None-Match contains the current ETag', ...etagHeader },
    ...problems('not_found'),
  },
})

const replace = createRoute({
  method: 'put',
  path,
  operationId: 'replaceMachine',
  tags,
  summary: 'Replace a machine; without `status` or `site_id`, these are kept',
  security: bearerOrKey('manage'),
  middleware: [authenticate({ scopes: ['manage'] }), jsonBody()] as const,
  request: { params: machinePath, body: body(wholeMachineBody) },
  responses: {
    200: { ...json(machineSchema, 'The machine'), ...etagHeader },
    ...writeProblems,
    ...problems('controller_taken', 'no_such_site', 'key_not_allowed'),
  },
})

const patch = createRoute({
  method: 'patch',
  path,
  operationId: 'changeMachine',
  tags,
  summary: 'Change some fields of a machine (JSON Merge Patch)',
  security: bearerOrKey('manage'),
  middleware: [authenticate({ scopes: ['manage'] }), jsonBody()] as const,
  request: { params: machinePath, body: body(machinePatchBody) },
  responses: {
    200: { ...json(machineSchema, 'The machine'), ...etagHeader },
    ...writeProblems,
    ...problems('controller_taken', 'no_such_site', 'key_not_allowed'),
  },
})

const remove = createRoute({
  method: 'delete',
  path,
  operationId: 'deleteMachine',
  tags,
  summary: 'Delete a machine; its history is kept',
  security: bearerOrKey('manage'),
  middleware: [authenticate({ scopes: ['manage'] })] as const,
  request: { params: machinePath },
  responses: { 204: { description: 'The machine is deleted' }, ...writeProblems },
})

export function machineRoutes({ selectOpenJobs }: { selectOpenJobs: SelectOpenJobs }): Router {
  const router = createRouter()
  const changeMachine = createChangeMachine(selectOpenJobs)

  router.openapi(list, async (c) => {
    const { status, owner_id, site_id, q, ...query } = c.req.valid('query')
    const filter = { status, q, siteId: site_id, ownerId: owner_id }
    const page = readPage(machineSorts, query)
    const rows = await listMachines(c.var.upstreams.database, c.var.caller, filter, page)
    return answerPage(c, toPage(page, rows, toMachine))
  })

  router.openapi(create, async (c) => {
    const values = c.req.valid('json')
    const { database } = c.var.upstreams
    checkControllerUrl(c, values.controller_url)
    const row = await withIdempotencyKey(c, selectCaller(c.var.caller), async (key) => {
      const inserted = await insertMachine(database, c.var.caller, values, key, c.var.environment.MACHINES_PER_ACCOUNT)
      publishChange(c, toMachineChange(inserted)) // here, because a replay changes nothing, and its row may be old
      return inserted
    })
    c.header('Location', `/api/machines/${row.id}`)
    // A row that was stored with an idempotency key is JSON, so its columns are converted.
    return answerMachine(c, machineColumns.fromJson(row), 201)
  })

  router.openapi(read, async (c) => {
    const row = await readMachine(c.var.upstreams.database, c.var.caller, c.req.valid('param').id)
    if (isNotModified(c.req.header('If-None-Match'), toEtag(row))) {
      c.header('ETag', toEtag(row))
      return c.body(null, 304)
    }
    return answerMachine(c, row, 200)
  })

  const change = async (c: AppContext, id: number, values: MachineChange | 'delete') => {
    const { database } = c.var.upstreams
    const changed = await changeMachine(database, c.var.caller, id, values, acceptedRevisions(c, id))
    if (changed.isChanged) publishChange(c, toMachineChange(changed.row, changed.siteBefore))
    return changed.row
  }

  router.openapi(replace, async (c) => {
    const values = c.req.valid('json')
    checkControllerUrl(c, values.controller_url)
    return answerMachine(c, await change(c, c.req.valid('param').id, values), 200)
  })

  router.openapi(patch, async (c) => {
    const values = c.req.valid('json')
    checkControllerUrl(c, values.controller_url)
    return answerMachine(c, await change(c, c.req.valid('param').id, values), 200)
  })

  router.openapi(remove, async (c) => {
    await change(c, c.req.valid('param').id, 'delete')
    return c.body(null, 204)
  })

  return router
}

/** The revisions that If-Match accepts; undefined if it accepts any. */
function acceptedRevisions(c: AppContext, id: number): number[] | undefined {
  const etags = readIfMatch(c.req.header('If-Match'))
  return etags && toRevisions(etags, id)
}

function answerMachine<Status extends 200 | 201>(c: AppContext, row: MachineRow, status: Status) {
  c.header('ETag', toEtag(row))
  return c.json(toMachine(row), status)
}

/** @throws TiebarError `validation_failed` */
function checkControllerUrl(c: AppContext, url: string | null | undefined): void {
  if (url === null || url === undefined) return
  const fault = findControllerUrlFault(url, c.var.environment.ALLOW_PRIVATE_CONTROLLERS)
  if (fault === undefined) return
  throw new TiebarError('validation_failed', `The controller URL ${fault}.`, {
    errors: [{ pointer: '/controller_url', detail: fault }],
  })
}
