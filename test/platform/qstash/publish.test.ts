import { describe, expect, test } from 'vitest'
import { eventually, startWorld } from './world.ts'

describe('publishing', () => {
  test.each([['ftp://example.com'], ['https//example.com'], ['http://'], ['https%3A%2F%2Fexample.com']])(
    'answers 400 to the destination %s',
    async (destination) => {
      const { call, qstash } = await startWorld()
      expect((await call('POST', `/v2/publish/${destination}`)).status).toBe(400)
      expect(qstash.messages()).toEqual([])
    },
  )

  test.each([
    ['Upstash-Delay', 'soon'],
    ['Upstash-Delay', '50'],
    ['Upstash-Retries', '-1'],
    ['Upstash-Retry-Delay', 'pow(2)'],
    ['Upstash-Timeout', '5 s'],
    ['Upstash-Method', 'BREW'],
    ['Upstash-Failure-Callback', 'ftp://example.com'],
  ])('answers 400 to the header %s: %s and names it', async (name, value) => {
    const { call, destination, qstash } = await startWorld()
    const answer = await call('POST', `/v2/publish/${destination.url}`, { headers: { [name]: value } })
    expect(answer).toMatchObject({ status: 400, body: { error: expect.stringContaining(name) } })
    expect(qstash.messages()).toEqual([])
  })

  test('shows a delayed message with all its settings', async () => {
    const { client, destination, qstash } = await startWorld({ now: () => 1_700_000_000_000 })
    const url = `${destination.url}/hook?a=1`
    const { messageId } = await client.publishJSON({
      url,
      body: { machine: 7 },
      headers: { 'x-trace': 'abc', 'Upstash-Delay': '1d2h3m4s' },
      retries: 5,
      retryDelay: 'min(30000, 1000 * pow(2, retried))',
      failureCallback: `${destination.url}/failed`,
      label: ['job', 'start'],
      method: 'PUT',
    })
    const message = await client.messages.get(messageId)
    expect(message).toMatchObject({
      messageId,
      url,
      method: 'PUT',
      header: { 'Content-Type': ['application/json'], 'X-Trace': ['abc'] },
      body: '{"machine":7}',
      maxRetries: 5,
      createdAt: 1_700_000_000_000,
      notBefore: 1_700_000_000_000 + 93_784_000,
      retryDelayExpression: 'min(30000, 1000 * pow(2, retried))',
      failureCallback: `${destination.url}/failed`,
      label: 'job',
      labels: ['job', 'start'],
      callerIP: '127.0.0.1',
    })
    expect(messageId).toMatch(/^msg_/)
    expect(qstash.messages()).toMatchObject([{ messageId }])
    expect(qstash.deliveries()).toEqual([])
    expect(destination.received).toEqual([])
  })

  test('a message is sent when its delay is over', async () => {
    const { client, destination, qstash } = await startWorld()
    await client.publish({ url: `${destination.url}/late`, delay: '1h' })
    qstash.advance(3_590_000)
    await client.publish({ url: `${destination.url}/now` })
    await eventually('the delivery of the other', () => destination.received.length === 1)
    qstash.advance(10_000)
    await eventually('the delivery', () => destination.received.length === 2)
    expect(destination.received.map(({ target }) => target)).toEqual(['/now', '/late'])
  })

  test('a message without delay is sent at once and is gone when it has been delivered', async () => {
    const { client, destination, qstash } = await startWorld()
    const { messageId } = await client.publish({ url: destination.url, body: 'now' })
    await eventually('the attempt', () => qstash.deliveries().length === 1)
    expect(qstash.deliveries()).toMatchObject([{ messageId, url: destination.url, retried: 0, status: 200 }])
    await expect(client.messages.get(messageId)).rejects.toMatchObject({ status: 404 })
  })
})

describe('deduplication', () => {
  test('answers 202 and the first message id for ten minutes, also after the delivery', async () => {
    let nowMs = Date.now()
    const { call, client, destination, qstash } = await startWorld({ now: () => nowMs })
    const request = { url: destination.url, deduplicationId: 'job:1' }
    const { messageId } = await client.publish({ ...request, body: 'first' })
    await eventually('the delivery', () => qstash.messages().length === 0)
    nowMs += 599_999
    const duplicate = await call('POST', `/v2/publish/${destination.url}/other`, {
      headers: { 'Upstash-Deduplication-Id': 'job:1' },
    })
    expect([duplicate.status, duplicate.body]).toEqual([202, { messageId, deduplicated: true }])
    expect(await client.publish(request)).toEqual({ messageId, deduplicated: true })
    nowMs += 1
    const next = await client.publish(request)
    expect(next.messageId).not.toBe(messageId)
    await eventually('the second delivery', () => destination.received.length === 2)
  })
})

describe('a batch', () => {
  test('answers in order, and publishes the other items beside an invalid one', async () => {
    const { client, destination } = await startWorld()
    const answers: unknown = await client.batchJSON([
      { url: `${destination.url}/1`, body: { n: 1 }, deduplicationId: 'same' },
      { url: 'ftp://nowhere', body: { n: 2 } },
      { url: `${destination.url}/3`, body: { n: 3 }, retryDelay: 'oops(' },
      { queueName: 'line', url: `${destination.url}/4`, body: { n: 4 } },
      { url: `${destination.url}/5`, body: { n: 5 }, deduplicationId: 'same' },
      { url: `${destination.url}/6`, body: { n: 6 }, method: 'PUT', headers: { 'x-six': 'yes' } },
    ])
    const id = expect.stringMatching(/^msg_/)
    expect(answers).toEqual([
      { messageId: id },
      { error: expect.stringContaining('ftp://nowhere') },
      { error: expect.stringContaining('Upstash-Retry-Delay') },
      { error: expect.stringContaining('queues') },
      { messageId: id, deduplicated: true },
      { messageId: id },
    ])
    await eventually('two deliveries', () => destination.received.length === 2)
    const sixth = destination.received.find(({ target }) => target === '/6')
    expect(sixth).toMatchObject({ method: 'PUT', headers: { 'x-six': 'yes', 'content-type': 'application/json' } })
    expect(sixth?.body.toString()).toBe('{"n":6}')
  })

  test.each([
    ['{', 'not JSON'],
    ['{}', 'array'],
  ])('answers 400 to the body %s', async (body, text) => {
    const { call } = await startWorld()
    const answer = await call('POST', '/v2/batch', { body })
    expect(answer).toMatchObject({ status: 400, body: { error: expect.stringContaining(text) } })
  })

  test.each([
    [null],
    ['text'],
    [{ body: 'x' }],
    [{ destination: 'http://127.0.0.1:1', body: 5 }],
    [{ destination: 'http://127.0.0.1:1', headers: { 'Upstash-Delay': 5 } }],
    [{ destination: 'http://127.0.0.1:1', headers: { 'Upstash-Forward-A b': 'x' } }],
    [{ destination: 'http://127.0.0.1:1', headers: { 'Upstash-Forward-A': 'x\ny' } }],
    [{ destination: 'http://127.0.0.1:1', header: {} }],
  ])('answers an error for the item %j', async (item) => {
    const { call, qstash } = await startWorld()
    const answer = await call('POST', '/v2/batch', { body: JSON.stringify([item]) })
    expect(answer).toMatchObject({ status: 200, body: [{ error: expect.any(String) }] })
    expect(qstash.messages()).toEqual([])
  })
})
