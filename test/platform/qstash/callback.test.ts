import { Receiver } from '@upstash/qstash'
import { describe, expect, test } from 'vitest'
import { deadLetterOf, eventually, signatureOf, startDestination, startWorld } from './world.ts'

describe('a failure callback', () => {
  test('is sent once, after the last attempt, with all fields', async () => {
    const { client, destination, qstash } = await startWorld()
    const listener = await startDestination()
    destination.answer = () => ({ status: 418, headers: { 'x-pot': 'tea' }, body: Buffer.from([0xff]) })
    const { messageId } = await client.publishJSON({
      url: `${destination.url}/job`,
      body: { job_id: 'j1' },
      headers: { 'x-a': '1' },
      retries: 1,
      retryDelay: '1',
      failureCallback: listener.url,
    })
    const { dlqId, createdAt, notBefore } = await deadLetterOf(client, messageId)
    const request = await eventually('the failure callback', () => listener.received[0])
    expect(JSON.parse(request.body.toString())).toEqual({
      status: 418,
      header: expect.objectContaining({ 'X-Pot': ['tea'] }),
      body: '/w==',
      retried: 1,
      maxRetries: 1,
      dlqId,
      sourceMessageId: messageId,
      topicName: '',
      endpointName: '',
      url: `${destination.url}/job`,
      method: 'POST',
      sourceHeader: { 'Content-Type': ['application/json'], 'X-A': ['1'] },
      sourceBody: btoa('{"job_id":"j1"}'),
      notBefore: String(notBefore),
      createdAt: String(createdAt),
      scheduleId: '',
      callerIP: '127.0.0.1',
    })
    expect(request.headers['content-type']).toBe('application/json')
    const receiver = new Receiver({ ...qstash, devMode: false })
    const body = request.body.toString()
    expect(await receiver.verify({ signature: signatureOf(request), body, url: listener.url })).toBe(true)
    await eventually('the end of all messages', () => qstash.messages().length === 0)
    expect(listener.received).toHaveLength(1)
  })

  test('that fails is retried as often as its message, and becomes a dead letter itself', async () => {
    const { client, destination, qstash } = await startWorld()
    const listener = await startDestination()
    destination.answer = () => ({ status: 500 })
    listener.answer = () => ({ status: 502, headers: { 'retry-after': '0' } })
    await client.publish({ url: destination.url, retries: 2, retryDelay: '1', failureCallback: listener.url })
    await eventually('two dead letters', async () => (await client.dlq.listMessages()).messages.length === 2)
    expect(listener.received.map(({ headers }) => headers['upstash-retried'])).toEqual(['0', '1', '2'])
    expect(qstash.messages()).toEqual([])
  })

  test('is not sent for a message that is delivered in the end', async () => {
    const { client, destination, qstash } = await startWorld()
    const listener = await startDestination()
    destination.answer = ({ headers }) => ({ status: headers['upstash-retried'] === '0' ? 500 : 200 })
    await client.publish({ url: destination.url, retryDelay: '1', failureCallback: listener.url })
    await eventually('the delivery', () => qstash.messages().length === 0)
    expect(listener.received).toEqual([])
  })
})
