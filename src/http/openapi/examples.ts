// Builds examples for the OpenAPI document from the examples of single members, so that they follow every change.

type Schema = {
  $ref?: string
  example?: unknown
  default?: unknown
  const?: unknown
  enum?: unknown[]
  type?: string | string[]
  format?: string
  readOnly?: boolean
  minimum?: number
  items?: Schema
  properties?: Record<string, Schema>
  allOf?: Schema[]
  anyOf?: Schema[]
  oneOf?: Schema[]
}

/** Examples by format, for a string that has none of its own. */
const texts: Record<string, string> = {
  uuid: '0198c0de-7c1a-7000-8000-000000000001',
  'date-time': '2026-11-22T09:30:00.000000Z',
  uri: 'https://api.example.com',
}

/** Builds an example of a JSON Schema. @param components the schemas that `$ref` can name */
export function buildExample(schema: Schema, components: Record<string, Schema>): unknown {
  if (schema.$ref !== undefined) return buildExample(components[schema.$ref.replace(/^.*\//, '')] ?? {}, components)
  const [given] = [schema.example, schema.const, schema.default, schema.enum?.[0]].filter((each) => each !== undefined)
  if (given !== undefined) return given
  if (schema.allOf) return Object.assign({}, ...schema.allOf.map((each) => buildExample(each, components)))
  const [choice] = schema.anyOf ?? schema.oneOf ?? []
  if (choice) return buildExample(choice, components)
  if (schema.properties) {
    const members = Object.entries(schema.properties).filter(([, { readOnly = false }]) => !readOnly)
    return Object.fromEntries(members.map(([name, member]) => [name, buildExample(member, components)]))
  }
  const types = [schema.type].flat()
  if (types.includes('array')) return schema.items ? [buildExample(schema.items, components)] : []
  if (types.includes('integer') || types.includes('number')) return schema.minimum ?? 1
  if (types.includes('boolean')) return true
  if (types.includes('string')) return texts[schema.format ?? ''] ?? 'text'
  return {}
}
