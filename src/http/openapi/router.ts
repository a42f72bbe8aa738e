// One slice of the API: routes that validate by their own schemas and say what they answer.
import { OpenAPIHono, type RouteConfig, z } from '@hono/zod-openapi'
import { getPathNoStrict } from 'hono/utils/url'
import type { ZodError } from 'zod'
import { type ErrorCode, errorCodes, errorKinds } from '../../kernel/error-codes.ts'
import type { AppContext, AppEnv } from '../context.ts'
import { explainFaults } from './faults.ts'
import { enumOf } from './fields.ts'
import './messages.ts'
import { closeQuery, isLenient } from './strict-input.ts'

export type Router = OpenAPIHono<AppEnv>

/** A router whose input is strict and whose validation failures are problems that point at each fault. */
export function createRouter(): Router {
  const router = new OpenAPIHono<AppEnv>({ getPath: readPath })
  const { openapi } = router
  const register = (config: RouteConfig, handler: never) => {
    if (isLenient(config)) return openapi(config, handler, throwFaults([]))
    const { route, parameters } = closeQuery(config)
    return openapi(route, handler, throwFaults(parameters))
  }
  router.openapi = register as typeof openapi // the same routes and handlers, and a query that is closed
  return router
}

type Checked = { target: string } & ({ success: true } | { success: false; error: ZodError })

/** @param parameters of the query that the route takes */
function throwFaults(parameters: string[]) {
  return (result: Checked, c: AppContext): undefined => {
    if (result.success) return undefined
    throw explainFaults({ target: result.target, issues: result.error.issues, parameters, sent: c.req.queries() })
  }
}

/**
 * A trailing slash is optional on every path, as it was in the old system. And Hono's trie holds `/:id` under that very
 * name: a path that says `:id` would be found twice, as a literal and as a parameter, and all its middleware run twice.
 * As `%3A`, which means the same (RFC 3986 §2.1), it is a parameter only.
 */
function readPath(request: Request): string {
  const path = getPathNoStrict(request)
  return path.includes('/:') ? path.replaceAll('/:', '/%3A') : path
}

const meanings = Object.entries(errorKinds).map(([code, { meaning }]) => [code, meaning])
export const errorCode = enumOf(errorCodes, Object.fromEntries(meanings) as Record<ErrorCode, string>) // of every code

export const problemSchema = z
  .object({
    type: z.string().openapi({ format: 'uri-reference' }),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: errorCode,
    request_id: z.string(),
    errors: z
      .array(
        z.union([
          z.object({ pointer: z.string(), detail: z.string() }),
          z.object({ parameter: z.string(), detail: z.string() }),
        ]),
      )
      .optional(),
    job_id: z.string().optional(),
  })
  .openapi('Problem')

/** A JSON answer of a route. */
export function json<Schema extends z.ZodType>(schema: Schema, description: string) {
  return { description, content: { 'application/json': { schema } } }
}

/** A JSON answer that has a registered type of its own, too: see `chooseJsonType`. */
export function jsonAlsoAs<Type extends string, Schema extends z.ZodType>(
  type: Type,
  schema: Schema,
  description: string,
) {
  const content = { 'application/json': { schema }, [type]: { schema } }
  return { description, content: content as Record<Type | 'application/json', { schema: Schema }> } // as written above
}

/** A JSON body of a request. */
export function body<Schema extends z.ZodType>(schema: Schema) {
  return { required: true, content: { 'application/json': { schema } } }
}

/** Under which member of a response the document keeps the codes of its problems. */
export const codesMember = 'x-problem-codes'

/**
 * The problem answers of a route, by status: those that its own decisions lead to. What follows from the shape of a
 * route (a token, a body, an id) is added by the document. Problems are thrown and never returned, so the handler's
 * type need not know them: hence the empty type.
 */
export function problems(...codes: ErrorCode[]): Record<never, never> {
  const byStatus: Record<number, { description: string; [codesMember]: ErrorCode[] }> = {}
  for (const code of codes) {
    const { status } = errorKinds[code]
    byStatus[status] ??= { description: 'A problem', [codesMember]: [] }
    byStatus[status][codesMember].push(code)
  }
  return byStatus
}

export const bearerSecurity = [{ bearer: [] }]
