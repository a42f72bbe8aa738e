// `npm run client:types`: writes the types of the typed client from the OpenAPI document: each operation, its input and
// its answer. A test fails when the file is outdated.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { compile, type JSONSchema } from 'json-schema-to-typescript'
import { describeApi } from './openapi.ts'

export const typesFile = join(import.meta.dirname, '../client/api.ts')

type Content = { content?: { 'application/json'?: { schema: JSONSchema } } }
type Parameter = { name: string; in: string; required?: boolean; description?: string; schema: JSONSchema }
type Operation = {
  operationId: string
  summary: string
  tags: string[]
  parameters?: (Parameter | { $ref: string })[]
  requestBody?: Content & { required?: boolean }
  responses: Record<string, Content>
}
type Document = {
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, JSONSchema>; parameters: Record<string, Parameter> }
}

const banner = `// Written by \`npm run client:types\` from the OpenAPI document, and not by hand.
/* biome-ignore-all lint: as the generator writes it */
/* biome-ignore-all format: as the generator writes it */`

export async function writeTypes(): Promise<string> {
  const document = describeApi('https://tiebar.invalid') as Document // this shape is tested with the document
  const { schemas, parameters } = document.components
  const operations = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item)
      .filter(([, operation]) => isForClients(operation))
      .map(([verb, operation]) => ({ route: `${verb.toUpperCase()} ${path}`, operation })),
  )
  const shapes = operations.map(({ operation }) => [operation.operationId, describe(operation, parameters)] as const)
  const root: JSONSchema = {
    ...objectOf(Object.fromEntries(shapes)),
    title: 'Operations',
    description: 'What each operation takes and answers.',
    components: {
      schemas: Object.fromEntries(
        Object.entries(schemas).map(([name, each]) => [name, titled(withoutReadOnly(each), name)]),
      ),
    },
    // No 2xx answer in JSON refers to them.
    definitions: Object.fromEntries(
      ['Problem', 'MachineChanged', 'JobChanged'].map((name) => [name, { $ref: `#/components/schemas/${name}` }]),
    ),
  }
  const types = await compile(root, 'Operations', {
    additionalProperties: false,
    // Otherwise every object with a member `items` gets a member `minItems`.
    ignoreMinAndMaxItems: true,
    bannerComment: banner,
    style: { semi: false, singleQuote: true },
    unreachableDefinitions: true,
  })
  const routes = operations.map(({ route, operation }) => `  ${operation.operationId}: '${route}',`)
  return `${types}\n/** Method and path of each operation. */\nexport const routes = {\n${routes.join('\n')}\n} as const\n`
}

/** Not the HTML pages and not the callbacks. */
function isForClients({ tags, responses }: Operation): boolean {
  const answers = Object.entries(responses).filter(([status]) => status.startsWith('2'))
  const isJson = answers.every(([status, { content }]) => status === '204' || content?.['application/json']?.schema)
  return isJson && !tags.includes('Callbacks')
}

function describe(operation: Operation, shared: Document['components']['parameters']): JSONSchema {
  const all = (operation.parameters ?? []).map(
    (each) => ('$ref' in each ? (shared[each.$ref.split('/').at(-1) ?? ''] as Parameter) : each), // the document has every parameter that it refers to
  )
  const place = (where: string) => {
    const here = all.filter((parameter) => parameter.in === where)
    const members = Object.fromEntries(
      here.map(({ name, description, schema }) => [
        name,
        schema.$ref === undefined ? { description, ...schema } : schema,
      ]),
    )
    return here.length === 0
      ? {}
      : {
          [where]: objectOf(
            members,
            here.filter(({ required }) => required).map(({ name }) => name),
          ),
        }
  }
  const body = operation.requestBody?.content?.['application/json']?.schema
  const [, answer] = Object.entries(operation.responses).find(([status]) => status.startsWith('2')) ?? []
  return {
    ...objectOf({
      ...place('path'),
      ...place('query'),
      ...(body && { body }),
      answer: answer?.content?.['application/json']?.schema ?? { tsType: 'undefined' },
    }),
    description: operation.summary,
  }
}

function objectOf(properties: Record<string, JSONSchema>, required = Object.keys(properties)): JSONSchema {
  return { type: 'object', properties, required, additionalProperties: false }
}

/** Read-only members are ignored in a body, so nobody needs to write them. */
function withoutReadOnly(schema: JSONSchema): JSONSchema {
  if (!schema.properties) return schema
  const properties = Object.entries(schema.properties).filter(([, { readOnly = false }]) => !readOnly)
  return { ...schema, properties: Object.fromEntries(properties) }
}

/** Its name in the document becomes the name of the type. */
function titled(schema: JSONSchema, title: string): JSONSchema {
  return { title, ...schema }
}

if (import.meta.main) await writeFile(typesFile, await writeTypes())
