// Undelivered messages, the log and the signing keys: /v2/messages, /v2/events, /v2/logs and /v2/keys.
// https://upstash.com/docs/qstash/api-reference/messages/bulk-cancel-messages
import type { StandInAnswer } from '../http.ts'
import { findById, type Parts, type Routes } from './call.ts'
import { showEvent, showMessage } from './message.ts'
import { cancelFilters, eventFilters, matches, page, readIds, readQuery } from './query.ts'
import { refuseUnspoken } from './refusal.ts'

// The SDK's limit; the documentation says 100.
const maxLogPage = 1_000

export function messageRoutes({ store, courier }: Parts): Routes {
  const { messages } = store

  function cancelMany(search: string, body: Buffer): StandInAnswer {
    // "count" is deprecated: "This parameter is ignored, and all messages matching the filters are cancelled."
    const query = readQuery(search, [...cancelFilters, 'messageIds', 'count', 'async'])
    if (query.get('async')?.includes('true')) throw refuseUnspoken('bulk actions (async=true)')
    const ids = readIds(query, body, 'messageIds')
    const chosen = [...messages.values()].filter((message) => {
      // "If provided, other filters are ignored."
      return ids ? ids.includes(message.messageId) : matches(query, { ...message, at: message.createdAt })
    })
    for (const message of chosen) courier.cancel(message)
    return { status: 202, body: { cancelled: chosen.length } }
  }

  function listEvents(search: string, member: 'events' | 'logs'): StandInAnswer {
    const query = readQuery(search, [...eventFilters, 'count', 'cursor'])
    const chosen = store.events.toReversed().filter(({ message, time, state }) => {
      return matches(query, { ...message, at: time, state })
    })
    const { items, cursor } = page(chosen, query, maxLogPage, ({ sequence }) => String(sequence))
    return { body: { [member]: items.map(showEvent), cursor } }
  }

  return {
    '/v2/messages': {
      DELETE: ({ search, body }) => cancelMany(search, body),
    },
    '/v2/messages/{id}': {
      GET: ({ id, search }) => ({ body: showMessage(findById(messages, 'message', id, search)) }),
      DELETE({ id, search }) {
        courier.cancel(findById(messages, 'message', id, search))
        return { status: 202, body: { cancelled: 1 } }
      },
    },
    // The SDKs call it events, the documentation logs.
    '/v2/events': { GET: ({ search }) => listEvents(search, 'events') },
    '/v2/logs': { GET: ({ search }) => listEvents(search, 'logs') },
    '/v2/keys': {
      GET({ search }) {
        readQuery(search, [])
        return { body: store.keys }
      },
    },
    '/v2/keys/rotate': {
      POST({ search }) {
        readQuery(search, [])
        store.rotateKeys()
        return { body: store.keys }
      },
    },
  }
}
