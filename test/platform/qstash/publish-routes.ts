// POST /v2/publish/{destination} and POST /v2/batch.
// https://upstash.com/docs/qstash/api-reference/messages/batch-messages
import { callerIP, type Parts, type Routes } from './call.ts'
import { type PublishHeaders, readPublication } from './publish.ts'
import { readQuery } from './query.ts'
import { Refusal, refuse, refuseUnspoken } from './refusal.ts'

export function publishRoutes({ store, courier, now }: Parts): Routes {
  function publish(destination: string, headers: PublishHeaders, body: Buffer) {
    const at = now()
    const { parcel, notBefore, deduplicationKey } = readPublication(destination, headers, body, at)
    const twin = deduplicationKey === undefined ? undefined : store.findTwin(deduplicationKey)
    if (twin !== undefined) return { messageId: twin, deduplicated: true }
    const { messageId } = courier.send(parcel, { at, notBefore, callerIP })
    if (deduplicationKey !== undefined) store.rememberKey(deduplicationKey, messageId)
    return { messageId }
  }

  function publishItem(item: unknown): unknown {
    try {
      const { destination, headers, body } = readBatchItem(item)
      return publish(destination, headers, body)
    } catch (error) {
      // `{error}` stands in the item's place, and the other items go on.
      if (error instanceof Refusal) return error.answer.body
      throw error
    }
  }

  return {
    '/v2/publish/{id}': {
      POST({ id, headers, body }) {
        const published = publish(id, headers, body)
        return { status: published.deduplicated ? 202 : 200, body: published }
      },
    },
    '/v2/batch': {
      POST: ({ search, body }) => ({ body: readBatch(search, body).map(publishItem) }),
    },
  }
}

function readBatch(search: string, body: Buffer): unknown[] {
  readQuery(search, [])
  let items: unknown
  try {
    items = JSON.parse(body.toString('utf8'))
  } catch {
    throw refuse(400, 'the body is not JSON')
  }
  if (!Array.isArray(items)) throw refuse(400, 'the body must be an array of messages')
  return items
}

/** @throws Refusal for an item that is no `{destination, headers?: {name: value}, body?: string}`. */
function readBatchItem(item: unknown) {
  const members: Record<string, unknown> = { ...Object(item) }
  const { destination, headers = {}, body = '', queue, ...others } = members
  if (typeof destination !== 'string') throw refuse(400, 'destination must be a string')
  if (typeof headers !== 'object' || headers === null) throw refuse(400, 'headers must be an object')
  if (typeof body !== 'string') throw refuse(400, 'body must be a string')
  if (queue !== undefined) throw refuseUnspoken('queues')
  const [other] = Object.keys(others)
  if (other !== undefined) throw refuse(400, `unknown member: ${other}`)
  const lowered: [string, string][] = Object.entries(headers).map(([name, value]) => {
    if (typeof value !== 'string') throw refuse(400, `the header ${name} must be a string`)
    return [name.toLowerCase(), value]
  })
  return { destination, headers: Object.fromEntries(lowered), body: Buffer.from(body) }
}
