// Faults ordered at the control port: kind, number, duration, and invalid orders.
import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { poll } from '../harness.ts'
import { startControl } from './control.ts'
import { type CallFaults, open } from './faults.ts'
import { type StandInServer, startHttpServer } from './http.ts'
import type { DeliveryFaults } from './qstash/delivery-loop.ts'
import { type QStashStandIn, startQStash } from './qstash.ts'

const faults: CallFaults = { pass: open }
const deliveries: DeliveryFaults = { pass: open }
let control: StandInServer
let service: StandInServer
let qstash: QStashStandIn
let destination: StandInServer
const done: string[] = []
const arrived: string[] = []

beforeAll(async () => {
  service = await startHttpServer(
    'service',
    async ({ target }) => {
      done.push(target)
      return { body: 'done' }
    },
    { faults },
  )
  destination = await startHttpServer('destination', async ({ target }) => {
    arrived.push(target)
    return {}
  })
  qstash = await startQStash({ deliveryFaults: deliveries })
  control = await startControl({
    calls: new Map([['service', faults]]),
    deliveries,
    restartQStash: () => qstash.restart(),
  })
})
afterEach(async () => {
  await order('DELETE', 'service')
  await order('DELETE', 'deliveries')
  done.length = 0
  arrived.length = 0
})
afterAll(() => Promise.all([control, service, qstash, destination].map((each) => each?.close())))

const order = (method: string, name: string, body?: unknown) =>
  fetch(`${control.url}/faults/${name}`, { method, ...(body !== undefined && { body: JSON.stringify(body) }) })

/** The status; `cut` if the connection was closed without an answer. */
const call = (path = '/', signal?: AbortSignal) =>
  fetch(`${service.url}${path}`, signal ? { signal } : {}).then(
    ({ status }) => status,
    (error: Error) => (error.name === 'TimeoutError' ? 'waiting' : 'cut'),
  )

async function publish(name: string): Promise<void> {
  const response = await fetch(`${qstash.url}/v2/publish/${destination.url}/${name}`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${qstash.token}`, 'Upstash-Retry-Delay': '10' },
  })
  expect(response.ok).toBe(true)
}
const untilArrived = (count: number) =>
  poll(async () => ({ isDone: arrived.length >= count, value: arrived }), `${count} deliveries`)

describe('a call to a stand-in', () => {
  test('is executed without an order', async () => {
    expect(await (await fetch(`${control.url}/faults`)).json()).toEqual({ service: null, deliveries: null })
    expect([await call(), done]).toEqual([200, ['/']])
  })

  test.each([
    ['away', 'cut', 0],
    ['error', 500, 0],
    ['lose_answer', 'cut', 1],
    ['slow', 200, 1],
  ])('%s: the caller gets %s, and the call was executed %i times', async (kind, seen, times) => {
    expect((await order('PUT', 'service', { kind, delay_ms: 30 })).status).toBe(200)
    expect([await call(), done.length]).toEqual([seen, times])
  })

  test('hang: there is no answer while the caller waits', async () => {
    await order('PUT', 'service', { kind: 'hang' })
    expect([await call('/', AbortSignal.timeout(100)), done]).toEqual(['waiting', []])
  })

  test('slow: the call is late by delay_ms', async () => {
    await order('PUT', 'service', { kind: 'slow', delay_ms: 60 })
    const beganAt = performance.now()
    await call()
    expect(performance.now() - beganAt).toBeGreaterThan(50)
  })

  test('count limits the number of calls', async () => {
    await order('PUT', 'service', { kind: 'error', status: 503, count: 2 })
    expect([await call(), await call(), await call()]).toEqual([503, 503, 200])
  })

  test('seconds limits the duration', async () => {
    await order('PUT', 'service', { kind: 'away', seconds: 0.2 })
    expect(await call()).toBe('cut')
    await poll(async () => {
      const value = await call()
      return { isDone: value === 200, value }
    }, 'the end of the fault')
  })

  test('path selects the calls', async () => {
    await order('PUT', 'service', { kind: 'away', path: '/sql' })
    expect([await call('/sql'), await call('/other')]).toEqual(['cut', 200])
  })

  test('an order is shown, and deleted', async () => {
    await order('PUT', 'service', { kind: 'away' })
    expect(await (await fetch(`${control.url}/faults`)).json()).toMatchObject({ service: { kind: 'away' } })
    expect((await order('DELETE', 'service')).status).toBe(204)
    expect(await call()).toBe(200)
  })

  test.each([
    ['service', { kind: 'nonsense' }, 422],
    ['service', { kind: 'deliver_twice' }, 422],
    ['service', { kind: 'away', counts: 1 }, 422],
    ['service', 'away', 422],
    ['nobody', { kind: 'away' }, 404],
  ])('an invalid order is refused, and changes nothing: %s %j', async (name, body, status) => {
    expect((await order('PUT', name, body)).status).toBe(status)
    expect(await call()).toBe(200)
  })
})

describe('a message', () => {
  const randomName = () => randomUUID().slice(0, 8)

  test('deliver_twice: it arrives twice', async () => {
    await order('PUT', 'deliveries', { kind: 'deliver_twice', count: 1 })
    const name = randomName()
    await publish(name)
    expect(await untilArrived(2)).toEqual([`/${name}`, `/${name}`])
  })

  test('deliver_out_of_order: the second one arrives first', async () => {
    await order('PUT', 'deliveries', { kind: 'deliver_out_of_order' })
    const [first, second] = [randomName(), randomName()]
    await publish(first)
    await publish(second)
    expect(await untilArrived(2)).toEqual([`/${second}`, `/${first}`])
  })

  test('lose_answer: the destination acts, and the message is delivered again', async () => {
    await order('PUT', 'deliveries', { kind: 'lose_answer', count: 1 })
    const name = randomName()
    await publish(name)
    expect(await untilArrived(2)).toEqual([`/${name}`, `/${name}`])
  })

  test('a restart of QStash: a delivery in flight is aborted, and the message is delivered again', async () => {
    await order('PUT', 'deliveries', { kind: 'deliver_late', delay_ms: 300, count: 1 })
    const name = randomName()
    await publish(name)
    expect((await fetch(`${control.url}/qstash/restart`, { method: 'POST' })).status).toBe(204)
    expect((await untilArrived(1))[0]).toBe(`/${name}`)
    expect(qstash.messages()).toEqual([])
  })
})
