// The controller stand-in over HTTP: each behaviour, repeated commands, reports, and the control API.
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type ControllerStandIn, startController } from '../controller.ts'
import type { BehaviourOrder } from './behaviour.ts'

async function startTestController(): Promise<ControllerStandIn> {
  const controller = await startController()
  onTestFinished(() => controller.close())
  return controller
}

type ReceivedReport = { headers: IncomingHttpHeaders; body: string }

/** A server for reports. It answers each with the next status, then with 200. */
async function startOutcomeServer(...statuses: number[]): Promise<{ url: string; reports: ReceivedReport[] }> {
  const reports: ReceivedReport[] = []
  const server = createServer(async (incoming, outgoing) => {
    let body = ''
    for await (const chunk of incoming) body += String(chunk)
    reports.push({ headers: incoming.headers, body })
    outgoing.writeHead(statuses.shift() ?? 200).end('{}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => void server.close())
  // A TCP server's address is an AddressInfo.
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}/outcome`, reports }
}

type Order = {
  command?: string
  job?: string
  sequence?: number
  machineId?: number
  attempt?: number
  outcomeUrl?: string
  signal?: AbortSignal
}

function order(
  url: string,
  { command = 'START', job = 'job-1', sequence = 1, machineId = 7, attempt = 1, outcomeUrl, signal }: Order = {},
) {
  return fetch(url, {
    method: 'POST',
    redirect: 'manual',
    headers: { authorization: 'Bearer signed', 'idempotency-key': job, 'content-type': 'application/json' },
    body: JSON.stringify({
      command,
      sequence,
      job_id: job,
      machine_id: machineId,
      attempt,
      not_after: '2026-01-01T00:00:00Z',
      outcome_url: outcomeUrl ?? 'http://127.0.0.1:9/outcome',
      outcome_token: 'outcome-token',
    }),
    ...(signal ? { signal } : {}),
  })
}

function put(url: string, behaviour: BehaviourOrder | object) {
  return fetch(url, { method: 'PUT', body: JSON.stringify(behaviour) })
}

const reported = (command: { reports: unknown[] }) => command.reports.length > 0

describe('a machine that answers', () => {
  test('obeys by default, and shows its state and its commands', async () => {
    const { url } = (await startTestController()).machine('m 1/호')
    expect(url).toContain('/machines/m%201%2F%ED%98%B8')
    expect(await (await fetch(url)).json()).toMatchObject({ state: 'stopped', barrel_celsius: 25, commands: [] })
    const answer = await order(url)
    expect(answer.status).toBe(200)
    expect(await answer.json()).toEqual({ result: 'SUCCESS' })
    expect(await (await fetch(url)).json()).toMatchObject({
      name: 'm 1/호',
      state: 'running',
      barrel_celsius: 220,
      commands: [
        {
          command: 'START',
          job_id: 'job-1',
          attempt: 1,
          idempotency_key: 'job-1',
          authorization: 'Bearer signed',
          received_at: expect.stringMatching(/^\d{4}-.*Z$/),
          done: true,
        },
      ],
    })
    await order(url, { command: 'STOP', job: 'job-2' })
    expect(await (await fetch(url)).json()).toMatchObject({ state: 'stopped' })
  })

  test('refuses with a detail and does nothing', async () => {
    const machine = (await startTestController()).machine('m')
    await put(machine.url, { mode: 'refuse', detail: 'no resin' })
    expect(await (await order(machine.url)).json()).toEqual({ result: 'REMOTEFAILED', detail: 'no resin' })
    expect(machine.state().state).toBe('stopped')
    expect(machine.commands()[0]?.done).toBe(false)
  })

  test('gives the same answer to the same idempotency key, also after a change of behaviour, and executes once', async () => {
    const machine = (await startTestController()).machine('m')
    await order(machine.url)
    await put(machine.url, { mode: 'refuse' })
    expect(await (await order(machine.url, { attempt: 2 })).json()).toEqual({ result: 'SUCCESS' })
    expect(await (await order(machine.url, { job: 'job-2' })).json()).toMatchObject({ result: 'REMOTEFAILED' })
    expect(machine.commands().map(({ attempt, done }) => [attempt, done])).toEqual([
      [1, true],
      [2, false],
      [1, false],
    ])
  })

  test('executes at once and answers late when it is slow', async () => {
    const machine = (await startTestController()).machine('m')
    machine.behave({ mode: 'slow', after_ms: 150 })
    const startedAt = performance.now()
    const answer = order(machine.url)
    await machine.waitForCommand(({ done }) => done)
    expect(await (await answer).json()).toEqual({ result: 'SUCCESS' })
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(145)
  })
})

describe('a machine that checks who is meant', () => {
  const confirm = (url: string, machineId: number) =>
    fetch(url, {
      method: 'POST',
      headers: { authorization: 'Bearer signed', 'content-type': 'application/json' },
      body: JSON.stringify({ command: 'CONFIRM', machine_id: machineId, owner: 'kim', challenge: 'c-1' }),
    })

  test('confirms its own id whatever its behaviour, and refuses another one', async () => {
    const machine = (await startTestController()).machine('m')
    machine.pin(7)
    machine.behave({ mode: 'garbage' })
    const answer = await confirm(machine.url, 7)
    expect([answer.status, await answer.json()]).toEqual([200, { machine_id: 7, challenge: 'c-1' }])
    expect((await confirm(machine.url, 8)).status).toBe(401)
    expect((await order(machine.url, { machineId: 8 })).status).toBe(401)
    expect(machine.commands()).toEqual([])
  })

  test('takes the first id that it is told, if it has none', async () => {
    const machine = (await startTestController()).machine('m')
    expect((await confirm(machine.url, 8)).status).toBe(200)
    expect((await confirm(machine.url, 7)).status).toBe(401)
  })

  test('refuses a command that is older than one it has received, and still answers a repeated one', async () => {
    const machine = (await startTestController()).machine('m')
    await order(machine.url, { command: 'STOP', job: 'job-2', sequence: 2 })
    expect(await (await order(machine.url, { sequence: 1 })).json()).toMatchObject({ result: 'REMOTEFAILED' })
    expect(machine.state().state).toBe('stopped')
    expect(await (await order(machine.url, { command: 'STOP', job: 'job-2', sequence: 2 })).json()).toEqual({
      result: 'SUCCESS',
    })
  })
})

describe('a machine that warms up', () => {
  test('answers PENDING, heats, runs, and reports with the outcome token', async () => {
    const machine = (await startTestController()).machine('m')
    const place = await startOutcomeServer()
    await put(machine.url, { mode: 'warm-up', after_ms: 200, detail: 'at 220 °C' })
    expect(await (await order(machine.url, { outcomeUrl: place.url })).json()).toEqual({ result: 'PENDING' })
    expect(machine.state().state).toBe('heating')
    expect(machine.state().barrel_celsius).toBeLessThan(220)
    const command = await machine.waitForCommand(reported)
    expect(command).toMatchObject({ done: true, reports: [{ result: 'SUCCESS', status: 200 }] })
    expect(machine.state()).toMatchObject({ state: 'running', barrel_celsius: 220 })
    expect(place.reports).toHaveLength(1)
    expect(place.reports[0]?.headers.authorization).toBe('Bearer outcome-token')
    expect(JSON.parse(place.reports[0]?.body ?? '')).toEqual({ result: 'SUCCESS', detail: 'at 220 °C' })
  })

  test('can report REMOTEFAILED and stop', async () => {
    const machine = (await startTestController()).machine('m')
    const place = await startOutcomeServer()
    machine.behave({ mode: 'warm-up', after_ms: 1, result: 'REMOTEFAILED', detail: 'heater 3 is broken' })
    await order(machine.url, { outcomeUrl: place.url })
    expect(await machine.waitForCommand(reported)).toMatchObject({ done: false, reports: [{ result: 'REMOTEFAILED' }] })
    expect(machine.state().state).toBe('stopped')
  })

  test('works and reports once for a repeated key', async () => {
    const machine = (await startTestController()).machine('m')
    const place = await startOutcomeServer()
    machine.behave({ mode: 'warm-up', after_ms: 50 })
    await order(machine.url, { outcomeUrl: place.url })
    expect(await (await order(machine.url, { outcomeUrl: place.url, attempt: 2 })).json()).toEqual({
      result: 'PENDING',
    })
    await machine.waitForCommand(reported)
    await order(machine.url, { outcomeUrl: place.url, attempt: 3 })
    machine.behave({ mode: 'warm-up', after_ms: 100 })
    await order(machine.url, { outcomeUrl: place.url, job: 'job-2' })
    await machine.waitForCommand((command) => command.job_id === 'job-2' && reported(command))
    expect(place.reports).toHaveLength(2)
  })

  test('retries a report until the answer is 2xx or 409, with longer delays', async () => {
    const machine = (await startTestController()).machine('m')
    const place = await startOutcomeServer(503, 401, 409)
    machine.behave({ mode: 'warm-up', after_ms: 1, report_retry_ms: 40 })
    await order(machine.url, { outcomeUrl: place.url })
    const { reports } = await machine.waitForCommand((command) => command.reports.length === 3)
    expect(reports.map(({ status }) => status)).toEqual([503, 401, 409])
    const at = reports.map((report) => Date.parse(report.at))
    expect((at[1] ?? 0) - (at[0] ?? 0)).toBeGreaterThanOrEqual(39)
    expect((at[2] ?? 0) - (at[1] ?? 0)).toBeGreaterThanOrEqual(79)
  })

  test('gives up a report after ten attempts', async () => {
    const controller = await startTestController()
    const machine = controller.machine('m')
    machine.behave({ mode: 'warm-up', after_ms: 1, report_retry_ms: 1 })
    // Port 9 is closed: there is no answer.
    await order(machine.url, { outcomeUrl: 'http://127.0.0.1:9/' })
    const { reports } = await machine.waitForCommand((command) => command.reports.length === 10)
    expect(reports.every(({ status }) => status === 0)).toBe(true)
    await expect(machine.waitForCommand((command) => command.reports.length > 10, 1_200)).rejects.toThrow('1200 ms')
  })

  test('reports REMOTEFAILED at once when a STOP ends the heating', async () => {
    const machine = (await startTestController()).machine('m')
    const place = await startOutcomeServer()
    machine.behave({ mode: 'warm-up', after_ms: 60_000, only: 'START' })
    await order(machine.url, { outcomeUrl: place.url })
    expect(await (await order(machine.url, { command: 'STOP', job: 'job-2' })).json()).toEqual({ result: 'SUCCESS' })
    expect(await machine.waitForCommand(reported)).toMatchObject({
      command: 'START',
      done: false,
      reports: [{ result: 'REMOTEFAILED' }],
    })
    expect(machine.state().state).toBe('stopped')
  })

  test('does not delay close', async () => {
    const controller = await startController()
    controller.machine('m').behave({ mode: 'warm-up', after_ms: 60_000 })
    await order(controller.machine('m').url)
    const startedAt = performance.now()
    await controller.close()
    expect(performance.now() - startedAt).toBeLessThan(2_000)
  })
})

describe('a machine with connection faults', () => {
  test('fails with the status, the body and the headers given', async () => {
    const machine = (await startTestController()).machine('m')
    await put(machine.url, { mode: 'fail', status: 503, body: { result: 1 }, headers: { 'retry-after': '7' } })
    const answer = await order(machine.url)
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '7'])
    expect(await answer.json()).toEqual({ result: 1 })
    await put(machine.url, { mode: 'fail', status: 404, body: 'nobody here' })
    expect(await (await order(machine.url)).text()).toBe('nobody here')
    await put(machine.url, { mode: 'fail' })
    expect((await order(machine.url)).status).toBe(500)
    expect(machine.commands().some(({ done }) => done)).toBe(false)
  })

  test('answers 200 with HTML as garbage', async () => {
    const machine = (await startTestController()).machine('m')
    await put(machine.url, { mode: 'garbage' })
    const answer = await order(machine.url)
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
    expect(await answer.text()).toMatch(/^<!doctype html>/)
  })

  test('closes the connection when it is unavailable, also for a repeated key', async () => {
    const machine = (await startTestController()).machine('m')
    await order(machine.url)
    await put(machine.url, { mode: 'away' })
    await expect(order(machine.url, { attempt: 2 })).rejects.toThrow('fetch failed')
    expect(machine.commands()).toHaveLength(2)
  })

  test('executes and then closes the connection, and does not execute again for the next attempt', async () => {
    const machine = (await startTestController()).machine('m')
    await put(machine.url, { mode: 'act-then-die', times: 1 })
    await expect(order(machine.url)).rejects.toThrow('fetch failed')
    expect(machine.state().state).toBe('running')
    expect(await (await order(machine.url, { attempt: 2 })).json()).toEqual({ result: 'SUCCESS' })
    expect(machine.commands().map(({ done }) => done)).toEqual([true, false])
  })

  test('hangs until the client disconnects', async () => {
    const machine = (await startTestController()).machine('m')
    await put(machine.url, { mode: 'hang', times: 1 })
    await expect(order(machine.url, { signal: AbortSignal.timeout(200) })).rejects.toThrow('timeout')
    expect((await order(machine.url)).status).toBe(200)
  })

  test('redirects to another machine, which gets no command', async () => {
    const controller = await startTestController()
    const machine = controller.machine('m')
    await put(machine.url, { mode: 'redirect' })
    const answer = await order(machine.url)
    expect([answer.status, answer.headers.get('location')]).toEqual([302, `${controller.url}/machines/m-elsewhere`])
    await put(machine.url, { mode: 'redirect', status: 307, location: 'http://127.0.0.1:9/' })
    expect((await order(machine.url)).status).toBe(307)
    expect(controller.machine('m-elsewhere').commands()).toEqual([])
  })

  test('answers SUCCESS with more than 64 KiB', async () => {
    const machine = (await startTestController()).machine('m')
    await put(machine.url, { mode: 'huge' })
    const text = await (await order(machine.url)).text()
    expect(Buffer.byteLength(text)).toBeGreaterThan(64 * 1024)
    expect(JSON.parse(text)).toMatchObject({ result: 'SUCCESS' })
    expect(machine.state().state).toBe('stopped')
  })
})

describe('the behaviour of a machine', () => {
  test('applies to `times` commands, then the machine obeys', async () => {
    const machine = (await startTestController()).machine('m')
    await put(machine.url, { mode: 'fail', status: 429, times: 2 })
    const statuses = [await order(machine.url), await order(machine.url), await order(machine.url)]
    expect(statuses.map(({ status }) => status)).toEqual([429, 429, 200])
  })

  test('of a script applies in order, each one to one command by default', async () => {
    const machine = (await startTestController()).machine('m')
    const script = [{ mode: 'fail', status: 503, times: 2 }, { mode: 'fail', status: 404 }, { mode: 'obey' }]
    expect((await put(machine.url, { script })).status).toBe(200)
    const statuses: number[] = []
    for (let attempt = 1; attempt <= 4; attempt++) statuses.push((await order(machine.url, { attempt })).status)
    expect(statuses).toEqual([503, 503, 404, 200])
    expect(machine.state().behaviour).toEqual({ mode: 'obey' })
  })

  test('with `only` does not apply to the other command, and does not count it', async () => {
    const machine = (await startTestController()).machine('m')
    machine.behave({ mode: 'refuse', only: 'START', times: 1 })
    expect(await (await order(machine.url, { command: 'STOP', job: 'a' })).json()).toEqual({ result: 'SUCCESS' })
    expect(await (await order(machine.url, { job: 'b' })).json()).toMatchObject({ result: 'REMOTEFAILED' })
    expect(await (await order(machine.url, { job: 'c' })).json()).toEqual({ result: 'SUCCESS' })
  })

  test('is set by PUT, which answers the new state, 400 to invalid JSON and 422 to an invalid behaviour', async () => {
    const machine = (await startTestController()).machine('m')
    const answer = await put(machine.url, { mode: 'hang' })
    expect(await answer.json()).toMatchObject({ name: 'm', behaviour: { mode: 'hang' } })
    expect((await fetch(machine.url, { method: 'PUT', body: 'no' })).status).toBe(400)
    expect((await put(machine.url, { mode: 'dance' })).status).toBe(422)
    expect((await put(machine.url, { mode: 'fail', status: 99 })).status).toBe(422)
    expect((await put(machine.url, { script: [] })).status).toBe(422)
    expect(machine.state().behaviour).toEqual({ mode: 'hang' })
    expect(() => machine.behave({ mode: 'obey', times: 0 })).toThrow()
  })

  test('is shown by GET /machines for every machine', async () => {
    const controller = await startTestController()
    await order(controller.machine('a').url)
    controller.machine('b')
    expect(await (await fetch(`${controller.url}/machines`)).json()).toMatchObject({
      machines: [
        { name: 'a', state: 'running' },
        { name: 'b', state: 'stopped' },
      ],
    })
  })
})

describe('what the controller refuses', () => {
  test('a command without a bearer token is 401; without a key, or unreadable, 400; none reaches the machine', async () => {
    const machine = (await startTestController()).machine('m')
    const post = (headers: Record<string, string>, body: string) =>
      fetch(machine.url, { method: 'POST', headers, body })
    const all = { authorization: 'Bearer t', 'idempotency-key': 'k' }
    expect((await post({ 'idempotency-key': 'k' }, '{}')).status).toBe(401)
    expect((await post({ authorization: 'Bearer t' }, '{}')).status).toBe(400)
    expect((await post(all, 'START')).status).toBe(400)
    expect((await post(all, '{"command":"DANCE"}')).status).toBe(400)
    expect(machine.commands()).toEqual([])
  })

  test('what is not implemented is 501, which names it', async () => {
    const { url } = await startTestController()
    const answer = await fetch(`${url}/alarms`)
    expect(answer.status).toBe(501)
    expect(await answer.text()).toContain('GET /alarms')
    expect((await fetch(`${url}/machines/m`, { method: 'DELETE' })).status).toBe(501)
    expect((await fetch(`${url}/machines/%zz`)).status).toBe(501)
  })
})
