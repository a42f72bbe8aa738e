// Publishes messages: one, or a batch. https://upstash.com/docs/qstash/api-reference/messages/batch-messages
import type { DeliveryLoop } from './delivery-loop.ts'
import { type PublishHeaders, readPublication } from './publish.ts'
import { Refusal, refuse, refuseUnimplemented } from './refusal.ts'
import type { Store } from './store.ts'

export type Parts = { store: Store; loop: DeliveryLoop; now: () => number }

export function createPublisher({ store, loop, now }: Parts) {
  /** @throws Refusal for a message that is invalid or not implemented */
  function publish(destination: string, headers: PublishHeaders, body: Buffer) {
    const at = now()
    const { message, notBefore, deduplicationId } = readPublication(destination, headers, body, at)
    const duplicate = deduplicationId === undefined ? undefined : store.findDuplicate(deduplicationId)
    if (duplicate !== undefined) return { messageId: duplicate, deduplicated: true }
    const { messageId } = loop.send(message, at, notBefore)
    if (deduplicationId !== undefined) store.rememberKey(deduplicationId, messageId)
    return { messageId }
  }

  function publishItem(item: unknown): unknown {
    try {
      const { destination, headers, body } = readItem(item)
      return publish(destination, headers, body)
    } catch (error) {
      // `{error}` takes the item's place, and the other items are published.
      if (error instanceof Refusal) return error.answer.body
      throw error
    }
  }

  return { publish, publishBatch: (body: Buffer) => readBatch(body).map(publishItem) }
}

function readBatch(body: Buffer): unknown[] {
  let items: unknown
  try {
    items = JSON.parse(body.toString('utf8'))
  } catch {
    throw refuse(400, 'the body is not JSON')
  }
  if (!Array.isArray(items)) throw refuse(400, 'the body must be an array of messages')
  return items
}

/** @throws Refusal unless the item is `{destination, headers?: {name: value}, body?: string}` */
function readItem(item: unknown) {
  const members: Record<string, unknown> = { ...Object(item) }
  const { destination, headers = {}, body = '', queue, ...others } = members
  if (typeof destination !== 'string') throw refuse(400, 'destination must be a string')
  if (typeof headers !== 'object' || headers === null) throw refuse(400, 'headers must be an object')
  if (typeof body !== 'string') throw refuse(400, 'body must be a string')
  if (queue !== undefined) throw refuseUnimplemented('queues')
  const [other] = Object.keys(others)
  if (other !== undefined) throw refuse(400, `unknown member: ${other}`)
  const lowered: [string, string][] = Object.entries(headers).map(([name, value]) => {
    if (typeof value !== 'string') throw refuse(400, `the header ${name} must be a string`)
    return [name.toLowerCase(), value]
  })
  return { destination, headers: Object.fromEntries(lowered), body: Buffer.from(body) }
}
