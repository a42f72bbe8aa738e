import { decodeJwt } from 'jose'
import { describe, expect, test } from 'vitest'
import { deadLetterOf, eventually, signatureOf, startDestination, startWorld } from './world.ts'

describe('a delivery', () => {
  test('has the exact body, its type, the forwarded headers and those of QStash, and no other', async () => {
    const { call, destination } = await startWorld()
    const body = Buffer.from(Array.from({ length: 256 }, (_, n) => n))
    const { body: published } = await call('POST', `/v2/publish/${destination.url}/in`, {
      headers: {
        'Content-Type': 'application/octet-stream',
        'Upstash-Forward-Authorization': 'Bearer theirs',
        'Upstash-Forward-X-Machine': 'Nr. 7',
        'Upstash-Forward-Content-Length': '3',
        'Upstash-Forward-Host': 'elsewhere.example',
        'Upstash-Forward-Transfer-Encoding': 'chunked',
        'Upstash-Forward-Upstash-Retried': '99',
        'Upstash-Label': 'secret',
        'X-Not-Forwarded': 'stays here',
        Cookie: 'stays=here',
      },
      body,
    })
    const request = await eventually('the delivery', () => destination.received[0])
    expect(request.body.equals(body)).toBe(true)
    expect(request).toMatchObject({ method: 'POST', target: '/in' })
    expect(request.headers).toEqual({
      host: new URL(destination.url).host,
      connection: expect.any(String),
      'content-length': '256',
      'content-type': 'application/octet-stream',
      authorization: 'Bearer theirs',
      'x-machine': 'Nr. 7',
      'user-agent': 'Upstash-QStash',
      'upstash-signature': expect.any(String),
      'upstash-message-id': published.messageId,
      'upstash-retried': '0',
      'upstash-caller-ip': '127.0.0.1',
    })
  })

  test.each(['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const)('has the method %s', async (method) => {
    const { client, destination } = await startWorld()
    await client.publish({ url: destination.url, method })
    const request = await eventually('the delivery', () => destination.received[0])
    expect([request.method, request.body.length]).toEqual([method, 0])
  })

  test('uses the destination exactly as published, and is signed for it', async () => {
    const { client, destination } = await startWorld()
    const path = '/a//b/%2Fc%20d;e?x=1&y=%3F&z=a//b??'
    await client.publish({ url: `${destination.url}${path}`, body: 'x' })
    const request = await eventually('the delivery', () => destination.received[0])
    expect(request.target).toBe(path)
    expect(decodeJwt(signatureOf(request)).sub).toBe(`${destination.url}${path}`)
  })
})

