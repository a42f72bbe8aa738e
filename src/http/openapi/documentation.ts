// The OpenAPI document and the two pages that show it: Swagger UI to try things out, ReDoc to read. The pages are static
// assets that go out through the Worker, which says what they may do.
import { createHash } from 'node:crypto'
import { createRoute, z } from '@hono/zod-openapi'
import { TiebarError } from '../../kernel/error.ts'
import type { AppContext } from '../context.ts'
import { isNotModified } from '../etag.ts'
import { chooseJsonType } from '../middleware/accept.ts'
import { enumOf } from './fields.ts'
import { createRouter, jsonAlsoAs, problemSchema, problems, type Router } from './router.ts'

const tags = ['Documentation']
const etagHeader = { headers: z.object({ ETag: z.string() }) }
const unchanged = { description: 'If-None-Match names the present state' }
const page = (description: string) => ({
  200: { description, content: { 'text/html': { schema: z.string(), example: '<!doctype html>…' } }, ...etagHeader },
  304: unchanged,
  ...problems('not_found'), // where no pages were deployed
})

/** https://www.iana.org/assignments/media-types/application/vnd.oai.openapi+json */
const registeredType = 'application/vnd.oai.openapi+json'

const openApiVersion = enumOf(['3.1.0'], { '3.1.0': 'The version of the OpenAPI Specification.' })

const readDocument = createRoute({
  method: 'get',
  path: '/api/openapi.json',
  operationId: 'readOpenApiDocument',
  tags,
  summary: 'This document',
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
  summary: 'Swagger UI: this document, to try out',
  responses: page('The page'),
})

const readDocs = createRoute({
  method: 'get',
  path: '/api/docs',
  operationId: 'readReDoc',
  tags,
  summary: 'ReDoc: this document, to read',
  responses: page('The page'),
})

/** @param describe builds the document; called once, when somebody asks for it */
export function documentationRoutes(describe: () => unknown): Router {
  const router = createRouter()
  router.openAPIRegistry.register('Problem', problemSchema)

  let document: { text: string; etag: string } | undefined
  router.openapi(readDocument, (c) => {
    document ??= toRepresentation(JSON.stringify(describe()))
    c.header('ETag', document.etag)
    const type = chooseJsonType(c, registeredType)
    if (isNotModified(c.req.header('If-None-Match'), document.etag)) return c.body(null, 304)
    // Made as text once; the handler's type would have it made anew each time.
    return c.body(document.text, 200, { 'Content-Type': type }) as never
  })

  router.openapi(readSwagger, (c) => answerPage(c, '/api/swagger/index.html', policy))
  router.openapi(readDocs, (c) => answerPage(c, '/api/docs/index.html', docsPolicy))
  router.get('/api/swagger/:file', (c) => answerFile(c, '/api/swagger', c.req.param('file')))
  router.get('/api/docs/:file', (c) => answerFile(c, '/api/docs', c.req.param('file')))

  return router
}

function toRepresentation(text: string) {
  return { text, etag: `"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"` }
}

/** Files come from here alone, scripts too, and none of them is evaluated from text. */
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

/** ReDoc writes its styles into the page, and searches in a worker that it makes of its own text. */
const docsPolicy = `${policy.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")}; worker-src blob:`

async function answerPage(c: AppContext, path: string, contentSecurityPolicy: string) {
  c.header('Content-Security-Policy', contentSecurityPolicy)
  c.header('Referrer-Policy', 'no-referrer')
  return (await answerAsset(c, path)) as never // an asset's bytes have no type
}

/** The pages themselves are not files: they go out under their own names, with the policy. */
async function answerFile(c: AppContext, folder: string, file: string) {
  if (!/^[\w.-]+\.(js|css|png|txt)$/.test(file)) throw noSuchAsset()
  return answerAsset(c, `${folder}/${file}`)
}

/** @throws TiebarError `not_found`, also where no pages were built: the API does without them */
async function answerAsset(c: AppContext, path: string): Promise<Response> {
  const assets = c.var.environment.ASSETS
  const ifNoneMatch = c.req.header('If-None-Match')
  const headers = ifNoneMatch === undefined ? {} : { 'If-None-Match': ifNoneMatch }
  const asset = await assets?.fetch(new URL(path, c.req.url).href, { headers })
  if (!asset || (!asset.ok && asset.status !== 304)) {
    throw noSuchAsset()
  }
  c.header('Cache-Control', 'public, max-age=0, must-revalidate')
  for (const name of ['Content-Type', 'ETag']) {
    const value = asset.headers.get(name)
    if (value !== null) c.header(name, value)
  }
  return asset.status === 304 ? c.body(null, 304) : c.body(asset.body ?? '')
}

function noSuchAsset(): TiebarError {
  return new TiebarError('not_found', 'There is no such page or file, or the server was deployed without them.')
}
