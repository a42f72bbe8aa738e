// Strict input: an unknown member of a body or an unknown query parameter is refused, so that a misspelled name is an
// error. Only QStash and controllers may send unknown members, because they have their own formats.
import { type RouteConfig, z } from '@hono/zod-openapi'
import type { core, ZodRawShape } from 'zod'

type Members = Record<string, z.ZodType>

/**
 * A body of a request.
 * @param name of the component in the OpenAPI document
 * @param shown the schema of a GET of the same resource. Its members that the body cannot change are ignored, so that
 *   a client can change what it read and send it back.
 */
export function bodyOf<Shape extends ZodRawShape>(name: string, shape: Shape, shown?: z.ZodObject<Members>) {
  const readOnly = Object.entries(shown?.shape ?? {}).filter(([member]) => !Object.hasOwn(shape, member))
  const ignored = z.unknown().optional().openapi({ readOnly: true, description: 'Shown by GET, and ignored here' })
  const described = readOnly.map(([member]) => [member, ignored])
  const whole = z.strictObject({ ...shape, ...Object.fromEntries(described) })
  // The read-only members are only for the document: `omitMembers` removes them before validation.
  const schema = whole as unknown as z.ZodObject<Shape, core.$strict>
  const names = new Set(readOnly.map(([member]) => member))
  return z.preprocess((value) => omitMembers(value, names), schema).openapi(name)
}

function omitMembers(value: unknown, names: Set<string>): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).filter(([member]) => !names.has(member)))
}

/** The security schemes of QStash and controllers, which may send members that we do not read. */
const lenientSchemes = ['queue', 'outcome']

export function isLenient({ security = [] }: { security?: Record<string, unknown>[] }): boolean {
  return security.some((each) => lenientSchemes.some((scheme) => scheme in each))
}

/**
 * The route with a query schema that refuses unknown parameters. Without a query schema, it refuses all parameters.
 * @throws TypeError if the query schema is not an object: only an object can be strict
 */
export function makeQueryStrict(route: RouteConfig): { route: RouteConfig; parameters: string[] } {
  const { query = z.object({}) } = route.request ?? {}
  if (!(query instanceof z.ZodObject)) throw new TypeError(`the query of ${route.path} must be an object`)
  const parameters = Object.keys(query.shape)
  return { route: { ...route, request: { ...route.request, query: query.strict() } }, parameters }
}
