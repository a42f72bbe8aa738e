// Sends an operation of the OpenAPI document as a request. The document gives the types of input and answer.
import { type Operations, routes } from './api.ts'
import { readJson, toProblem } from './problem.ts'

export type OperationName = keyof Operations

export type Input<Name extends OperationName> = Omit<Operations[Name], 'answer'> & {
  /** Headers whose value is undefined are not sent. */
  headers?: Record<string, string | undefined>
  signal?: AbortSignal | undefined
}

export type Answer<Name extends OperationName> = { body: Operations[Name]['answer']; headers: Headers }

/** @throws TiebarProblem for every answer that is not 2xx, or not JSON */
export type Call = <Name extends OperationName>(name: Name, input: Input<Name>) => Promise<Answer<Name>>

type AnyInput = {
  path?: Record<string, unknown>
  query?: Record<string, unknown>
  body?: unknown
  headers?: Record<string, string | undefined>
  signal?: AbortSignal | undefined
}

export function openCall(baseUrl: string, fetch: (request: Request) => Promise<Response>): Call {
  return async (name, input) => {
    const response = await fetch(toRequest(baseUrl, routes[name], input))
    if (!response.ok) throw await toProblem(response)
    return { body: response.status === 204 ? undefined : await readJson(response), headers: response.headers }
  }
}

function toRequest(baseUrl: string, route: string, { path, query, body, headers, signal }: AnyInput): Request {
  const [method = '', template = ''] = route.split(' ')
  const url = new URL(baseUrl + template.replace(/\{(.+?)\}/g, (_, name) => encodeURIComponent(String(path?.[name]))))
  for (const [name, value] of definedEntries(query)) url.searchParams.set(name, String(value))
  return new Request(url, {
    method,
    headers: [
      ...definedEntries(headers),
      ...(body === undefined ? [] : ([['Content-Type', 'application/json']] satisfies [string, string][])),
    ],
    ...(body !== undefined && { body: JSON.stringify(body) }),
    ...(signal && { signal }),
  })
}

function definedEntries<Value>(record: Record<string, Value | undefined> = {}): [string, Value][] {
  return Object.entries(record).filter((entry): entry is [string, Value] => entry[1] !== undefined)
}

/** Calls an operation by its name. */
export type Ask = <Name extends OperationName>(name: Name, input: Input<Name>) => Promise<Answer<Name>['body']>
