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

  test('shows the message and the response', async () => {
    const { call, destination, ids } = await withDeadLetters(1)
    const entry = await call('GET', `/v2/dlq/${ids[0]}`)
    expect(entry.body).toMatchObject({
      dlqId: expect.stringMatching(/^\d{13}-\d+$/),
      url: `${destination.url}/0`,
      body: 'body 0',
      maxRetries: 0,
      labels: ['n0'],
      responseStatus: 500,
      responseHeader: { 'X-Why': ['broken'] },
      responseBody: 'no',
    })
  })

  test('is listed newest first, on one page', async () => {
    const { call, client, ids } = await withDeadLetters(3)
    const { messages } = await client.dlq.listMessages()
    expect(messages.map(({ dlqId }) => dlqId)).toEqual([...ids].reverse())
    expect((await call('GET', '/v2/dlq')).body).not.toHaveProperty('cursor')
  })

  test('keeps the newest hundred', async () => {
    const { qstash, client } = await startWorld()
    const nowhere = 'http://127.0.0.1:1'
    await client.batch(Array.from({ length: 101 }, () => ({ url: nowhere, retries: 0 })))
    await eventually('the attempts', () => qstash.deliveries().length === 101)
    const { messages } = await client.dlq.listMessages()
    expect(messages.map(({ messageId }) => messageId).reverse()).toEqual(
      qstash
        .deliveries()
        .slice(1)
        .map(({ messageId }) => messageId),
    )
  })
})
