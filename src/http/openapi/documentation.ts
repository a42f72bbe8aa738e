// The OpenAPI document and the two pages that show it: Swagger UI and ReDoc. The pages are static assets. The Worker serves
// them and adds a Content-Security-Policy.
import { createRoute, z } from '@hono/zod-openapi'
import { TiebarError } from '../../kernel/error.ts'
import type { AppContext } from '../context.ts'
import { digestEtag, isNotModified } from '../etag.ts'
import { chooseJsonType } from '../middleware/accept.ts'
import { enumOf } from './fields.ts'
import { createRouter, jsonAlsoAs, problemSchema, problems, type Router } from './router.ts'

const tags = ['Documentation']
const etagHeader = { headers: z.object({ ETag: z.string() }) }
const unchanged = { description: 'If-None-Match contains the current ETag' }
const page = (description: string) => ({
  200: { description, content: { 'text/html': { schema: z.string(), example: '<!doctype html>…' } }, ...etagHeader },
  304: unchanged,
  ...problems('not_found'), // if the pages were not deployed
})

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

const readSwagger = createRoute({
  method: 'get',
  path: '/api/swagger',
  operationId: 'readSwaggerUi',
  tags,
  summary: 'Swagger UI: try the API in a browser',
  responses: page('The page'),
})

const readDocs = createRoute({
  method: 'get',
  path: '/api/docs',
  operationId: 'readReDoc',
  tags,
  summary: 'ReDoc: read this document in a browser',
  responses: page('The page'),
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

  router.openapi(readSwagger, (c) => answerPage(c, '/api/swagger/index.html', policy))
  router.openapi(readDocs, (c) => answerPage(c, '/api/docs/index.html', docsPolicy))
  router.get('/api/swagger/:file', (c) => answerFile(c, '/api/swagger', c.req.param('file')))
  router.get('/api/docs/:file', (c) => answerFile(c, '/api/docs', c.req.param('file')))

  return router
}

function toRepresentation(text: string) {
  return { text, etag: digestEtag(text) }
}

/** Allows only files from this origin, and no scripts in the page or from text. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** ReDoc adds inline styles to the page, and starts its search worker from a blob URL. */
const docsPolicy = `${policy.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")}; worker-src blob:`

async function answerPage(c: AppContext, path: string, contentSecurityPolicy: string) {
  c.header('Content-Security-Policy', contentSecurityPolicy)
  c.header('Referrer-Policy', 'no-referrer')
  return (await answerAsset(c, path)) as never // the handler's type cannot describe the content of an asset
}

/** Refuses HTML files: `answerPage` serves them, with the policy. */
async function answerFile(c: AppContext, folder: string, file: string) {
  if (!/^[\w.-]+\.(js|css|png|txt)$/.test(file)) throw assetNotFound()
  return answerAsset(c, `${folder}/${file}`)
}

/** @throws TiebarError `not_found`, also if the pages were not deployed: the API works without them */
async function answerAsset(c: AppContext, path: string): Promise<Response> {
  const assets = c.var.environment.ASSETS
  const ifNoneMatch = c.req.header('If-None-Match')
  const headers = ifNoneMatch === undefined ? {} : { 'If-None-Match': ifNoneMatch }
  const asset = await assets?.fetch(new URL(path, c.req.url).href, { headers })
  if (!asset || (!asset.ok && asset.status !== 304)) {
    throw assetNotFound()
  }
  c.header('Cache-Control', 'public, max-age=0, must-revalidate')
  for (const name of ['Content-Type', 'ETag']) {
    const value = asset.headers.get(name)
    if (value !== null) c.header(name, value)
  }
  return asset.status === 304 ? c.body(null, 304) : c.body(asset.body ?? '')
}

function assetNotFound(): TiebarError {
  return new TiebarError('not_found', 'There is no such page or file, or the server was deployed without them.')
}