describe('a failed attempt', () => {
  test('is retried as often and as late as the message says, with a new signature, then a dead letter', async () => {
    const { client, destination, qstash } = await startWorld()
    destination.answer = () => ({ status: 503, body: 'busy' })
    const url = destination.url
    const { messageId } = await client.publish({ url, body: 'x', retries: 2, retryDelay: '10 * (1 + retried)' })
    const letter = await deadLetterOf(client, messageId)
    expect(letter).toMatchObject({ messageId, responseStatus: 503, responseBody: 'busy', maxRetries: 2 })
    expect(destination.received.map(({ headers }) => headers['upstash-retried'])).toEqual(['0', '1', '2'])
    expect(new Set(destination.received.map(({ headers }) => headers['upstash-message-id']))).toEqual(
      new Set([messageId]),
    )
    expect(new Set(destination.received.map(signatureOf)).size).toBe(3)
    expect(qstash.deliveries()).toMatchObject([
      { messageId, url, retried: 0, status: 503 },
      { messageId, url, retried: 1, status: 503 },
      { messageId, url, retried: 2, status: 503 },
    ])
    await expect(client.messages.get(messageId)).rejects.toMatchObject({ status: 404 })
  })

  test('does not start the retry early', async () => {
    const { client, destination, qstash } = await startWorld()
    destination.answer = () => ({ status: 500 })
    const { messageId } = await client.publish({ url: destination.url, retries: 1, retryDelay: '80' })
    await deadLetterOf(client, messageId)
    const [one, two] = qstash.deliveries()
    expect(Number(two?.startedAt) - Number(one?.endedAt)).toBeGreaterThanOrEqual(80)
  })

  test.each([
    ['the default backoff', {}, undefined, 12_000],
    ['Retry-After', { 'retry-after': '33' }, '5', 33_000],
    ['X-RateLimit-Reset-Tokens', { 'x-ratelimit-reset-tokens': '1m' }, '5', 60_000],
    ['its own expression, because more than a day is ignored', { 'retry-after': '90000' }, '7000', 7_000],
  ])('waits for the retry: %s', async (_title, headers, retryDelay, delayMs) => {
    let nowMs = 1_700_000_000_000
    const { client, destination, qstash } = await startWorld({ now: () => nowMs })
    destination.answer = () => ({ status: 500, headers })
    const { messageId } = await client.publish({ url: destination.url, ...(retryDelay ? { retryDelay } : {}) })
    await eventually('the attempt', () => qstash.deliveries().length === 1)
    expect(await client.messages.get(messageId)).toMatchObject({ messageId, maxRetries: 3 })
    nowMs += delayMs - 1
    qstash.advance(0)
    await client.publish({ url: `${destination.url}/other` })
    await eventually('the attempt for another message', () => destination.received.length === 2)
    nowMs += 1
    qstash.advance(0)
    await eventually('the retry', () => destination.received.length === 3)
    expect(destination.received.map(({ target }) => target)).toEqual(['/', '/other', '/'])
  })

  test('may succeed the next time', async () => {
    const { client, destination, qstash } = await startWorld()
    destination.answer = ({ headers }) => ({ status: headers['upstash-retried'] === '1' ? 201 : 429 })
    await client.publish({ url: destination.url, retryDelay: '1' })
    await eventually('the end', () => qstash.messages().length === 0)
    expect(qstash.deliveries().map(({ status }) => status)).toEqual([429, 201])
    expect((await client.dlq.listMessages()).messages).toEqual([])
  })

  test('with status 489 and Upstash-NonRetryable-Error is not retried', async () => {
    const { client, destination } = await startWorld()
    destination.answer = () => ({ status: 489, headers: { 'Upstash-NonRetryable-Error': 'true' } })
    const { messageId } = await client.publish({ url: destination.url, retries: 5, retryDelay: '1' })
    expect(await deadLetterOf(client, messageId)).toMatchObject({ responseStatus: 489 })
    expect(destination.received).toHaveLength(1)
  })

  test.each([
    ['489 and not the header', { status: 489 }],
    ['400 and the header', { status: 400, headers: { 'Upstash-NonRetryable-Error': 'true' } }],
  ])('with status %s is retried', async (_title, answer) => {
    const { client, destination } = await startWorld()
    destination.answer = () => answer
    const { messageId } = await client.publish({ url: destination.url, retries: 1, retryDelay: '1' })
    await deadLetterOf(client, messageId)
    expect(destination.received).toHaveLength(2)
  })

  test('is a redirect, which is not followed', async () => {
    const { client, destination } = await startWorld()
    const elsewhere = await startDestination()
    destination.answer = () => ({ status: 307, headers: { location: elsewhere.url } })
    const { messageId } = await client.publish({ url: destination.url, retries: 0 })
    expect(await deadLetterOf(client, messageId)).toMatchObject({
      responseStatus: 307,
      responseHeader: { Location: [elsewhere.url] },
    })
    expect(elsewhere.received).toEqual([])
  })

  test('is an answer after the timeout', async () => {
    const { client, destination, qstash } = await startWorld()
    destination.answer = ({ signal }) => new Promise((resolve) => signal.addEventListener('abort', () => resolve({})))
    const { messageId } = await client.publish({ url: destination.url, retries: 0, timeout: '1s' })
    expect(await deadLetterOf(client, messageId)).toMatchObject({ responseStatus: 0 })
    const [delivery] = qstash.deliveries()
    expect(Number(delivery?.endedAt) - Number(delivery?.startedAt)).toBeGreaterThanOrEqual(999)
  })

  test.each([
    ['refused', async () => 'http://127.0.0.1:1'],
    [
      'cut off',
      async () => {
        const cutter = await startDestination()
        cutter.answer = () => ({ cut: true })
        return cutter.url
      },
    ],
  ])('is a connection that is %s; its status is 0', async (_title, findUrl) => {
    const { client, qstash } = await startWorld()
    const { messageId } = await client.publish({ url: await findUrl(), retries: 1, retryDelay: '1' })
    const letter = await deadLetterOf(client, messageId)
    expect(letter.responseStatus).toBe(0)
    expect(qstash.deliveries().map(({ status }) => status)).toEqual([0, 0])
  })

  test('shows binary bodies in base64', async () => {
    const { client, destination } = await startWorld()
    const binary = Buffer.from([0xff, 0x00, 0xfe])
    destination.answer = () => ({ status: 500, body: binary })
    const body = new Blob([binary])
    const { messageId } = await client.publish({ url: destination.url, body, retries: 0 })
    const letter = await deadLetterOf(client, messageId)
    expect(letter).toMatchObject({ bodyBase64: '/wD+', responseBodyBase64: '/wD+' })
    expect(letter).not.toHaveProperty('body')
    expect(letter).not.toHaveProperty('responseBody')
  })
})
