import { describe, expect, test } from 'vitest'
import { startQStash } from '../qstash.ts'
import { clientOf, eventually, startWorld } from './world.ts'

describe('the door', () => {
  test('answers 401 for a wrong token and for none, on every path', async () => {
    const { call, qstash, destination } = await startWorld()
    const stranger = clientOf({ url: qstash.url, token: 'other' })
    await expect(stranger.publish({ url: destination.url })).rejects.toMatchObject({ status: 401 })
    for (const path of ['/v2/keys', '/v2/queues', '/nowhere']) {
      const answer = await call('GET', path, { headers: { authorization: 'Basic x' } })
      expect(answer).toMatchObject({ status: 401, body: { error: expect.stringContaining('invalid token') } })
    }
    expect(destination.received).toEqual([])
  })

  test('takes the token from the query, and never sends it on to the destination', async () => {
    const { qstash, destination } = await startWorld()
    const token = encodeURIComponent(qstash.token)
    const publish = (target: string) => fetch(`${qstash.url}/v2/publish/${target}`, { method: 'POST' })
    expect((await publish(`${destination.url}/a?x=1&qstash_token=${token}&y=2`)).status).toBe(200)
    expect((await publish(`${destination.url}/b?qstash_token=${token}`)).status).toBe(200)
    await eventually('two deliveries', () => destination.received.length === 2)
    expect(destination.received.map(({ target }) => target).sort()).toEqual(['/a?x=1&y=2', '/b'])
  })

  test.each([
    ['POST', '/v2/enqueue/q/https://example.com', 'queues'],
    ['GET', '/v2/queues', 'queues'],
    ['POST', '/v2/schedules/https://example.com', 'schedules'],
    ['GET', '/v2/topics/group', 'URL groups'],
    ['POST', '/v2/publish/group', 'URL groups'],
    ['POST', '/v2/publish/api/llm', 'api/llm'],
    ['POST', '/llm/v1/chat/completions', 'LLM'],
    ['GET', '/v2/flowControl/key', 'flow control'],
    ['GET', '/v2/globalParallelism', 'flow control'],
    ['DELETE', '/v2/workflows/runs/run_1', 'workflows'],
    ['GET', '/v2/bulkActions', 'bulk actions'],
    ['DELETE', '/v2/messages?async=true', 'bulk actions'],
  ])('answers 501 to %s %s and names what it does not speak', async (method, path, what) => {
    const { call } = await startWorld()
    const answer = await call(method, path)
    expect(answer).toMatchObject({ status: 501, body: { error: expect.stringContaining(what) } })
  })

  test.each([
    'Upstash-Redact-Fields',
    'Upstash-Flow-Control-Key',
    'Upstash-Cron',
    'Upstash-Queue-Name',
    'Upstash-Workflow-RunId',
    'Upstash-Callback-Label',
    'Upstash-Retrys',
  ])('answers 501 to the header %s', async (name) => {
    const { call, destination } = await startWorld()
    const answer = await call('POST', `/v2/publish/${destination.url}`, { headers: { [name]: 'x' } })
    expect(answer.status).toBe(501)
    expect(String(answer.body.error).toLowerCase()).toContain(name.toLowerCase())
  })

  test.each([
    ['GET', '/v2/events?color=red'],
    ['GET', '/v2/logs?count=ten'],
    ['GET', '/v2/logs?state=LOST'],
    ['GET', '/v2/logs?cursor=x'],
    ['GET', '/v2/dlq?host=a'],
    ['GET', '/v2/dlq?count=0'],
    ['DELETE', '/v2/dlq?state=FAILED'],
    ['DELETE', '/v2/messages?cursor=1'],
    ['DELETE', '/v2/messages?label='],
    ['POST', '/v2/dlq/retry?all=true'],
    ['GET', '/v2/keys?x=1'],
    ['POST', '/v2/batch?x=1'],
  ])('answers 400 to %s %s', async (method, path) => {
    const { call } = await startWorld()
    expect(await call(method, path)).toMatchObject({ status: 400, body: { error: expect.any(String) } })
  })

  test('answers 404 for what does not exist and 405, with Allow, for a wrong method', async () => {
    const { call } = await startWorld()
    expect((await call('GET', '/v2/nothing')).status).toBe(404)
    expect((await call('GET', '/v2/messages/msg_x')).status).toBe(404)
    expect((await call('DELETE', '/v2/messages/msg_x')).status).toBe(404)
    expect((await call('GET', '/v2/dlq/1-0')).status).toBe(404)
    const answer = await call('PUT', '/v2/messages/msg_x')
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, DELETE'])
  })
})

describe('the signing keys', () => {
  test('are those by which the SDK knows a development server, and rotate', async () => {
    const { call, qstash } = await startWorld()
    const before = (await call('GET', '/v2/keys')).body
    expect(before).toEqual({ current: 'sig_7kYjw48mhY7kAjqNGcy6cr29RJ6r', next: 'sig_5ZB6DVzB1wjE8S6rZ7eenA8Pdnhs' })
    const after = (await call('POST', '/v2/keys/rotate')).body
    expect(after).toEqual({ current: before.next, next: expect.stringMatching(/^sig_[0-9A-Za-z]{28}$/) })
    expect(after.next).not.toBe(before.next)
    expect((await call('GET', '/v2/keys')).body).toEqual(after)
    expect({ current: qstash.currentSigningKey, next: qstash.nextSigningKey }).toEqual(after)
  })

  test('and the token can be chosen', async () => {
    const qstash = await startQStash({ token: 'mine', currentSigningKey: 'sig_a', nextSigningKey: 'sig_b' })
    const response = await fetch(`${qstash.url}/v2/keys`, { headers: { authorization: 'Bearer mine' } })
    expect(await response.json()).toEqual({ current: 'sig_a', next: 'sig_b' })
    await qstash.close()
  })
})
