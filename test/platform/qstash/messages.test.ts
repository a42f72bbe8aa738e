import type { GetLogsResponse } from '@upstash/qstash'
import { describe, expect, test } from 'vitest'
import { eventually, startWorld, statesOf } from './world.ts'

describe('cancelling', () => {
  test('takes a waiting message away for good', async () => {
    const { call, client, destination, qstash } = await startWorld()
    const { messageId } = await client.publish({ url: destination.url, delay: '1h' })
    const answer = await call('DELETE', `/v2/messages/${messageId}`)
    expect([answer.status, answer.body]).toEqual([202, { cancelled: 1 }])
    expect(await statesOf(client, messageId)).toEqual(['CREATED', 'CANCEL_REQUESTED', 'CANCELED'])
    expect(qstash.messages()).toEqual([])
    await expect(client.messages.delete(messageId)).rejects.toMatchObject({ status: 404 })
  })

  test('of a message in flight lets the attempt end and allows no other', async () => {
    const { client, destination } = await startWorld()
    let release = () => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    destination.answer = () => held.then(() => ({ status: 500 }))
    const { messageId } = await client.publish({
      url: destination.url,
      retryDelay: '1',
      failureCallback: destination.url,
    })
    await eventually('the attempt', () => destination.received.length === 1)
    expect((await client.messages.get(messageId)).messageId).toBe(messageId)
    await client.messages.cancel(messageId)
    release()
    await eventually('the end', async () => (await statesOf(client, messageId)).includes('CANCELED'))
    expect(await statesOf(client, messageId)).toEqual(['CREATED', 'ACTIVE', 'CANCEL_REQUESTED', 'ERROR', 'CANCELED'])
    expect((await client.dlq.listMessages()).messages).toEqual([])
    expect(destination.received).toHaveLength(1)
  })

  test('in bulk goes by ids, by filters or takes all', async () => {
    const { call, client, destination, qstash } = await startWorld()
    const publish = async (path: string, label: string) => {
      const { messageId } = await client.publish({ url: `${destination.url}${path}`, delay: '1h', label })
      return messageId
    }
    const [a, b, c, d, e, f] = [
      await publish('/a', 'red'),
      await publish('/b', 'red,blue'),
      await publish('/c', 'blue'),
      await publish('/d', 'green'),
      await publish('/e', 'grey'),
      await publish('/f', 'grey'),
    ]
    const left = () => qstash.messages().map(({ messageId }) => messageId)
    expect(await client.messages.cancel([a, 'msg_unknown'])).toEqual({ cancelled: 1 })
    const inBody = await call('DELETE', '/v2/messages', { body: JSON.stringify({ messageIds: [d] }) })
    expect(inBody.body).toEqual({ cancelled: 1 })
    expect(left()).toEqual([b, c, e, f])
    const none = await call('DELETE', '/v2/messages', { body: JSON.stringify({ messageIds: [] }) })
    expect(none.body).toEqual({ cancelled: 0 })
    for (const body of ['[]', '{"ids":[]}', '{"messageIds":"x"}', '{"messageIds":[],"label":["x"]}', '{']) {
      expect((await call('DELETE', '/v2/messages', { body })).status).toBe(400)
    }
    expect(left()).toEqual([b, c, e, f])
    const filter = { label: ['red', 'green'], path: ['/b', '/c'], host: new URL(destination.url).host }
    expect(await client.messages.cancel({ filter })).toEqual({ cancelled: 1 })
    expect(await client.messages.cancel({ filter: { queueName: 'none' } })).toEqual({ cancelled: 0 })
    expect(await client.messages.cancel({ filter: { url: `${destination.url}/c` } })).toEqual({ cancelled: 1 })
    expect(left()).toEqual([e, f])
    expect(await client.messages.cancel({ all: true })).toEqual({ cancelled: 2 })
    expect(left()).toEqual([])
  })
})

describe('the log', () => {
  test('is newest first, in pages, and the same under both of its names', async () => {
    const { call, client, destination } = await startWorld()
    const { messageId } = await client.publish({ url: destination.url, body: 'hello', label: 'one' })
    await eventually('the end', async () => (await statesOf(client, messageId)).includes('DELIVERED'))
    const first = await client.logs({ count: 2 })
    expect(first.logs.map(({ state }) => state)).toEqual(['DELIVERED', 'ACTIVE'])
    const second = await client.logs({ count: 2, cursor: String(first.cursor) })
    expect(second.logs.map(({ state }) => state)).toEqual(['CREATED'])
    expect(second).toHaveProperty('cursor', undefined)
    const logs = await call('GET', '/v2/logs')
    const events = await call('GET', '/v2/events')
    expect(logs.body.logs).toEqual(events.body.events)
    expect(logs.body).not.toHaveProperty('cursor')
    expect(first.logs[0]).toMatchObject({ messageId, url: destination.url, body: btoa('hello'), labels: ['one'] })
  })

  test('can be filtered by state, date and destination', async () => {
    let nowMs = 1_000_000
    const { client, destination } = await startWorld({ now: () => nowMs })
    const early = await client.publish({ url: `${destination.url}/early`, delay: '1h' })
    nowMs = 2_000_000
    const late = await client.publish({ url: `${destination.url}/late`, delay: '1h' })
    const ids = ({ logs }: GetLogsResponse) => logs.map(({ messageId }) => messageId)
    expect(ids(await client.logs({ filter: { fromDate: 1_000_001 } }))).toEqual([late.messageId])
    expect(ids(await client.logs({ filter: { toDate: 1_000_000 } }))).toEqual([early.messageId])
    expect(ids(await client.logs({ filter: { path: '/late' } }))).toEqual([late.messageId])
    expect(ids(await client.logs({ filter: { state: 'CREATED', url: [`${destination.url}/early`, 'x'] } }))).toEqual([
      early.messageId,
    ])
    expect(ids(await client.logs({ filter: { state: 'IN_PROGRESS' } }))).toEqual([])
    expect(ids(await client.logs({ filter: { callerIp: '127.0.0.1' } }))).toEqual([late.messageId, early.messageId])
  })
})
