// Endpoints for the history of a machine and of a person, newest first, and for the timeline of one job.
import { createRoute, type z } from '@hono/zod-openapi'
import type { AppContext } from '../http/context.ts'
import { authenticate } from '../http/middleware/authenticate.ts'
import { bearerSecurity, createRouter, json, problems, type Router } from '../http/openapi/router.ts'
import { answerPage, readPage, toPage } from '../http/pagination/page.ts'
import { eventsSchema, historyQuery, jobPage, jobPath, machinePath, toJob, toJobEvent } from './schema.ts'
import { historySorts, listEvents, listMachineHistory, listMyHistory } from './sql/read.ts'

const tags = ['Jobs']
const middleware = authenticate()

const readHistory = createRoute({
  method: 'get',
  path: '/api/machines/{id}/history',
  operationId: 'listMachineJobs',
  tags,
  summary: 'Jobs of a machine, newest first; also of a deleted machine',
  security: bearerSecurity,
  middleware,
  request: { params: machinePath, query: historyQuery },
  responses: {
    200: json(jobPage, 'One page of jobs'),
    ...problems('not_found', 'not_owner'),
  },
})

const readMyHistory = createRoute({
  method: 'get',
  path: '/api/machines/history',
  operationId: 'listMyJobs',
  tags,
  summary: 'Jobs on my machines and jobs that I requested, newest first',
  security: bearerSecurity,
  middleware,
  request: { query: historyQuery },
  responses: { 200: json(jobPage, 'One page of jobs') },
})

const readEvents = createRoute({
  method: 'get',
  path: '/api/jobs/{id}/events',
  operationId: 'listJobEvents',
  tags,
  summary: 'The timeline of a job, oldest first',
  security: bearerSecurity,
  middleware,
  request: { params: jobPath },
  responses: {
    200: json(eventsSchema, 'The events of the job'),
    ...problems('not_found'),
  },
})

/** Mount it before the routes of machines, which would read `history` as the id of a machine. */
export function historyRoutes(): Router {
  const router = createRouter()

  router.openapi(readMyHistory, async (c) => {
    const { limit, cursor, ...filter } = c.req.valid('query')
    const { database } = c.var.upstreams
    const page = readPage(historySorts, { sort: '-requested_at', limit, cursor })
    return answerPage(c, toPage(page, await listMyHistory(database, c.var.caller, toFilter(c, filter), page), toJob))
  })

  // Without this, other methods would reach the routes of machines.
  router.all('/api/machines/history', (c) => c.notFound())

  router.openapi(readHistory, async (c) => {
    const { limit, cursor, ...filter } = c.req.valid('query')
    const { database } = c.var.upstreams
    const { id } = c.req.valid('param')
    const page = readPage(historySorts, { sort: '-requested_at', limit, cursor })
    const rows = await listMachineHistory(database, c.var.caller, id, toFilter(c, filter), page)
    return answerPage(c, toPage(page, rows, toJob))
  })

  router.openapi(readEvents, async (c) => {
    const rows = await listEvents(c.var.upstreams.database, c.var.caller, c.req.valid('param').id)
    return c.json({ items: rows.map(toJobEvent) }, 200)
  })

  return router
}

type Query = z.infer<typeof historyQuery>

function toFilter(c: AppContext, { requested_by, ...filter }: Omit<Query, 'limit' | 'cursor'>) {
  return {
    ...filter,
    requestedBy: requested_by === 'me' ? c.var.caller.accountId : requested_by,
  }
}
