// The operations of the OpenAPI document, as the fuzzer needs them.
import { document } from '../contract/openapi-assertion.ts'
import type { Schema } from './schema.ts'

type Parameter = { name: string; in: string; schema: Schema }
export type FuzzOperation = {
  id: string
  method: string
  path: string
  scheme: 'bearer' | 'key' | 'queue' | 'outcome' | undefined
  parameters: Parameter[]
  body: Schema | undefined
}

type Described = { name: string; in: string; schema?: Schema } | { $ref: string }

export const operations: FuzzOperation[] = Object.entries(document.paths).flatMap(([path, item]) =>
  Object.entries(item).map(([verb, operation]): FuzzOperation => {
    const scheme = operation.security.flatMap((each) => Object.keys(each))[0] as FuzzOperation['scheme'] // the four that the document has
    const described: Described[] = operation.parameters ?? []
    return {
      id: operation.operationId ?? `${verb} ${path}`,
      method: verb.toUpperCase(),
      path,
      scheme,
      parameters: described.map((each) =>
        '$ref' in each
          ? { name: each.$ref.replace(/^.*\//, ''), in: 'header', schema: { type: 'string' } }
          : { ...each, schema: each.schema ?? {} },
      ),
      body: operation.requestBody?.content['application/json']?.schema as Schema | undefined, // JSON Schema
    }
  }),
)
