// The OpenAPI document: complete, consistent and valid by the rules of Redocly.
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { isOpen, jobStates } from '../../src/jobs/job.ts'
import { errorCodes } from '../../src/kernel/error-codes.ts'
import { assertMatchesOpenApi, type Content, document, findFaults, type Operation } from './openapi-assertion.ts'

const groups = { paths: document.paths, webhooks: document.webhooks }
const operations = Object.entries(groups).flatMap(([group, items]) =>
  Object.entries(items).flatMap(([path, item]) =>
    Object.entries(item).map(([verb, operation]) => ({
      name: `${verb} ${path}`,
      steps: [group, path, verb],
      operation,
    })),
  ),
)
const named = operations.map(({ name, ...rest }) => [name, rest] as const)

test('the document has the version of the package', async () => {
  const manifest = JSON.parse(await readFile(join(import.meta.dirname, '../../package.json'), 'utf8'))
  expect(document.info.version).toBe(manifest.version)
})

test('every operation has a unique id', () => {
  const ids = operations.map(({ operation }) => operation.operationId)
  expect(new Set(ids).size).toBe(operations.length)
})

test.each(named)('%s has an id, a summary and a tag of the document', (_, { operation }) => {
  expect(operation.operationId).toMatch(/^[a-z][A-Za-z]+$/)
  expect(operation.summary).toBeTruthy()
  const tags = Reflect.get(document, 'tags') as { name: string; description: string }[] // as in `document-parts.ts`
  expect(tags.map(({ name }) => name)).toContain(operation.tags?.[0])
})

test.each(named)('every example of %s fits its schema', (_, { steps, operation }) => {
  const checked = operation.requestBody ? checkExamples(operation.requestBody.content, [...steps, 'requestBody']) : 0
  for (const [status, response] of Object.entries(operation.responses)) {
    if ('$ref' in response || !response.content) continue
    checkExamples(response.content, [...steps, 'responses', status])
  }
  expect(checked).toBe(operation.requestBody ? 1 : 0)
})

test.each(Object.keys(document.components.responses))(
  'every example of the problem answer %s fits its schema',
  (name) => {
    const content = document.components.responses[name]?.content ?? {}
    expect(checkExamples(content, ['components', 'responses', name])).toBe(
      name.replace('-replayed', '').split('.').length,
    )
  },
)

/** @returns how many there were */
function checkExamples(content: Content, steps: string[]): number {
  let count = 0
  for (const [type, { example, examples = {} }] of Object.entries(content)) {
    const values = Object.values(examples).map(({ value }) => value)
    if (example !== undefined) values.push(example)
    for (const value of values) {
      expect(findFaults(value, ...steps, 'content', type, 'schema')).toBeUndefined()
      count += 1
    }
  }
  return count
}

test('every problem code is an answer of an operation, except the codes that no operation can return', () => {
  const described = new Set(JSON.stringify(document).match(/(?<=problems\/)\w+/g))
  const beyond = ['method_not_allowed', 'malformed_request']
  expect(errorCodes.filter((code) => !described.has(code)).sort()).toEqual(beyond.sort())
})

