import { describe, expect, test } from 'vitest'
import { eventually, startWorld, statesOf } from './world.ts'

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
    ['Upstash-Not-Before', '1.5'],
    ['Upstash-Retries', '-1'],
    ['Upstash-Retry-Delay', 'pow(2)'],
    ['Upstash-Timeout', '5 s'],
    ['Upstash-Method', 'BREW'],
    ['Upstash-Callback', 'somewhere'],
    ['Upstash-Failure-Callback', 'ftp://example.com'],
    ['Upstash-Failure-Callback-Retries', 'many'],
    ['Upstash-Callback-Retry-Delay', '1 +'],
    ['Upstash-Content-Based-Deduplication', 'yes'],
  ])('answers 400 to the header %s: %s and names it', async (name, value) => {
    const { call, destination, qstash } = await startWorld()
    const answer = await call('POST', `/v2/publish/${destination.url}`, { headers: { [name]: value } })
    expect(answer).toMatchObject({ status: 400, body: { error: expect.stringContaining(name) } })
    expect(qstash.messages()).toEqual([])
  })

  test('shows a delayed message with all that was said about it', async () => {
    const { client, destination, qstash } = await startWorld({ now: () => 1_700_000_000_000 })
    const url = `${destination.url}/hook?a=1`
    const { messageId } = await client.publishJSON({
      url,
      body: { machine: 7 },
      headers: { 'x-trace': 'abc', 'Upstash-Delay': '1d2h3m4s' },
      retries: 5,
      retryDelay: 'min(30000, 1000 * pow(2, retried))',
      callback: `${destination.url}/callback`,
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
      callback: `${destination.url}/callback`,
      failureCallback: `${destination.url}/failed`,
      label: 'job',
      labels: ['job', 'start'],
      callerIP: '127.0.0.1',
    })
    expect(messageId).toMatch(/^msg_/)
    expect(qstash.messages()).toMatchObject([{ messageId }])
    expect(await statesOf(client, messageId)).toEqual(['CREATED'])
    expect(destination.received).toEqual([])
  })

  test('a message goes out when its time has come, and Not-Before wins over Delay', async () => {
    let nowMs = 1_700_000_000_000
    const { call, client, destination, qstash } = await startWorld({ now: () => nowMs })
    const answer = await call('POST', `/v2/publish/${destination.url}`, {
      headers: { 'Upstash-Not-Before': '1700604800', 'Upstash-Delay': '1s' },
    })
    const messageId = String(answer.body.messageId)
    expect((await client.messages.get(messageId)).notBefore).toBe(1_700_604_800_000)
    nowMs = 1_700_604_799_999
    qstash.wake()
    expect(await statesOf(client, messageId)).toEqual(['CREATED'])
    nowMs = 1_700_604_800_000
    qstash.wake()
    await eventually('the delivery', () => destination.received.length === 1)
  })

  test('a message without delay goes out at once and is gone when it has been delivered', async () => {
    const { client, destination } = await startWorld()
    const { messageId } = await client.publish({ url: destination.url, body: 'now' })
    await eventually('the end of it', async () => (await statesOf(client, messageId)).includes('DELIVERED'))
    expect(await statesOf(client, messageId)).toEqual(['CREATED', 'ACTIVE', 'DELIVERED'])
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
    const twin = await call('POST', `/v2/publish/${destination.url}/other`, {
      headers: { 'Upstash-Deduplication-Id': 'job:1' },
    })
    expect([twin.status, twin.body]).toEqual([202, { messageId, deduplicated: true }])
    expect(await client.publish(request)).toEqual({ messageId, deduplicated: true })
    nowMs += 1
    const next = await client.publish(request)
    expect(next.messageId).not.toBe(messageId)
    await eventually('the second delivery', () => destination.received.length === 2)
  })

  test('by content tells destination, body, type and forwarded headers apart, and nothing else', async () => {
    const { client, destination } = await startWorld()
    const base = { url: destination.url, body: 'x', headers: { 'x-a': '1' }, contentBasedDeduplication: true } as const
    const first = await client.publish(base)
    expect(await client.publish({ ...base, retries: 9, label: 'other' })).toEqual({ ...first, deduplicated: true })
    for (const other of [
      { ...base, url: `${destination.url}/b` },
      { ...base, body: 'y' },
      { ...base, headers: { 'x-a': '2' } },
      { ...base, headers: { 'x-a': '1', 'content-type': 'text/csv' } },
    ]) {
      expect(await client.publish(other)).not.toHaveProperty('deduplicated')
    }
  })
})

describe('a batch', () => {
  test('answers in order, and a bad item harms no other', async () => {
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
