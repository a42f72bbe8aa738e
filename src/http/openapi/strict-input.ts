// Input is strict: a member of a body or a query parameter that is not known is refused by its name, so that a
// misspelt one is never taken for success. Only queues and controllers, which speak formats of their own, may add some.
import { type RouteConfig, z } from '@hono/zod-openapi'
import type { core, ZodRawShape } from 'zod'

type Members = Record<string, z.ZodType>

/**
 * A body of a request.
 * @param name of the component in the OpenAPI document
 * @param shown what a GET of the same resource answers. Its members that the body cannot change are ignored, so that
 *   what was read can be changed and sent back.
 */
export function bodyOf<Shape extends ZodRawShape>(name: string, shape: Shape, shown?: z.ZodObject<Members>) {
  const readOnly = Object.entries(shown?.shape ?? {}).filter(([member]) => !Object.hasOwn(shape, member))
  const described = readOnly.map(([member, schema]) => [member, schema.optional().openapi({ readOnly: true })])
  const whole = z.strictObject({ ...shape, ...Object.fromEntries(described) })
  // The read-only members stand in the document alone: of a value they are gone before it is checked.
  const schema = whole as unknown as z.ZodObject<Shape, core.$strict>
  const names = new Set(readOnly.map(([member]) => member))
  return z.preprocess((value) => omitMembers(value, names), schema).openapi(name)
}

function omitMembers(value: unknown, names: Set<string>): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).filter(([member]) => !names.has(member)))
}

/** Callers that are programs of others: what they send beside what we read is theirs. */
const lenientSchemes = ['queue', 'outcome']

export function isLenient({ security = [] }: { security?: Record<string, unknown>[] }): boolean {
  return security.some((each) => lenientSchemes.some((scheme) => scheme in each))
}

/**
 * The route with a query that takes only its own parameters: none where the route has no query.
 * @throws TypeError for a query that is no object: nothing else can be closed
 */
export function closeQuery(route: RouteConfig): { route: RouteConfig; parameters: string[] } {
  const { query = z.object({}) } = route.request ?? {}
  if (!(query instanceof z.ZodObject)) throw new TypeError(`the query of ${route.path} must be an object`)
  const parameters = Object.keys(query.shape)
  return { route: { ...route, request: { ...route.request, query: query.strict() } }, parameters }
}