test('no pattern has JavaScript flags, and no example is a placeholder text', () => {
  const patterns = JSON.stringify(document).match(/"pattern":"[^"]*"/g) ?? []
  expect(patterns.filter((pattern) => !/\$"$/.test(pattern))).toEqual([])
  const bodies = operations.flatMap(({ operation }) => [operation.requestBody, ...Object.values(operation.responses)])
  expect(JSON.stringify(bodies)).not.toContain(':"text"')
})

type ClosedList = { enum: unknown[]; 'x-enum-descriptions'?: string[]; description?: string }

/** Every enum of the document and every reference to one, by its path. */
function findClosedLists(node: unknown, place = ''): [place: string, list: ClosedList][] {
  if (typeof node !== 'object' || node === null) return []
  const named = '$ref' in node ? document.components.schemas[String(node.$ref).replace(/^.*\//, '')] : undefined
  const list = named && 'enum' in named ? named : node
  const found: [string, ClosedList][] = 'enum' in list && Array.isArray(list.enum) ? [[place, list as ClosedList]] : []
  // Examples are values, not schemas.
  const inner = Object.entries(node).filter(([name]) => !/^examples?$/.test(name))
  return [...found, ...inner.flatMap(([name, each]) => findClosedLists(each, `${place}/${name}`))]
}

// The name of a boolean explains its values.
const closedLists = findClosedLists(document).filter(([, list]) => typeof list.enum[0] !== 'boolean')

test('the document has at least 40 enums', () => {
  expect(closedLists.length).toBeGreaterThanOrEqual(40)
})

test.each(closedLists)('every value has a description, for people and for programs: %s', (_, list) => {
  const values = list.enum.filter((value) => value !== null)
  const sentences = list['x-enum-descriptions'] ?? []
  expect(sentences).toHaveLength(values.length)
  for (const sentence of sentences) expect(sentence).toMatch(/^[A-Z].*[^.]{3}\.$/)
  expect(new Set(sentences).size).toBe(values.length)
  if (typeof values[0] === 'number') return
  for (const [index, value] of values.entries()) expect(list.description).toContain(`\`${value}\`: ${sentences[index]}`)
})

test('the document describes each job state as open or final', () => {
  const states = closedLists.filter(([, list]) => list.enum.includes('QUEUED'))
  expect(states.length).toBeGreaterThanOrEqual(4)
  for (const [, list] of states) {
    const said = list['x-enum-descriptions']?.map((sentence) => sentence.startsWith('Open: '))
    expect(said).toEqual(jobStates.map(isOpen))
    expect(list['x-enum-descriptions']?.every((sentence) => /^(Open|Final): /.test(sentence))).toBe(true)
  }
})

const can = (operation: Operation) => Object.keys(operation.responses)
const schemesOf = ({ security }: Operation) => security.flatMap((each) => Object.keys(each))

test('every route describes the answers that its parameters and its body imply', () => {
  for (const { name, operation } of operations.filter(({ steps }) => steps[0] === 'paths')) {
    expect([name, ...can(operation)]).toEqual(expect.arrayContaining(['500', '503']))

    const schemes = schemesOf(operation)
    const isCallback = ['queue', 'outcome'].some((scheme) => schemes.includes(scheme))
    expect([name, can(operation).includes('406')]).toEqual([name, !isCallback])
    if (!schemes.includes('queue')) expect([name, ...can(operation)]).toContain('422')
    if (schemes.includes('bearer')) expect([name, ...can(operation)]).toEqual(expect.arrayContaining(['401', '429']))
    if (operation.requestBody && !schemes.includes('queue')) {
      expect([name, ...can(operation)]).toEqual(expect.arrayContaining(['400', '413', '415', '422']))
    }
  }
})

test('the document describes the command to a controller as a webhook', () => {
  const { post } = document.webhooks.command ?? {}
  const command = {
    command: 'START',
    sequence: 1,
    job_id: '0198c0de-7c1a-7000-8000-000000000001',
    machine_id: 1,
    attempt: 1,
    not_after: '2026-11-22T09:30:00.000000Z',
    outcome_url: 'http://127.0.0.1:8787/api/callbacks/jobs/0198c0de-7c1a-7000-8000-000000000001/outcome',
    outcome_token: 'a.b.c',
  }
  const schema = ['webhooks', 'command', 'post', 'requestBody', 'content', 'application/json', 'schema']
  expect(post?.security).toEqual([{ controller: [] }])
  expect(findFaults(command, ...schema)).toBeUndefined()
  expect(findFaults({ ...command, command: 'RUN' }, ...schema)).toContain('body/command')
  expect(findFaults({ ...command, sequence: undefined }, ...schema)).toContain("'sequence'")
})

test('the linter of Redocly reports no error and no warning', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'tiebar-openapi-'))
  try {
    const file = join(dir, 'openapi.json')
    await writeFile(file, JSON.stringify({ ...document, servers: [{ url: 'https://tiebar.invalid' }] }))
    const program = join(import.meta.dirname, '../../node_modules/@redocly/cli/bin/cli.js')
    const env = { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' }
    const args = [program, 'lint', '--extends=recommended', '--format=json', file]
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: dir, env }).catch((error) => error)
    expect(JSON.parse(stdout)).toMatchObject({ totals: { errors: 0, warnings: 0 }, problems: [] })
  } finally {
    await rm(dir, { recursive: true })
  }
})

