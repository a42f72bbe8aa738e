// Routers: their routes validate input by schemas and declare their answers for the OpenAPI document.
import { OpenAPIHono, type RouteConfig, z } from '@hono/zod-openapi'
import { getPathNoStrict } from 'hono/utils/url'
import type { ZodError } from 'zod'
import { type ErrorCode, errorCodes, errorKinds } from '../../kernel/error-codes.ts'
import type { Scope } from '../../kernel/scope.ts'
import type { AppContext, AppEnv } from '../context.ts'
import { accept, findOffers } from '../middleware/accept.ts'
import { explainFaults } from './faults.ts'
import { enumOf } from './fields.ts'
import { LiteralFirstRouter } from './literal-first-router.ts'
import './messages.ts'
import { isLenient, makeQueryStrict } from './strict-input.ts'

export type Router = OpenAPIHono<AppEnv>

/**
 * A router that refuses unknown input, and an Accept header that excludes every answer. Validation failures become problems
 * that list each fault. A trailing slash is optional on every path, as it was in the old system.
 */
export function createRouter(): Router {
  const router = new OpenAPIHono<AppEnv>({ getPath: getPathNoStrict, router: new LiteralFirstRouter() })
  const { openapi } = router
  const register = (config: RouteConfig, handler: never) => {
    if (isLenient(config)) return openapi(config, handler, throwFaults([]))
    const { route, parameters } = makeQueryStrict(config)
    const middleware = [accept(findOffers(route.responses)), ...[route.middleware ?? []].flat()]
    return openapi({ ...route, middleware }, handler, throwFaults(parameters))
  }
  router.openapi = register as typeof openapi // the same signature; only the query schema becomes strict
  return router
}

type Checked = { target: string } & ({ success: true } | { success: false; error: ZodError })

/** @param parameters the names of the query parameters that the route accepts */
function throwFaults(parameters: string[]) {
  return (result: Checked, c: AppContext): undefined => {
    if (result.success) return undefined
    throw explainFaults({ target: result.target, issues: result.error.issues, parameters, sent: c.req.queries() })
  }
}

const meanings = Object.entries(errorKinds).map(([code, { meaning }]) => [code, meaning])
export const errorCode = enumOf(errorCodes, Object.fromEntries(meanings) as Record<ErrorCode, string>) // has every code

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
  .openapi('Problem', {
    example: {
      type: 'https://api.example.com/api/problems/not_found',
      title: 'Not found',
      status: 404,
      detail: 'There is no machine with this id.',
      code: 'not_found',
      request_id: 'e7c1a5f2-9a0b-4f3e-8d6c-2b1a0c9d8e7f',
    },
  })

/** A JSON answer of a route. */
export function json<Schema extends z.ZodType>(schema: Schema, description: string) {
  return { description, content: { 'application/json': { schema } } }
}

/** A JSON answer that also has a registered media type: see `chooseJsonType`. */
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

/** The member of a response that lists the codes of its problems. */
export const codesMember = 'x-problem-codes'

/**
 * The problems that the code of a route can throw, by status. `buildDocument` adds those that follow from the route's
 * token, body and id. Problems are thrown, not returned. The return type is empty, so that the handler's type does not
 * contain them.
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

/** For a route that is not open to keys. */
export const bearerSecurity = [{ bearer: [] }]

/** For a route that is open only to keys with this scope. */
export function keySecurity(scope: Scope): Record<string, string[]>[] {
  return [{ key: [scope] }]
}

/** For a route that is also open to keys with one of these scopes; the same as those of `authenticate`. */
export function bearerOrKey(...scopes: [Scope, ...Scope[]]): Record<string, string[]>[] {
  return [...bearerSecurity, ...scopes.map((scope) => ({ key: [scope] }))]
}
