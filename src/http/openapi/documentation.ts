// The OpenAPI document. The pages that show it, Swagger UI and ReDoc, are static assets: see src/tools/pages.ts.
import { createRoute, z } from '@hono/zod-openapi'
import { digestEtag, isNotModified } from '../etag.ts'
import { chooseJsonType } from '../middleware/accept.ts'
import { enumOf } from './fields.ts'
import { createRouter, jsonAlsoAs, problemSchema, type Router } from './router.ts'

const tags = ['Documentation']
const etagHeader = { headers: z.object({ ETag: z.string() }) }
const unchanged = { description: 'If-None-Match contains the current ETag' }

/** https://www.iana.org/assignments/media-types/application/vnd.oai.openapi+json */
const registeredType = 'application/vnd.oai.openapi+json'

const openApiVersion = enumOf(['3.1.0'], { '3.1.0': 'The version of the OpenAPI Specification.' })

const readDocument = createRoute({
  method: 'get',
  path: '/api/openapi.json',
  operationId: 'readOpenApiDocument',
  tags,
  summary: 'Read the OpenAPI document',
  responses: {
    200: {
      ...jsonAlsoAs(registeredType, z.object({ openapi: openApiVersion }).catchall(z.unknown()), 'OpenAPI 3.1'),
      ...etagHeader,
    },
    304: unchanged,
  },
})

/** @param describe builds the document; called once, at the first request */
export function documentationRoutes(describe: () => unknown): Router {
  const router = createRouter()
  router.openAPIRegistry.register('Problem', problemSchema)

  let document: { text: string; etag: string } | undefined
  router.openapi(readDocument, (c) => {
    document ??= toRepresentation(JSON.stringify(describe()))
    c.header('ETag', document.etag)
    const type = chooseJsonType(c, registeredType)
    if (isNotModified(c.req.header('If-None-Match'), document.etag)) return c.body(null, 304)
    // The text is built once. `c.json`, which the handler's type expects, would build it for each request.
    return c.body(document.text, 200, { 'Content-Type': type }) as never
  })

  return router
}

function toRepresentation(text: string) {
  return { text, etag: digestEtag(text) }
}
