import { Receiver } from '@upstash/qstash'
import { describe, expect, test } from 'vitest'
import { deadLetterOf, eventually, signatureOf, startDestination, startWorld } from './world.ts'

describe('a callback', () => {
  test('tells of every attempt, as a signed message of its own', async () => {
    const { client, destination, qstash } = await startWorld()
    const listener = await startDestination()
    destination.answer = ({ headers }) =>
      headers['upstash-retried'] === '0'
        ? { status: 500, body: 'not yet' }
        : { status: 200, headers: { 'x-tray': 'a' }, body: 'done' }
    const { messageId } = await client.publish({
      url: destination.url,
      body: 'go',
      retryDelay: '1',
      callback: `${listener.url}/told`,
      headers: {
        'Upstash-Callback-Forward-X-Secret': 'key',
        'Upstash-Callback-Method': 'PUT',
      },
    })
    await eventually('two callbacks', () => listener.received.length === 2)
    const bodies = listener.received.map(({ body }) => JSON.parse(body.toString()))
    bodies.sort((a, b) => a.retried - b.retried)
    expect(bodies).toMatchObject([
      { status: 500, body: btoa('not yet'), retried: 0, maxRetries: 3, sourceMessageId: messageId },
      { status: 200, body: btoa('done'), header: { 'X-Tray': ['a'] }, retried: 1, sourceBody: btoa('go') },
    ])
    for (const body of bodies) expect(body).not.toHaveProperty('dlqId')
    const receiver = new Receiver({ ...qstash, devMode: false })
    for (const request of listener.received) {
      const headers = { 'content-type': 'application/json', 'x-secret': 'key', 'user-agent': 'Upstash-QStash' }
      expect(request).toMatchObject({ method: 'PUT', headers })
      expect(request.headers['upstash-message-id']).not.toBe(messageId)
      const proof = { signature: signatureOf(request), body: request.body.toString(), url: `${listener.url}/told` }
      expect(await receiver.verify(proof)).toBe(true)
    }
  })

  test('of a failure is sent once, after the last attempt, with all its fields', async () => {
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
    await eventually('quiet', () => qstash.messages().length === 0)
    expect(listener.received).toHaveLength(1)
  })

  test('that fails is repeated by its own settings and dies in its turn', async () => {
    const { client, destination, qstash } = await startWorld()
    const listener = await startDestination()
    destination.answer = () => ({ status: 500 })
    listener.answer = () => ({ status: 502 })
    await client.publish({
      url: destination.url,
      retries: 0,
      failureCallback: listener.url,
      headers: { 'Upstash-Failure-Callback-Retries': '2', 'Upstash-Failure-Callback-Retry-Delay': '1' },
    })
    await eventually('two dead letters', async () => (await client.dlq.listMessages()).messages.length === 2)
    expect(listener.received.map(({ headers }) => headers['upstash-retried'])).toEqual(['0', '1', '2'])
    expect(qstash.messages()).toEqual([])
  })

  test('has the retries of its message and its own delay and timeout', async () => {
    const { client, destination, qstash } = await startWorld()
    await client.publish({
      url: destination.url,
      retries: 7,
      callback: 'http://127.0.0.1:1/later',
      headers: { 'Upstash-Callback-Delay': '1h', 'Upstash-Callback-Timeout': '9s' },
    })
    const callback = await eventually('the callback', () => {
      return qstash.messages().find(({ url }) => url === 'http://127.0.0.1:1/later')
    })
    expect(callback).toMatchObject({ maxRetries: 7, method: 'POST' })
    expect(callback.notBefore - callback.createdAt).toBe(3_600_000)
    const { logs } = await client.logs({ messageIds: [callback.messageId] })
    expect(logs).toMatchObject([{ state: 'CREATED', timeout: 9_000 }])
  })
})
