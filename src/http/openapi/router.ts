// One slice of the API: routes that validate by their own schemas and say what they answer.
import { OpenAPIHono, z } from '@hono/zod-openapi'
import { getPathNoStrict } from 'hono/utils/url'
import { type InputFault, TiebarError } from '../../kernel/error.ts'
import { type ErrorCode, errorCodes, errorKinds } from '../../kernel/error-codes.ts'
import type { AppEnv } from '../context.ts'

export type Router = OpenAPIHono<AppEnv>

/** A router whose validation failures are problems that point at each fault. */
export function createRouter(): Router {
  return new OpenAPIHono<AppEnv>({
    getPath: readPath,
    defaultHook: (result) => {
      if (!result.success) throw explainFaults(result.target, result.error.issues)
    },
  })
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

type Issue = { path: PropertyKey[]; message: string; code?: string }

function explainFaults(target: string, issues: readonly Issue[]): TiebarError {
  // An id that cannot be an id names nothing.
  if (target === 'param') return new TiebarError('not_found', 'Nothing has this id.')
  const errors = issues.map((issue): InputFault => {
    const detail = issue.message
    if (target === 'json') return { pointer: toPointer(issue.path), detail }
    return { parameter: String(issue.path[0] ?? ''), detail }
  })
  const where = target === 'json' ? 'body' : target === 'header' ? 'headers' : 'query'
  return new TiebarError('validation_failed', `The ${where} does not fit: see errors.`, { errors })
}

/** RFC 6901: `~` and `/` in a member's name are escaped. */
function toPointer(path: readonly PropertyKey[]): string {
  return path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}

export const problemSchema = z
  .object({
    type: z.string().openapi({ format: 'uri-reference' }),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.enum(errorCodes),
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
