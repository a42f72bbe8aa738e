// The endpoints of the QStash API. https://upstash.com/docs/qstash/api-reference
import type { StandInAnswer, StandInRequest } from '../http.ts'
import { showDeadLetter, showMessage } from './message.ts'
import type { PublishHeaders } from './publish.ts'
import { createPublisher, type Parts } from './publisher.ts'
import { Refusal, refuse, refuseUnimplemented } from './refusal.ts'

/** `path` is the raw target up to its query, `query` the rest without its `?`. */
type Call = { method: string; path: string; query: string; headers: PublishHeaders; body: Buffer }

const publishPath = '/v2/publish/'

/** Handles requests with `token`. */
export function createApi(token: string, parts: Parts): (request: StandInRequest) => StandInAnswer {
  const { store } = parts
  const publisher = createPublisher(parts)

  function answerGet(path: string): StandInAnswer | undefined {
    if (path === '/v2/keys') return { body: store.keys }
    if (path === '/v2/dlq') return { body: { messages: [...store.deadLetters.values()].reverse().map(showDeadLetter) } }
    const [, area, id = ''] = /^\/v2\/(messages|dlq)\/([^/]+)$/.exec(path) ?? []
    if (area === 'messages') return { body: showMessage(findById(store.messages, 'message', id)) }
    if (area === 'dlq') return { body: showDeadLetter(findById(store.deadLetters, 'dlq entry', id)) }
    return undefined
  }

  function route({ method, path, query, headers, body }: Call): StandInAnswer {
    if (headers.authorization !== `Bearer ${token}`) throw refuse(401, 'unable to authenticate: invalid token')
    if (method === 'POST' && path.startsWith(publishPath)) {
      // The destination has its own query.
      const destination = path.slice(publishPath.length) + (query && `?${query}`)
      const published = publisher.publish(destination, headers, body)
      return { status: 'deduplicated' in published ? 202 : 200, body: published }
    }
    if (query !== '') throw refuseUnimplemented(`the query ${query}`)
    if (method === 'POST' && path === '/v2/batch') return { body: publisher.publishBatch(body) }
    const answer = method === 'GET' ? answerGet(path) : undefined
    if (answer) return answer
    throw refuseUnimplemented(`${method} ${path}`)
  }

  return (request) => {
    try {
      return route(readCall(request))
    } catch (error) {
      if (error instanceof Refusal) return error.answer
      throw error
    }
  }
}

/** @throws Refusal 404 where there is no such id */
function findById<Value>(values: Map<string, Value>, what: string, id: string): Value {
  const value = values.get(id)
  if (value === undefined) throw refuse(404, `${what} ${id} not found`)
  return value
}

function readCall({ method, target, headers: given, body }: StandInRequest): Call {
  const headers: PublishHeaders = {}
  for (const [name, value] of Object.entries(given)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value
  }
  const [path = '', ...rest] = target.split('?')
  return { method, path, query: rest.join('?'), headers, body }
}
