// Builds the OpenAPI 3.1 document from what the routes declare, and from what follows from their input and security.
import { TiebarError } from '../../kernel/error.ts'
import { type ErrorCode, errorKinds } from '../../kernel/error-codes.ts'
import { toProblem } from '../problems/problem.ts'
import { documentParts } from './document-parts.ts'
import { buildExample } from './examples.ts'
import { nameRepeatedEnums } from './named-enums.ts'
import { codesMember, type Router } from './router.ts'
import { isLenient } from './strict-input.ts'

type Document = ReturnType<Router['getOpenAPI31Document']>
type Operation = NonNullable<NonNullable<Document['paths']>[string]['get']>
type Responses = NonNullable<NonNullable<Document['components']>['responses']>
type Answer = Exclude<Responses[string], { $ref: string }>
type Parts = ReturnType<typeof documentParts>

const methods = ['get', 'post', 'put', 'patch', 'delete'] as const

/** @param publicUrl the URL of the API, which the examples of problems use, too */
export function buildDocument(app: Router, publicUrl: string): Document {
  const parts = documentParts(publicUrl)
  const document = nameRepeatedEnums(app.getOpenAPI31Document(parts.head))
  const answers: Record<string, Answer> = {}
  for (const item of Object.values(document.paths ?? {})) {
    for (const method of methods) {
      const operation = item[method]
      if (operation) completeOperation(operation, parts, publicUrl, answers)
    }
  }
  addExamples(document)
  const { headers, parameters, securitySchemes } = parts
  document.components = { ...document.components, headers, parameters, securitySchemes, responses: answers }
  // A webhook has a name instead of a path. The router adds a slash to the name.
  document.webhooks = Object.fromEntries(
    Object.entries(document.webhooks ?? {}).map(([name, item]) => [name.replace(/^\//, ''), item]),
  )
  return document
}

function completeOperation(
  operation: Operation,
  parts: Parts,
  publicUrl: string,
  shared: Record<string, Answer>,
): void {
  operation.security ??= []
  operation.responses ??= {}
  const answers: Responses = operation.responses
  const codes = new Set([...readCodes(answers), ...impliedCodes(operation)])
  const has = (code: ErrorCode) => codes.has(code)
  const hasParameter = (name: string) =>
    operation.parameters?.some((each) => 'name' in each && each.name === name) ?? false

  const added: string[] = []
  if (has('idempotency_key_reused')) added.push('Idempotency-Key')
  if (has('precondition_failed')) added.push('If-Match')
  if ('304' in answers) added.push('If-None-Match')
  const references = added.map((name) => ({ $ref: `#/components/parameters/${name}` }))
  if (references.length > 0) operation.parameters = [...(operation.parameters ?? []), ...references]

  for (const [status, answer] of Object.entries(answers)) {
    if ('$ref' in answer) continue
    const names = [...Object.keys(answer.headers ?? {}), 'X-Request-Id']
    if (status === '200' && hasParameter('cursor')) names.push('Link')
    if (status === '304') names.push('ETag')
    if (status.startsWith('2') && has('idempotency_key_reused')) names.push('Idempotency-Replayed')
    answer.headers = headersOf(parts, names)
  }
  for (const [status, group] of byStatus(codes)) {
    const existing = answers[status]
    // Refusals are also stored with the key: see `withIdempotencyKey`.
    const isReplayed = has('idempotency_key_reused') && ['403', '409'].includes(status)
    const problem = problemAnswer(group, parts, publicUrl, isReplayed ? ['Idempotency-Replayed'] : [])
    if (existing && 'content' in existing && existing.content) {
      existing.description = `${existing.description}; or: ${problem.description}`
      existing.headers = { ...existing.headers, ...problem.headers }
      existing.content = { ...existing.content, ...problem.content }
    } else {
      const name = `${group.join('.')}${isReplayed ? '-replayed' : ''}`
      shared[name] ??= problem
      answers[status] = { $ref: `#/components/responses/${name}` }
    }
  }
}

/** Adds an example, built from the schema, to each body and answer that has none. */
function addExamples({ paths = {}, webhooks = {}, components }: Document): void {
  const schemas = components?.schemas ?? {}
  for (const item of [...Object.values(paths), ...Object.values(webhooks)]) {
    for (const operation of methods.flatMap((method) => ('$ref' in item ? [] : (item[method] ?? [])))) {
      for (const { content = {} } of [operation.requestBody ?? {}, ...Object.values(operation.responses ?? {})]) {
        const media = content['application/json']
        if (media) media.example ??= buildExample(media.schema, schemas)
      }
    }
  }
}

function readCodes(answers: Responses): ErrorCode[] {
  return Object.values(answers).flatMap((answer) => {
    const codes: unknown = Reflect.get(answer, codesMember)
    return Array.isArray(codes) ? (codes as ErrorCode[]) : [] // only `problems` writes this member
  })
}

/** The codes that follow from a route's security, body and parameters. */
function impliedCodes(operation: Operation): ErrorCode[] {
  const { security, requestBody, parameters = [] } = operation
  const codes: ErrorCode[] = ['internal_error', 'misconfigured', 'database_unavailable']
  const schemes = (security ?? []).flatMap((each) => Object.keys(each))
  const isIn = (place: string) => parameters.some((each) => 'in' in each && each.in === place)
  const [isForSessions, isForKeys] = [schemes.includes('bearer'), schemes.includes('key')]
  if (isForSessions || isForKeys) {
    codes.push('token_missing', 'token_invalid', 'key_invalid', 'rate_limited')
    codes.push(isForSessions ? 'session_ended' : 'key_required', isForKeys ? 'scope_missing' : 'key_not_allowed')
  }
  if (requestBody) codes.push('body_too_large')
  // A callback of the queue answers an unreadable body with a status that QStash defines.
  if (requestBody && !schemes.includes('queue')) {
    codes.push('malformed_json', 'unsupported_media_type', 'validation_failed')
  }
  // A strict route refuses unknown parameters.
  if (!isLenient(operation)) codes.push('not_acceptable', 'validation_failed')
  if (isIn('path')) codes.push('not_found')
  return codes
}

/** Groups codes by status in the order of `errorKinds`, so that equal groups get the same name. */
function byStatus(codes: Set<ErrorCode>): Map<string, ErrorCode[]> {
  const groups = new Map<string, ErrorCode[]>()
  for (const [code, { status }] of Object.entries(errorKinds)) {
    if (!codes.has(code as ErrorCode)) continue // Object.entries returns string keys
    groups.set(String(status), [...(groups.get(String(status)) ?? []), code as ErrorCode]) // as above
  }
  return groups
}

const exampleRequestId = 'e7c1a5f2-9a0b-4f3e-8d6c-2b1a0c9d8e7f'
const exampleJobId = '0198c0de-7c1a-7000-8000-000000000001'

function problemAnswer(codes: ErrorCode[], parts: Parts, publicUrl: string, headers: string[]): Answer {
  const examples = codes.map((code) => {
    const extensions = {
      ...(code === 'validation_failed' && { errors: [{ pointer: '/name', detail: 'must have 1 to 64 characters' }] }),
      ...(code === 'job_open' && { jobId: exampleJobId }),
    }
    const error = new TiebarError(code, errorKinds[code].meaning, extensions)
    return [code, { summary: errorKinds[code].title, value: toProblem(error, exampleRequestId, publicUrl) }]
  })
  const statuses = new Set(codes.map((code) => errorKinds[code].status))
  const names = ['X-Request-Id', ...headers]
  if (statuses.has(401)) names.push('WWW-Authenticate')
  if (statuses.has(429) || statuses.has(503)) names.push('Retry-After')
  if (statuses.has(429)) names.push('RateLimit', 'RateLimit-Policy')
  return {
    description: codes.map((code) => `${errorKinds[code].title} (\`${code}\`)`).join('; '),
    headers: headersOf(parts, names),
    content: {
      'application/problem+json': {
        schema: { $ref: '#/components/schemas/Problem' },
        examples: Object.fromEntries(examples),
      },
    },
  }
}

/** @throws TypeError for a header that a route answers with and `documentParts` does not describe */
function headersOf(parts: Parts, names: string[]): Record<string, { $ref: string }> {
  return Object.fromEntries(
    names.map((name) => {
      if (!(name in parts.headers)) throw new TypeError(`no description of the header ${name}`)
      return [name, { $ref: `#/components/headers/${name}` }]
    }),
  )
}
