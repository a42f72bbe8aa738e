import { describe, expect, test } from 'vitest'
import { deadLetterOf, eventually, startWorld } from './world.ts'

describe('the dead letter queue', () => {
  async function withDeadLetters(count: number) {
    const world = await startWorld()
    world.destination.answer = () => ({ status: 500, headers: { 'x-why': 'broken' }, body: 'no' })
    const ids: string[] = []
    for (let n = 0; n < count; n++) {
      const url = `${world.destination.url}/${n}`
      const { messageId } = await world.client.publish({ url, body: `body ${n}`, retries: 0, label: `n${n}` })
      ids.push((await deadLetterOf(world.client, messageId)).dlqId)
    }
    return { ...world, ids }
  }

  test('shows what was sent and what came back, and lets it be deleted once', async () => {
    const { call, client, destination, ids } = await withDeadLetters(1)
    const [dlqId] = ids
    const entry = await call('GET', `/v2/dlq/${dlqId}`)
    expect(entry.body).toMatchObject({
      dlqId: expect.stringMatching(/^\d{13}-\d+$/),
      url: `${destination.url}/0`,
      body: 'body 0',
      maxRetries: 0,
      responseStatus: 500,
      responseHeader: { 'X-Why': ['broken'] },
      responseBody: 'no',
    })
    expect(await client.dlq.delete(String(dlqId))).toEqual({ deleted: 1 })
    await expect(client.dlq.delete(String(dlqId))).rejects.toMatchObject({ status: 404 })
    expect(await client.dlq.delete([String(dlqId)])).toEqual({ deleted: 0 })
  })

  test('is listed in pages and by filters, and deleted by them', async () => {
    const { client, ids } = await withDeadLetters(4)
    const newestFirst = [...ids].reverse()
    const first = await client.dlq.listMessages({ count: 3 })
    expect(first.messages.map(({ dlqId }) => dlqId)).toEqual(newestFirst.slice(0, 3))
    const second = await client.dlq.listMessages({ count: 3, ...(first.cursor ? { cursor: first.cursor } : {}) })
    expect(second.messages.map(({ dlqId }) => dlqId)).toEqual(newestFirst.slice(3))
    expect(second.cursor).toBe(undefined)
    const chosen = await client.dlq.listMessages({ filter: { label: ['n1', 'n2'], responseStatus: [500, 404] } })
    expect(chosen.messages.map(({ labels }) => labels?.[0])).toEqual(['n2', 'n1'])
    expect((await client.dlq.listMessages({ filter: { responseStatus: 404 } })).messages).toEqual([])
    expect(await client.dlq.delete({ filter: { label: 'n1' } })).toEqual({ deleted: 1 })
    const page = await client.dlq.delete({ all: true, count: 2 })
    expect(page).toEqual({ deleted: 2, cursor: expect.any(String) })
    expect(await client.dlq.delete({ all: true, ...(page.cursor ? { cursor: page.cursor } : {}) })).toEqual({
      deleted: 1,
    })
  })

  test('retries as a new message from the beginning, with what the retry overrides', async () => {
    const { call, client, destination, ids } = await withDeadLetters(2)
    destination.received.length = 0
    destination.answer = () => ({ status: 204 })
    const { responses } = await client.dlq.retry([String(ids[0])])
    expect(responses).toEqual([{ messageId: expect.stringMatching(/^msg_/) }])
    await eventually('the delivery', () => destination.received.length === 1)
    expect(destination.received[0]).toMatchObject({ target: '/0', headers: { 'upstash-retried': '0' } })
    expect(destination.received[0]?.body.toString()).toBe('body 0')
    const override = await call('POST', `/v2/dlq/retry/${ids[1]}`, {
      headers: { 'Upstash-Retries': '4', 'Upstash-Delay': '1h', 'Upstash-Forward-X-Again': 'yes' },
    })
    expect(override.status).toBe(201)
    expect(await client.messages.get(String(override.body.messageId))).toMatchObject({
      url: `${destination.url}/1`,
      maxRetries: 4,
      header: { 'X-Again': ['yes'] },
      labels: ['n1'],
    })
    expect((await client.dlq.listMessages()).messages).toEqual([])
    await expect(client.dlq.retry([String(ids[1])])).rejects.toMatchObject({ status: 404 })
  })
})
