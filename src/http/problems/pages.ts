// The pages that the `type` of a problem points to: what each code means and what to do, as HTML and as JSON.
import { createHash } from 'node:crypto'
import { createRoute, z } from '@hono/zod-openapi'
import { html, raw } from 'hono/html'
import { TiebarError } from '../../kernel/error.ts'
import { type ErrorCode, errorCodes, errorKinds } from '../../kernel/error-codes.ts'
import type { AppContext } from '../context.ts'
import { chooseMediaType } from '../middleware/accept.ts'
import { createRouter, errorCode, type Router } from '../openapi/router.ts'

const tags = ['Documentation']
const path = '/api/problems'

const problemPage = z
  .object({
    code: errorCode,
    type: z.url(),
    status: z.int(),
    title: z.string(),
    meaning: z.string(),
    why: z.string(),
    remedy: z.string(),
    retry_helps: z.boolean().openapi({ description: 'Whether the same request may succeed later' }),
  })
  .openapi('ProblemPage', { example: toPage('job_open', 'https://api.example.com') })
const problemPages = z.object({ items: z.array(problemPage) }).openapi('ProblemPages')

const text = { schema: z.string(), example: '<!doctype html>…' }
const inBoth = <Schema extends z.ZodType>(schema: Schema, description: string) => ({
  200: { description, content: { 'application/json': { schema }, 'text/html': text } },
})

const listPages = createRoute({
  method: 'get',
  path,
  operationId: 'listProblems',
  tags,
  summary: 'List all error codes',
  responses: inBoth(problemPages, 'All codes, by status; HTML for browsers'),
})

const readPage = createRoute({
  method: 'get',
  path: `${path}/{code}`,
  operationId: 'readProblem',
  tags,
  summary: 'Explain an error code',
  request: { params: z.object({ code: z.string().openapi({ example: 'job_open' }) }) },
  responses: inBoth(problemPage, 'The page of the code; HTML for browsers'),
})

export function problemPageRoutes(origin: string): Router {
  const router = createRouter()

  router.openapi(listPages, (c) => {
    const pages = errorCodes.map((code) => toPage(code, origin)).sort((a, b) => a.status - b.status)
    return wantsHtml(c) ? answerHtml(c, 'Problems', renderList(pages)) : c.json({ items: pages }, 200)
  })

  router.openapi(readPage, (c) => {
    const { code } = c.req.valid('param')
    if (!isErrorCode(code)) throw new TiebarError('not_found', `No problem has this code. ${path} lists all codes.`)
    const page = toPage(code, origin)
    return wantsHtml(c) ? answerHtml(c, page.title, renderPage(page)) : c.json(page, 200)
  })

  return router
}

type Page = z.infer<typeof problemPage>

function toPage(code: ErrorCode, origin: string) {
  const { isRetryable, ...kind } = errorKinds[code]
  return { code, type: `${origin}${path}/${code}`, ...kind, retry_helps: isRetryable }
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorKinds, code)
}

/** A client that accepts any type gets JSON. Browsers prefer HTML. */
function wantsHtml(c: AppContext): boolean {
  c.header('Vary', 'Accept', { append: true })
  c.header('Cache-Control', 'public, max-age=300')
  return chooseMediaType(c.req.header('Accept'), ['application/json', 'text/html']) === 'text/html'
}

const style = `
  body { max-width: 42rem; margin: 3rem auto; padding: 0 1rem; font: 1rem/1.6 system-ui, sans-serif; color-scheme: light dark }
  h1 { font-size: 1.5rem; line-height: 1.25 } dt { font-weight: 600; margin-top: 1rem } dd { margin: 0 }
  table { border-collapse: collapse } td { padding: .25rem .75rem .25rem 0; vertical-align: top }
`
const policy = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`

function answerHtml(c: AppContext, title: string, content: ReturnType<typeof html>) {
  c.header('Content-Security-Policy', policy)
  c.header('Referrer-Policy', 'no-referrer')
  const page = html`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title} · Tiebar</title>
<style>${raw(style)}</style>
${content}
</html>`
  return c.html(page, 200)
}

function renderPage({ code, status, title, meaning, why, remedy, retry_helps }: Page) {
  const retry = retry_helps
    ? 'Yes: the same request may succeed later.'
    : 'No: the same request gets the same answer until something changes.'
  return html`<h1>${title}</h1>
<p><code>${code}</code> · HTTP status ${status}</p>
<dl>
  <dt>What it means</dt><dd>${renderText(meaning)}</dd>
  <dt>Why it happens</dt><dd>${renderText(why)}</dd>
  <dt>What to do</dt><dd>${renderText(remedy)}</dd>
  <dt>Does a retry help?</dt><dd>${retry}</dd>
</dl>
<p><a href="${path}">All problems</a> · <a href="/api/docs">Documentation</a></p>`
}

function renderList(pages: Page[]) {
  return html`<h1>Problems</h1>
<p>Every error of this API is an <code>application/problem+json</code> (RFC 9457) with one of these codes.</p>
<table>
${pages.map(({ code, status, title }) => html`<tr><td>${status}<td><a href="${path}/${code}">${code}</a><td>${title}\n`)}
</table>
<p><a href="/api/docs">Documentation</a></p>`
}

/** In the texts, backticks enclose code. */
function renderText(text: string) {
  return text.split('`').map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : part))
}
