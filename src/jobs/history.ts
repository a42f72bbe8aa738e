// Endpoints for the history of a machine and of a person, newest first, and for the timeline of one job.
import { createRoute, type z } from '@hono/zod-openapi'
import { authenticate } from '../http/middleware/authenticate.ts'
import { pageQuery } from '../http/openapi/fields.ts'
import { bearerOrKey, createRouter, json, problems, type Router } from '../http/openapi/router.ts'
import { answerPage, readPage, toPage } from '../http/pagination/page.ts'
import { eventPage, historyQuery, jobPage, jobPath, machinePath, toJob, toJobEvent } from './schema.ts'
import { eventSorts, historySorts, listEvents, listMachineHistory, listMyHistory } from './sql/read.ts'

const tags = ['Jobs']
const middleware = authenticate({ scopes: ['read'] })

const readHistory = createRoute({
  method: 'get',
  path: '/api/machines/{id}/history',
  operationId: 'listMachineJobs',
  tags,
  summary: 'Jobs of a machine, newest first; also of a deleted machine',
  security: bearerOrKey('read'),
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
  security: bearerOrKey('read'),
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
  security: bearerOrKey('read'),
  middleware,
  request: { params: jobPath, query: pageQuery },
  responses: {
    200: json(eventPage, 'One page of events'),
    ...problems('not_found'),
  },
})

export function historyRoutes(): Router {
  const router = createRouter()

  router.openapi(readMyHistory, async (c) => {
    const { limit, cursor, ...filter } = c.req.valid('query')
    const { database } = c.var.upstreams
    const page = readPage(historySorts, { sort: '-requested_at', limit, cursor })
    return answerPage(c, toPage(page, await listMyHistory(database, c.var.caller, toFilter(filter), page), toJob))
  })

  router.openapi(readHistory, async (c) => {
    const { limit, cursor, ...filter } = c.req.valid('query')
    const { database } = c.var.upstreams
    const { id } = c.req.valid('param')
    const page = readPage(historySorts, { sort: '-requested_at', limit, cursor })
    const rows = await listMachineHistory(database, c.var.caller, id, toFilter(filter), page)
    return answerPage(c, toPage(page, rows, toJob))
  })

  router.openapi(readEvents, async (c) => {
    const { database } = c.var.upstreams
    const page = readPage(eventSorts, { sort: 'version', ...c.req.valid('query') })
    return answerPage(
      c,
      toPage(page, await listEvents(database, c.var.caller, c.req.valid('param').id, page), toJobEvent),
    )
  })

  return router
}

type Query = z.infer<typeof historyQuery>

function toFilter({ requested_by, ...filter }: Omit<Query, 'limit' | 'cursor'>) {
  return { ...filter, requestedBy: requested_by }
}
