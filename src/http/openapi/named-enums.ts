// Makes an enum that the document has more than once a component, so that a client has one type for it.

import type { Router } from './router.ts'

type Document = ReturnType<Router['getOpenAPI31Document']>
type Schemas = NonNullable<NonNullable<Document['components']>['schemas']>
type Enum = Exclude<Schemas[string], { $ref: string }> & { enum: unknown[]; 'x-enum-descriptions': string[] }

/**
 * Replaces each repeated enum by a reference. Its name is that of a component and of the member with the enum: `JobState`.
 * If several have it, names of fewer words come first, then components with shorter names. An enum that is a member of
 * no component is left as it is.
 * @throws TypeError if there is a component with that name
 */
export function nameRepeatedEnums(document: Document): Document {
  const counts = new Map<string, number>()
  mapEnums(document, (list) => {
    counts.set(keyOf(list), (counts.get(keyOf(list)) ?? 0) + 1)
    return list
  })
  const schemas = document.components?.schemas ?? {}
  const names = new Map<string, string>()
  const added: Schemas = {}
  for (const { schema, member, node } of listMembers(schemas)) {
    if (!isEnum(node) || names.has(keyOf(node)) || counts.get(keyOf(node)) === 1) continue
    const name = `${schema}${toPascalCase(member)}`
    if (name in schemas) throw new TypeError(`two components are named ${name}`)
    names.set(keyOf(node), name)
    added[name] = { ...node, type: 'string', enum: node.enum.filter((value) => value !== null) }
  }
  // The same document but for its enums.
  const named = mapEnums(document, (list) => referTo(names.get(keyOf(list)), list)) as Document
  return { ...named, components: { ...named.components, schemas: { ...named.components?.schemas, ...added } } }
}

type Member = { schema: string; member: string; node: object }

/** The members of all components, those first whose names are preferred for an enum. */
function listMembers(schemas: Schemas): Member[] {
  const members = Object.entries(schemas).flatMap(([schema, definition]) => {
    const properties: object = Reflect.get(definition, 'properties') ?? {}
    return Object.entries<object>({ ...properties }).map(([member, node]): Member => ({ schema, member, node }))
  })
  const words = ({ schema, member }: Member) => `${schema}${toPascalCase(member)}`.split(/(?=[A-Z])/).length
  return members.sort((one, other) => words(one) - words(other) || one.schema.length - other.schema.length)
}

function toPascalCase(name: string): string {
  return name.replace(/(?:^|_)(.)/g, (_, letter: string) => letter.toUpperCase())
}

function isEnum(node: object): node is Enum {
  return 'enum' in node && 'x-enum-descriptions' in node
}

function mapEnums(node: unknown, change: (list: Enum) => unknown): unknown {
  if (Array.isArray(node)) return node.map((each) => mapEnums(each, change))
  if (typeof node !== 'object' || node === null) return node
  if (isEnum(node)) return change(node)
  return Object.fromEntries(Object.entries(node).map(([name, each]) => [name, mapEnums(each, change)]))
}

/** The same for an enum that can also be null. */
function keyOf(list: Enum): string {
  return JSON.stringify([list.enum.filter((value) => value !== null), list['x-enum-descriptions']])
}

function referTo(name: string | undefined, list: Enum): object {
  if (name === undefined) return list
  const { enum: values, 'x-enum-descriptions': _, type: __, description: ___, example: ____, ...rest } = list
  const reference = { $ref: `#/components/schemas/${name}` }
  if (values.includes(null)) return { ...rest, anyOf: [reference, { type: 'null' }] }
  return Object.keys(rest).length === 0 ? reference : { ...rest, allOf: [reference] }
}
