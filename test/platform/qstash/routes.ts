// From a request to the endpoint of the QStash API that it means, past the token.
// https://upstash.com/docs/qstash/api-reference
import type { IncomingHttpHeaders } from 'node:http'
import type { StandInAnswer, StandInRequest } from '../http.ts'
import type { Call, Parts, Routes } from './call.ts'
import { deadLetterRoutes } from './dlq-routes.ts'
import { messageRoutes } from './message-routes.ts'
import type { PublishHeaders } from './publish.ts'
import { publishRoutes } from './publish-routes.ts'
import { Refusal, refuse, refuseUnspoken } from './refusal.ts'

const publishPath = '/v2/publish/{id}'

const unspoken: Record<string, string> = {
  enqueue: 'queues',
  queues: 'queues',
  schedules: 'schedules',
  topics: 'URL groups',
  flowControl: 'flow control',
  globalParallelism: 'flow control',
  workflows: 'workflows',
  bulkActions: 'bulk actions',
}

/** Answers requests that bear `token`. */
export function createApi(token: string, parts: Parts): (request: StandInRequest) => StandInAnswer {
  const routes = { ...publishRoutes(parts), ...messageRoutes(parts), ...deadLetterRoutes(parts) }
  return (request) => {
    try {
      return route(routes, token, request)
    } catch (error) {
      if (error instanceof Refusal) return error.answer
      throw error
    }
  }
}

function route(routes: Routes, token: string, request: StandInRequest): StandInAnswer {
  const { method, target, headers } = request
  const queryAt = target.indexOf('?')
  const path = queryAt === -1 ? target : target.slice(0, queryAt)
  const search = queryAt === -1 ? '' : target.slice(queryAt + 1)
  checkToken(token, headers, search)
  for (const [pattern, methods] of Object.entries(routes)) {
    const id = readId(pattern, path)
    if (id === undefined) continue
    const handler = Object.hasOwn(methods, method) ? methods[method] : undefined
    if (handler) return handler(readCall(request, search, pattern === publishPath ? readDestination(target) : id))
    const allow = Object.keys(methods).join(', ')
    return { status: 405, headers: { allow }, body: { error: `${method} is not allowed on ${path}` } }
  }
  const area = path.startsWith('/llm/') ? 'the LLM API' : unspoken[path.split('/')[2] ?? '']
  throw area === undefined ? refuse(404, `${method} ${path} not found`) : refuseUnspoken(area)
}

function checkToken(token: string, headers: IncomingHttpHeaders, search: string): void {
  const bearer = /^bearer +(.+)$/i.exec(headers.authorization ?? '')?.[1]
  if ((bearer ?? new URLSearchParams(search).get('qstash_token')) === token) return
  throw refuse(401, 'unable to authenticate: invalid token')
}

/** What stands in the place of the pattern's `{id}`, or undefined where `path` does not fit. */
function readId(pattern: string, path: string): string | undefined {
  const [prefix = '', hasId] = pattern.split('{id}')
  if (hasId === undefined) return path === prefix ? '' : undefined
  const id = path.startsWith(prefix) ? path.slice(prefix.length) : ''
  return id === '' || (id.includes('/') && pattern !== publishPath) ? undefined : id
}

/** The raw target behind the prefix, its own query included, but not a token in it. */
function readDestination(target: string): string {
  const destination = target.slice(publishPath.indexOf('{'))
  const [path = '', ...rest] = destination.split('?')
  const pairs = rest.join('?').split('&')
  const kept = pairs.filter((pair) => !pair.startsWith('qstash_token='))
  if (kept.length === pairs.length) return destination
  return kept.length === 0 ? path : `${path}?${kept.join('&')}`
}

function readCall(request: StandInRequest, search: string, id: string): Call {
  const headers: PublishHeaders = {}
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value
  }
  return { id, search, headers, body: request.body }
}
