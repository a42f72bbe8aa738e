// Endpoints to list, register, read, change and delete machines.
import { createRoute, z } from '@hono/zod-openapi'
import { selectCaller } from '../accounts/sql/caller.ts'
import type { AppContext } from '../http/context.ts'
import { isNotModified, readIfMatch } from '../http/etag.ts'
import { withIdempotencyKey } from '../http/idempotency/idempotency.ts'
import { authenticate } from '../http/middleware/authenticate.ts'
import { jsonBody } from '../http/middleware/json-body.ts'
import { bearerSecurity, body, createRouter, json, problems, type Router } from '../http/openapi/router.ts'
import { answerPage, readPage, toPage } from '../http/pagination/page.ts'
import { TiebarError } from '../kernel/error.ts'
import { findControllerUrlFault } from './controller-url.ts'
import { toEtag, toRevisions } from './machine.ts'
import {
  machinePage,
  machinePatchBody,
  machinePath,
  machineQuery,
  machineSchema,
  newMachineBody,
  wholeMachineBody,
} from './schema.ts'
import * as store from './store.ts'

const tags = ['Machines']
const path = '/api/machines/{id}'
const etagHeader = { headers: z.object({ ETag: z.string() }) }
const writeProblems = problems('not_found', 'not_owner', 'precondition_failed', 'job_open')

const list = createRoute({
  method: 'get',
  path: '/api/machines',
  operationId: 'listMachines',
  tags,
  summary: 'List machines',
  security: bearerSecurity,
  middleware: [authenticate()] as const,
  request: { query: machineQuery },
  responses: { 200: json(machinePage, 'One page of machines') },
})

const create = createRoute({
  method: 'post',
  path: '/api/machines',
  operationId: 'createMachine',
  tags,
  summary: 'Register a machine that I own',
  security: bearerSecurity,
  middleware: [authenticate(), jsonBody()] as const,
  request: { body: body(newMachineBody) },
  responses: {
    201: { ...json(machineSchema, 'The machine'), headers: z.object({ ETag: z.string(), Location: z.string() }) },
    ...problems('idempotency_key_reused'),
  },
})

const read = createRoute({
  method: 'get',
  path,
  operationId: 'readMachine',
  tags,
  summary: 'Read a machine',
  security: bearerSecurity,
  middleware: [authenticate()] as const,
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
  summary: 'Replace a machine; without `status`, the status is kept',
  security: bearerSecurity,
  middleware: [authenticate(), jsonBody()] as const,
  request: { params: machinePath, body: body(wholeMachineBody) },
  responses: {
    200: { ...json(machineSchema, 'The machine'), ...etagHeader },
    ...writeProblems,
  },
})

const patch = createRoute({
  method: 'patch',
  path,
  operationId: 'changeMachine',
  tags,
  summary: 'Change some fields of a machine (JSON Merge Patch)',
  security: bearerSecurity,
  middleware: [authenticate(), jsonBody()] as const,
  request: { params: machinePath, body: body(machinePatchBody) },
  responses: {
    200: { ...json(machineSchema, 'The machine'), ...etagHeader },
    ...writeProblems,
  },
})

const remove = createRoute({
  method: 'delete',
  path,
  operationId: 'deleteMachine',
  tags,
  summary: 'Delete a machine; its history is kept',
  security: bearerSecurity,
  middleware: [authenticate()] as const,
  request: { params: machinePath },
  responses: { 204: { description: 'The machine is deleted' }, ...writeProblems },
})

export function machineRoutes({ selectOpenJobs }: { selectOpenJobs: store.SelectOpenJobs }): Router {
  const router = createRouter()

  router.openapi(list, async (c) => {
    const { status, owner_id, q, ...query } = c.req.valid('query')
    const { accountId } = c.var.caller
    const filter = { status, q, ownerId: owner_id === 'me' ? accountId : owner_id }
    const page = readPage(store.machineSorts, query)
    const rows = await store.listMachines(c.var.upstreams.database, c.var.caller, filter, page)
    return answerPage(c, toPage(page, rows, toMachine))
  })

  router.openapi(create, async (c) => {
    const values = c.req.valid('json')
    const { database } = c.var.upstreams
    checkControllerUrl(c, values.controller_url)
    const row = await withIdempotencyKey(c, selectCaller(c.var.caller), (key) =>
      store.insertMachine(database, c.var.caller, values, key),
    )
    c.header('Location', `/api/machines/${row.id}`)
    // A row that was stored with an idempotency key is JSON, so its columns are converted.
    return answerMachine(c, store.machineColumns.fromJson(row), 201)
  })

  router.openapi(read, async (c) => {
    const row = await store.readMachine(c.var.upstreams.database, c.var.caller, c.req.valid('param').id)
    if (isNotModified(c.req.header('If-None-Match'), toEtag(row))) {
      c.header('ETag', toEtag(row))
      return c.body(null, 304)
    }
    return answerMachine(c, row, 200)
  })

  const changeMachine = (c: AppContext, id: number, change: store.MachineChange | 'delete') => {
    const { database } = c.var.upstreams
    return store.changeMachine(database, c.var.caller, id, change, acceptedRevisions(c, id), selectOpenJobs)
  }

  router.openapi(replace, async (c) => {
    const values = c.req.valid('json')
    checkControllerUrl(c, values.controller_url)
    return answerMachine(c, await changeMachine(c, c.req.valid('param').id, values), 200)
  })

  router.openapi(patch, async (c) => {
    const values = c.req.valid('json')
    checkControllerUrl(c, values.controller_url)
    return answerMachine(c, await changeMachine(c, c.req.valid('param').id, values), 200)
  })

  router.openapi(remove, async (c) => {
    await changeMachine(c, c.req.valid('param').id, 'delete')
    return c.body(null, 204)
  })

  return router
}

/** The revisions that If-Match accepts; undefined if it accepts any. */
function acceptedRevisions(c: AppContext, id: number): number[] | undefined {
  const etags = readIfMatch(c.req.header('If-Match'))
  return etags && toRevisions(etags, id)
}

/** Only the owner of the machine and staff may see its controller URL. */
function toMachine(row: store.MachineRow): store.Machine {
  const machine = store.machineColumns.pick(row)
  return row.is_manager ? machine : { ...machine, controller_url: null }
}

function answerMachine<Status extends 200 | 201>(c: AppContext, row: store.MachineRow, status: Status) {
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
