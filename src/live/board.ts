// The endpoint of the board: what an operator looks at, in one answer.
import { createRoute, z } from '@hono/zod-openapi'
import { digestEtag, isNotModified } from '../http/etag.ts'
import { authenticate } from '../http/middleware/authenticate.ts'
import { pageLimit } from '../http/openapi/fields.ts'
import { bearerOrKey, createRouter, json, type Router } from '../http/openapi/router.ts'
import { linkToNext, readPage, toPage } from '../http/pagination/page.ts'
import { machineQuery } from '../machines/schema.ts'
import { machineSorts } from '../machines/sql/read.ts'
import { boardPage, toBoardMachine } from './schema.ts'
import { listBoard } from './sql/board.ts'

/** Less than in the list, because a board is read again and again, and each machine has its holds and its open job. */
const maxBoardSize = 100
const boardQuery = machineQuery.extend({ limit: pageLimit(maxBoardSize) })

const etagHeader = { headers: z.object({ ETag: z.string() }) }

const board = createRoute({
  method: 'get',
  path: '/api/board',
  operationId: 'listBoard',
  tags: ['Live'],
  summary: 'Machines with their reports, holds and open jobs',
  description: 'The ETag is of all that the page shows, also of times and counters of reports.',
  security: bearerOrKey('read'),
  middleware: [authenticate({ scopes: ['read'] })] as const,
  request: { query: boardQuery },
  responses: {
    200: { ...json(boardPage, 'One page of the board'), ...etagHeader },
    304: { description: 'If-None-Match contains the current ETag', ...etagHeader },
  },
})

export function boardRoutes(): Router {
  const router = createRouter()

  router.openapi(board, async (c) => {
    const { sort, limit, cursor, status, owner_id: ownerId, site_id: siteId, q } = c.req.valid('query')
    const page = readPage(machineSorts, { sort, limit, cursor })
    const rows = await listBoard(c.var.upstreams.database, c.var.caller, { status, ownerId, siteId, q }, page)
    const shown = toPage(page, rows, toBoardMachine)
    const text = JSON.stringify(shown)
    c.header('ETag', digestEtag(text))
    if (isNotModified(c.req.header('If-None-Match'), digestEtag(text))) return c.body(null, 304)
    linkToNext(c, shown)
    // The text is made already. `c.json`, which the handler's type expects, would make it once more.
    return c.body(text, 200, { 'Content-Type': 'application/json' }) as never
  })

  return router
}
