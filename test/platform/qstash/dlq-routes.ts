// The dead letter queue: /v2/dlq. https://upstash.com/docs/qstash/api-reference/dlq/list-dlq-messages
import { callerIP, findById, type Handler, type Parts, type Routes } from './call.ts'
import { type DeadLetter, showDeadLetter } from './message.ts'
import { overrideParcel, type PublishHeaders } from './publish.ts'
import { deadLetterFilters, matches, page, readIds, readQuery } from './query.ts'

const maxPage = 100
const parameters = [...deadLetterFilters, 'dlqIds', 'count', 'cursor']

export function deadLetterRoutes({ store, courier, now }: Parts): Routes {
  const { deadLetters } = store

  /** Newest first. With ids, "other filters are ignored", and there are no pages. */
  function choose(search: string, body: Buffer): { items: DeadLetter[]; cursor?: string } {
    const query = readQuery(search, parameters)
    const ids = readIds(query, body, 'dlqIds')
    const newestFirst = [...deadLetters.values()].reverse()
    if (ids) return { items: newestFirst.filter(({ dlqId }) => ids.includes(dlqId)) }
    const chosen = newestFirst.filter(({ message, result, failedAt }) => {
      return matches(query, { ...message, at: failedAt, responseStatus: result.status })
    })
    return page(chosen, query, maxPage, ({ dlqId }) => dlqId)
  }

  function retry(letter: DeadLetter, headers: PublishHeaders) {
    const at = now()
    const { parcel, notBefore } = overrideParcel(letter.message, headers, at)
    const { messageId } = courier.send(parcel, { at, notBefore, callerIP })
    deadLetters.delete(letter.dlqId)
    store.onChange()
    return { messageId }
  }

  const retryMany: Handler = ({ search, headers, body }) => {
    // "Some messages were not found in the DLQ" is a 404: none is retried then.
    const ids = readIds(readQuery(search, parameters), body, 'dlqIds')
    for (const id of ids ?? []) findById(deadLetters, 'dlq entry', id, '')
    const { items, cursor } = choose(search, body)
    return { status: 201, body: { cursor: cursor ?? '', responses: items.map((letter) => retry(letter, headers)) } }
  }

  return {
    '/v2/dlq': {
      GET({ search, body }) {
        const { items, cursor } = choose(search, body)
        return { body: { messages: items.map(showDeadLetter), cursor } }
      },
      DELETE({ search, body }) {
        const { items, cursor } = choose(search, body)
        for (const { dlqId } of items) deadLetters.delete(dlqId)
        store.onChange()
        return { body: { deleted: items.length, cursor } }
      },
    },
    '/v2/dlq/retry': { POST: retryMany },
    '/v2/dlq/retry/{id}': {
      POST({ id, search, headers }) {
        return { status: 201, body: retry(findById(deadLetters, 'dlq entry', id, search), headers) }
      },
    },
    '/v2/dlq/{id}': {
      GET: ({ id, search }) => ({ body: showDeadLetter(findById(deadLetters, 'dlq entry', id, search)) }),
      DELETE({ id, search }) {
        deadLetters.delete(findById(deadLetters, 'dlq entry', id, search).dlqId)
        store.onChange()
        return { body: {} }
      },
    },
  }
}
