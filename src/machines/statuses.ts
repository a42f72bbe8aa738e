// The endpoint for the history of the statuses of a machine, newest first.
import { createRoute, z } from '@hono/zod-openapi'
import { authenticate } from '../http/middleware/authenticate.ts'
import { instant, pageQuery, time } from '../http/openapi/fields.ts'
import { bearerOrKey, createRouter, json, problems, type Router } from '../http/openapi/router.ts'
import { answerPage, readPage, toPage } from '../http/pagination/page.ts'
import { machinePath, machineSchema } from './schema.ts'
import { listStatuses, type StatusRow, statusColumns, statusSorts } from './sql/statuses.ts'

const { status, status_source } = machineSchema.shape

const statusPage = z
  .object({
    items: z.array(
      z
        .object({
          status: status.nullable().openapi({ description: 'Null: unknown, because the machine stopped reporting' }),
          source: status_source,
          at: time.openapi({ description: 'Since when' }),
        } satisfies Record<keyof StatusRow, z.ZodType>)
        .openapi('StatusChange'),
    ),
    next_cursor: z.string().nullable().openapi({ example: 'WyItYXQiLCIyMDI2Il0' }),
  })
  .openapi('StatusPage')

const list = createRoute({
  method: 'get',
  path: '/api/machines/{id}/statuses',
  operationId: 'listMachineStatuses',
  tags: ['Machines'],
  summary: 'Statuses that a machine had, newest first; also of a deleted machine',
  description:
    'An item for each change of the status. A machine that reports has an item without a status from the time at which its ' +
    'last report is no longer fresh, and another one when the next report arrives.',
  security: bearerOrKey('read'),
  middleware: [authenticate({ scopes: ['read'] })] as const,
  request: {
    params: machinePath,
    query: pageQuery.extend({
      from: instant.optional().openapi({
        description: 'Since this time. The last item is the status that the machine had at it, with its own time',
      }),
      to: instant.optional().openapi({ description: 'Before this time' }),
    }),
  },
  responses: { 200: json(statusPage, 'One page of statuses'), ...problems('not_found', 'not_owner') },
})

export function statusRoutes(): Router {
  const router = createRouter()

  router.openapi(list, async (c) => {
    const { limit, cursor, ...filter } = c.req.valid('query')
    const page = readPage(statusSorts, { sort: '-at', limit, cursor })
    const rows = await listStatuses(c.var.upstreams.database, c.var.caller, c.req.valid('param').id, filter, page)
    return answerPage(c, toPage(page, rows, statusColumns.pick))
  })

  return router
}
