// Every endpoint of the OpenAPI document and a world to call it in: helpers for the tests of the common rules.
import { expect } from 'vitest'
import { createTokenIssuer } from '../../src/accounts/token.ts'
import { useQuickHash } from '../accounts/hashes.ts'
import { makeKey } from '../accounts/people.ts'
import type { Answer, Person, World } from '../harness.ts'
import { useWorld } from '../shared-world.ts'
import { document, type Operation } from './openapi-assertion.ts'

export type Endpoint = { method: string; path: string; operation: Operation }

export const endpoints: Endpoint[] = Object.entries(document.paths).flatMap(([path, item]) =>
  Object.entries(item).map(([verb, operation]) => ({ method: verb.toUpperCase(), path, operation })),
)

/** Rows for `test.each`: the name and the endpoint. */
export const named = (select: (operation: Operation) => boolean) =>
  endpoints.filter(({ operation }) => select(operation)).map((each) => [`${each.method} ${each.path}`, each] as const)

const securedBy =
  (scheme: string) =>
  ({ security }: Operation) =>
    security.some((each) => scheme in each)
const takes =
  (place: string) =>
  ({ parameters = [] }: Operation) =>
    parameters.some((each) => 'in' in each && each.in === place)

export const takesBearer = securedBy('bearer')
/** Only machines may report, with a key. */
export const takesKeyOnly = (operation: Operation) => securedBy('key')(operation) && !takesBearer(operation)
export const isQueue = securedBy('queue')
export const takesOutcome = securedBy('outcome')
export const takesBody = (operation: Operation) => operation.requestBody !== undefined && !isQueue(operation)
export const takesQuery = takes('query')
export const takesId = takes('path')

/** Ids that do not exist. */
const unknownId = (path: string) =>
  /jobs|sessions|keys/.test(path) ? '0198c0de-7c1a-7000-8000-00000000dead' : '999999999'
/** Fills in the ids of a path, in order. */
export function fill(path: string, ...ids: (string | number)[]): string {
  const rest = [...ids]
  return path.replaceAll(/\{.+?\}/g, () => String(rest.shift() ?? unknownId(path)))
}
export const exampleOf = ({ requestBody }: Operation) => requestBody?.content['application/json']?.example

export type CallOptions = { body?: unknown; headers?: Record<string, string> }

export type EndpointWorld = {
  world: World
  staff: Person
  /** Sends the request with a token if required, an unknown id, and the example body if it has one. */
  call(endpoint: Endpoint, options?: CallOptions, query?: string): Promise<Answer>
}

/** An account with the name of the example of a log-in, and another password, which is cheap to check. */
async function nameForLogIn(world: World): Promise<void> {
  const { username } = exampleOf(document.paths['/api/log-in']?.post as Operation) as { username: string } // as documented
  const person = await world.signUp()
  await useQuickHash(world, person)
  const rename = `UPDATE accounts SET username = $1, username_key = $1
    WHERE id = $2 AND NOT EXISTS (SELECT FROM accounts WHERE username_key = $1)`
  await world.postgres.query(rename, [username, person.id])
}

export async function useEndpointWorld(): Promise<EndpointWorld> {
  const world = await useWorld({
    // The examples are sent many times, so the limits of failed log-ins must not apply.
    FAILED_LOG_INS_PER_NAME_AND_ADDRESS: '100000',
    FAILED_LOG_INS_PER_NAME: '100000',
  })
  const staff = await world.signUpStaff()
  await useQuickHash(world, staff)
  await nameForLogIn(world)
  const place = { scopes: ['report'], machine_id: (await world.createMachine(staff)).id }
  const { secret } = await makeKey(world, staff, place)
  // The token of a controller, for an unknown job.
  const issuer = createTokenIssuer([world.signingKey], world.url)
  const outcomeToken = await issuer.sign({ sub: unknownId('/jobs') }, 'outcome', 600)
  return {
    world,
    staff,
    async call({ method, path, operation }, options = {}, query = '') {
      const body = 'body' in options ? options.body : takesBody(operation) ? exampleOf(operation) : undefined
      // A separate session for endpoints that end the session.
      const person = operation.operationId === 'logOut' ? await world.signUp() : staff
      return world.request(method, `${fill(path)}${query}`, {
        ...(takesBearer(operation) && { token: person.access }),
        ...(takesKeyOnly(operation) && { token: secret }),
        ...(takesOutcome(operation) && { token: outcomeToken }),
        ...(body !== undefined && { body }),
        ...(options.headers && { headers: options.headers }),
      })
    },
  }
}

/** Expects a problem with this code and its page on the same server; assertMatchesOpenApi checks the rest. */
export function expectProblem(answer: Answer, status: number, code: string): void {
  expect(answer.text).not.toBe('')
  expect(answer.body).toMatchObject({ status, code, type: expect.stringMatching(/^http:.*\/api\/problems\/\w+$/) })
  expect(answer.status).toBe(status)
  expect(answer.headers.get('Content-Type')).toBe('application/problem+json')
}