test('assertMatchesOpenApi accepts only described answers', () => {
  const always = { 'X-Request-Id': 'x', 'Server-Timing': 'total;dur=0' }
  const headers = (type: string, more = {}) => new Headers({ ...always, 'Content-Type': type, ...more })
  const see = (status: number, text: string, type = 'application/json', more = {}) =>
    assertMatchesOpenApi('GET', '/api/health', { status, text, headers: headers(type, more) })
  expect(() => see(200, '{"status":"ok"}')).not.toThrow()
  expect(() => see(200, '{"status":"well"}')).toThrow('body/status')
  expect(() => see(200, '{"status":"ok","more":1}')).toThrow('additional')
  expect(() => see(201, '{"status":"ok"}')).toThrow('only 200, 406, 422, 500, 503 are described')
  expect(() => see(200, '{"status":"ok"}', 'text/html')).toThrow('the type text/html is not described')
  expect(() => see(200, '{"status":"ok"}', 'application/json', { ETag: '"1"' })).toThrow('ETag')
  const answer = { status: 200, text: '{}', headers: headers('application/json') }
  expect(() => assertMatchesOpenApi('GET', '/api/nothing', answer)).toThrow('there is no GET of this path')
  expect(() => assertMatchesOpenApi('POST', '/api/health', answer)).toThrow('there is no POST of /api/health')
  expect(() => assertMatchesOpenApi('HEAD', '/api/health', answer)).toThrow('there must be no body')
  expect(() => assertMatchesOpenApi('GET', '/api/health', { ...answer, headers: new Headers() })).toThrow(
    'X-Request-Id',
  )
  expect(() => see(200, '{"status":"ok"}', 'application/json', { 'Server-Timing': '' })).toThrow('no Server-Timing')
})

test('assertMatchesOpenApi checks the code, the status and the required headers of every problem', () => {
  const problem = {
    type: 'http://localhost/api/problems/database_unavailable',
    title: 'The database is unavailable',
    status: 503,
    detail: 'Try again.',
    code: 'database_unavailable',
    request_id: 'x',
  }
  const whole = {
    'X-Request-Id': 'x',
    'Server-Timing': 'total;dur=0',
    'Content-Type': 'application/problem+json',
    'Cache-Control': 'no-store',
    'Retry-After': '5',
  }
  const see = (changes: object, headers = {}, status = 503) => {
    const text = JSON.stringify({ ...problem, ...changes })
    return () =>
      assertMatchesOpenApi('GET', '/api/health', { status, text, headers: new Headers({ ...whole, ...headers }) })
  }
  expect(see({})).not.toThrow()
  expect(see({}, { 'Retry-After': '' })).toThrow('no Retry-After')
  expect(see({}, { 'Cache-Control': 'private' })).toThrow('may be stored')
  expect(see({ code: 'unheard_of' })).toThrow('not those of unheard_of')
  expect(see({ title: 'Else' })).toThrow('not those of database_unavailable')
  expect(see({ status: 500 })).toThrow('not those of database_unavailable')
  expect(see({}, {}, 500)).toThrow('not those of database_unavailable')
  expect(see({ type: 'about:blank' })).toThrow('the type is not the page')
  expect(see({ request_id: 'y' })).toThrow('the request_id is not that of the header')
  expect(see({ code: 'token_missing' }, {}, 401)).toThrow('no WWW-Authenticate')
  expect(see({ code: 'method_not_allowed' }, {}, 405)).toThrow('no Allow')
})

test('an enum that is in the document more than once is a component', () => {
  const lists = Object.entries(document.components.schemas).flatMap(
    ([name, { properties = {} }]: [string, { properties?: Record<string, { type?: unknown; enum?: unknown[] }> }]) =>
      Object.entries(properties).flatMap(([member, schema]) =>
        schema.enum && schema.type !== 'boolean' ? [[JSON.stringify(schema.enum), `${name}.${member}`]] : [],
      ),
  )
  expect(lists.filter(([list], index) => lists.findIndex(([other]) => other === list) !== index)).toEqual([])
  expect(document.components.schemas).toMatchObject({
    JobState: { enum: jobStates },
    ProblemCode: { enum: errorCodes },
  })
})
