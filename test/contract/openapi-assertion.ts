// Checks answers against the OpenAPI document. The harness passes every answer of every test to it, so that every
// answer is described in the document.
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import { errorKinds } from '../../src/kernel/error-codes.ts'
import { describeApi } from '../../src/tools/openapi.ts'

type Media = { schema?: object; example?: unknown; examples?: Record<string, { value: unknown }> }
export type Content = Record<string, Media>
export type DescribedResponse = { description: string; headers?: Record<string, unknown>; content?: Content }
export type Operation = {
  operationId?: string
  summary?: string
  tags?: string[]
  security: Record<string, string[]>[]
  parameters?: ({ name: string; in: string; required?: boolean } | { $ref: string })[]
  requestBody?: { required?: boolean; content: Content }
  responses: Record<string, DescribedResponse | { $ref: string }>
}
export type ApiDocument = {
  openapi: string
  info: { version: string }
  paths: Record<string, Record<string, Operation>>
  webhooks: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, object>; responses: Record<string, DescribedResponse> }
}
export type SeenAnswer = { status: number; headers: Headers; text: string }

export const document = describeApi('http://localhost') as ApiDocument // the type that `describeApi` returns
const ajv = new Ajv2020({ strict: false, allErrors: true })
formats.default(ajv)
ajv.addSchema({ ...(close(structuredClone(document)) as object), $id: 'api' })
const validators = new Map<string, ValidateFunction>()

/** Closes every object: answers must not have members that are not in the document. */
function close(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(close)
  if (typeof node !== 'object' || node === null) return node
  const closed: Record<string, unknown> = Object.fromEntries(
    Object.entries(node).map(([key, value]) => [key, close(value)]),
  )
  if (closed.type === 'object' && 'properties' in closed) closed.additionalProperties ??= false
  return closed
}

/** Validates a value against the schema at this path of the document. Returns the error, or undefined. */
export function findFaults(value: unknown, ...steps: string[]): string | undefined {
  const pointer = steps.map((step) => encodeURIComponent(step.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/')
  let validate = validators.get(pointer)
  if (!validate) {
    validate = ajv.compile({ $ref: `api#/${pointer}` })
    validators.set(pointer, validate)
  }
  return validate(value) ? undefined : ajv.errorsText(validate.errors, { dataVar: 'body' })
}

/** @throws Error when the document does not describe the answer */
export function assertMatchesOpenApi(method: string, pathname: string, answer: SeenAnswer): void {
  const fault = findFault(method, pathname, answer)
  if (fault === undefined) return
  const { status, text } = answer
  throw new Error(
    `${method} ${pathname} answered ${status}, which the document does not describe: ${fault}\n${text.slice(0, 500)}`,
  )
}

function findFault(method: string, pathname: string, answer: SeenAnswer): string | undefined {
  if (isAsset(pathname, answer)) return undefined
  for (const name of always) if (!answer.headers.get(name)) return `there is no ${name}`
  const problemFault = isProblem(answer) ? findProblemFault(answer) : undefined
  if (problemFault !== undefined) return problemFault
  if ((method === 'HEAD' || [204, 304].includes(answer.status)) && answer.text !== '') return 'there must be no body'
  const verb = method === 'HEAD' ? 'get' : method.toLowerCase()
  const path = findPath(pathname)
  const operation = path && document.paths[path]?.[verb]
  if (!operation) return isUndocumented(answer) ? undefined : `there is no ${method} of ${path ?? 'this path'}`
  const described = operation.responses[answer.status]
  if (!described) return `only ${Object.keys(operation.responses).join(', ')} are described`
  if (!('$ref' in described)) {
    return findAnswerFault(described, answer, method, ['paths', path, verb, 'responses', String(answer.status)])
  }
  const name = described.$ref.replace(/^.*\//, '')
  const shared = document.components.responses[name]
  return shared ? findAnswerFault(shared, answer, method, ['components', 'responses', name]) : `no response ${name}`
}

const always = ['X-Request-Id', 'Server-Timing']
const isProblem = ({ headers }: SeenAnswer) => headers.get('Content-Type') === 'application/problem+json'

/** The required header of a problem by status (RFC 9110 §11.6.1, §15.5.6). 429 and 503 need Retry-After. */
const requiredHeaders: Record<number, string> = {
  401: 'WWW-Authenticate',
  405: 'Allow',
  429: 'Retry-After',
  503: 'Retry-After',
}

function findProblemFault({ status, headers, text }: SeenAnswer): string | undefined {
  const name = requiredHeaders[status]
  if (name !== undefined && !headers.get(name)) return `there is no ${name}`
  if (headers.get('Cache-Control') !== 'no-store') return 'a problem may be stored'
  if (text === '') return undefined // to HEAD
  const { type, code, request_id, ...body } = JSON.parse(text)
  const kind = errorKinds[code as keyof typeof errorKinds] // an unknown code is reported below
  if (!kind || kind.status !== status || body.status !== status || body.title !== kind.title) {
    return `status and title are not those of ${code}`
  }
  if (!type.endsWith(`/api/problems/${code}`)) return `the type is not the page of ${code}`
  return request_id === headers.get('X-Request-Id') ? undefined : 'the request_id is not that of the header'
}

/** Headers that clients use: an answer may have them only if the document describes them. */
const telling = ['ETag', 'Location', 'Link', 'Retry-After', 'WWW-Authenticate', 'Idempotency-Replayed', 'RateLimit']

function findAnswerFault(
  described: DescribedResponse,
  answer: SeenAnswer,
  method: string,
  steps: string[],
): string | undefined {
  const stray = telling.find((name) => answer.headers.has(name) && !(name in (described.headers ?? {})))
  if (stray !== undefined) return `the header ${stray} is not described`
  const type = answer.headers.get('Content-Type')?.replace(/\s*;.*$/, '')
  if (!described.content) return answer.text === '' ? undefined : 'no body is described'
  if (type === undefined || !described.content[type]) return `the type ${type} is not described`
  if (method === 'HEAD' || !type.endsWith('json')) return undefined
  return findFaults(JSON.parse(answer.text), ...steps, 'content', type, 'schema')
}

/** The path of the document that matches a request; a path without parameters has priority. */
function findPath(pathname: string): string | undefined {
  const bare = pathname.replace(/(?<=.)\/$/, '')
  if (document.paths[bare]) return bare
  const templates = Object.keys(document.paths).filter((path) => path.includes('{'))
  return templates.find((path) => new RegExp(`^${path.replaceAll(/\{.+?\}/g, '[^/]+')}$`).test(bare))
}

/** The runtime serves the static assets without the Worker, so they are not part of the API. */
function isAsset(pathname: string, { status, headers }: SeenAnswer): boolean {
  if (headers.has('X-Request-Id')) return false
  return (
    /^\/($|index\.html$|console\/|api\/(swagger|docs)(\/|$))/.test(pathname) && [200, 304, 307, 405].includes(status)
  )
}

/** Answers outside the document: problems, redirects of old paths, OPTIONS. */
function isUndocumented(answer: SeenAnswer): boolean {
  const { status, text } = answer
  if (status === 308 || (status === 204 && text === '')) return true
  if (!isProblem(answer) || ![404, 405, 500, 503].includes(status)) return false
  return text === '' || findFaults(JSON.parse(text), 'components', 'schemas', 'Problem') === undefined
}
