import { describe, expect, test } from 'vitest'
import { startQStash } from '../qstash.ts'
import { clientOf, startWorld } from './world.ts'

describe('a request', () => {
  test('with a wrong token or none is answered 401, on every path', async () => {
    const { call, qstash, destination } = await startWorld()
    const stranger = clientOf({ url: qstash.url, token: 'other' })
    await expect(stranger.publish({ url: destination.url })).rejects.toMatchObject({ status: 401 })
    for (const path of ['/v2/keys', '/v2/queues', '/nowhere']) {
      const answer = await call('GET', path, { headers: { authorization: 'Basic x' } })
      expect(answer).toMatchObject({ status: 401, body: { error: expect.stringContaining('invalid token') } })
    }
    expect(destination.received).toEqual([])
  })

  test.each([
    ['POST', '/v2/enqueue/q/https://example.com', '/v2/enqueue'],
    ['GET', '/v2/queues', '/v2/queues'],
    ['GET', '/v2/topics/group', '/v2/topics'],
    ['POST', '/v2/publish/group', 'URL groups'],
    ['POST', '/v2/publish/api/llm', 'api/llm'],
    ['POST', '/llm/v1/chat/completions', '/llm'],
    ['GET', '/v2/events', '/v2/events'],
    ['DELETE', '/v2/messages/msg_x', 'DELETE /v2/messages/msg_x'],
    ['DELETE', '/v2/messages', 'DELETE /v2/messages'],
    ['POST', '/v2/dlq/retry', 'POST /v2/dlq/retry'],
    ['GET', '/v2/dlq?count=1', 'count=1'],
    ['POST', '/v2/keys/rotate', '/v2/keys/rotate'],
    ['POST', '/v2/batch?x=1', 'x=1'],
  ])('%s %s is answered 501, which names what is not implemented', async (method, path, what) => {
    const { call } = await startWorld()
    const answer = await call(method, path)
    expect(answer).toMatchObject({ status: 501, body: { error: expect.stringContaining(what) } })
  })

  test.each(['', '?count=1', '?label=red'])('DELETE /v2/messages%s cancels nothing', async (query) => {
    const { call, client, destination, qstash } = await startWorld()
    const { messageId } = await client.publish({ url: destination.url, delay: '1h', label: 'red' })
    expect((await call('DELETE', `/v2/messages${query}`)).status).toBe(501)
    expect(qstash.messages()).toMatchObject([{ messageId }])
  })

  test.each([
    'Upstash-Redact-Fields',
    'Upstash-Flow-Control-Key',
    'Upstash-Cron',
    'Upstash-Queue-Name',
    'Upstash-Workflow-RunId',
    'Upstash-Callback',
    'Upstash-Failure-Callback-Retries',
    'Upstash-Not-Before',
    'Upstash-Content-Based-Deduplication',
    'Upstash-Retrys',
  ])('with the header %s is answered 501', async (name) => {
    const { call, destination } = await startWorld()
    const answer = await call('POST', `/v2/publish/${destination.url}`, { headers: { [name]: 'x' } })
    expect(answer.status).toBe(501)
    expect(String(answer.body.error).toLowerCase()).toContain(name.toLowerCase())
  })

  test('for an unknown message or dead letter is answered 404', async () => {
    const { call } = await startWorld()
    expect((await call('GET', '/v2/messages/msg_x')).status).toBe(404)
    expect((await call('GET', '/v2/dlq/1-0')).status).toBe(404)
  })
})

describe('the signing keys', () => {
  test('are those by which the SDK recognises a development server', async () => {
    const { call, qstash } = await startWorld()
    const keys = (await call('GET', '/v2/keys')).body
    expect(keys).toEqual({ current: 'sig_7kYjw48mhY7kAjqNGcy6cr29RJ6r', next: 'sig_5ZB6DVzB1wjE8S6rZ7eenA8Pdnhs' })
    expect({ current: qstash.currentSigningKey, next: qstash.nextSigningKey }).toEqual(keys)
  })

  test('and the token can be configured', async () => {
    const qstash = await startQStash({ token: 'mine', currentSigningKey: 'sig_a', nextSigningKey: 'sig_b' })
    const response = await fetch(`${qstash.url}/v2/keys`, { headers: { authorization: 'Bearer mine' } })
    expect(await response.json()).toEqual({ current: 'sig_a', next: 'sig_b' })
    await qstash.close()
  })
})
