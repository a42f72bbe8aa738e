// The answers of a controller and their effect on the job: every row of the contract, over HTTP and as a table.
import { gzipSync } from 'node:zlib'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { type ControllerCommand, interpretBody, interpretStatus, sendCommand } from '../../src/jobs/controller.ts'
import type { Person, World } from '../harness.ts'
import type { BehaviourOrder } from '../platform/controller/behaviour.ts'
import { open } from '../platform/faults.ts'
import { useQuietWorld } from '../shared-world.ts'
import { deliver, readMachineStatus, readRow, readTimeline, request } from './qstash-calls.ts'

let world: World
let owner: Person
beforeAll(async () => {
  world = await useQuietWorld()
  owner = await world.signUp()
})

async function sendTo(behaviour: BehaviourOrder, command: 'START' | 'STOP' = 'START') {
  const machine = await world.createMachine(owner, { status: command === 'START' ? 'READY' : 'RUNNING' })
  machine.behave(behaviour)
  const { id } = await request(world, owner, machine.id, command)
  const answer = await deliver(world, id)
  return { id, answer, row: await readRow(world, id), status: await readMachineStatus(world, machine.id), machine }
}

const says = (result: unknown, detail?: unknown): BehaviourOrder => ({
  mode: 'fail',
  status: 200,
  body: { result, detail },
})

describe('an answer that ends the job', () => {
  const refused = { state: 'FAILED', result: 'REMOTEFAILED', reason: 'refused' }
  const invalid = { state: 'FAILED', result: 'INTERNALFAILED', reason: 'bad_answer' }
  const succeeded = { state: 'SUCCEEDED', result: 'SUCCESS', reason: null }
  const endings: [string, BehaviourOrder, object, string][] = [
    ['SUCCESS: RUNNING', says('SUCCESS', 'warm'), { ...succeeded, detail: 'warm' }, 'RUNNING'],
    ['the old number 1', says(1), { ...succeeded, detail: null }, 'RUNNING'],
    ['201 is also a success', { mode: 'fail', status: 201, body: { result: 'SUCCESS' } }, succeeded, 'RUNNING'],
    ['REMOTEFAILED: refused, ERROR', says('REMOTEFAILED', 'gate open'), { ...refused, detail: 'gate open' }, 'ERROR'],
    ['the old number 2', says(2), refused, 'ERROR'],
    ['the number as text', says('1'), { ...succeeded, detail: null }, 'RUNNING'],
    ['a name in another case', says('Success'), { ...succeeded, detail: null }, 'RUNNING'],
    ['a detail that is not text', says('SUCCESS', { a: 1 }), { ...succeeded, detail: '{"a":1}' }, 'RUNNING'],
    ['another 2xx result is an invalid response', says('MAYBE'), invalid, 'ERROR'],
    ['the old number 3 is not accepted from a controller', says(3), invalid, 'ERROR'],
    ['204 without a body', { mode: 'fail', status: 204 }, invalid, 'ERROR'],
    ['an empty 200', { mode: 'fail', status: 200, body: '' }, invalid, 'ERROR'],
    ['a page of HTML', { mode: 'garbage' }, invalid, 'ERROR'],
    ['more than 64 KiB, even with SUCCESS', { mode: 'huge' }, invalid, 'ERROR'],
    ['400', { mode: 'fail', status: 400, body: { result: 'SUCCESS' } }, refused, 'ERROR'],
    ['401', { mode: 'fail', status: 401 }, refused, 'ERROR'],
    [
      '403 of a controller behind Cloudflare',
      { mode: 'fail', status: 403, headers: { server: 'cloudflare' }, body: { error: 'not mine', code: 1003 } },
      refused,
      'ERROR',
    ],
    [
      "403 with the controller's own error 1020",
      { mode: 'fail', status: 403, body: 'Error 1020: the gate is open' },
      refused,
      'ERROR',
    ],
    ['403 with more than 64 KiB', { mode: 'fail', status: 403, body: 'x'.repeat(70_000) }, refused, 'ERROR'],
    ["404 with Cloudflare's error page", { mode: 'fail', status: 404, body: 'error code: 1003' }, refused, 'ERROR'],
    ['404', { mode: 'fail', status: 404 }, refused, 'ERROR'],
    ['499', { mode: 'fail', status: 499 }, refused, 'ERROR'],
  ]
  test.each(endings)('%s', async (_, behaviour, expected, machineStatus) => {
    const { answer, row, status } = await sendTo(behaviour)
    expect(answer.status).toBe(200)
    expect(row).toMatchObject({ ...expected, attempts: 1, version: 3 })
    expect(row.finished_at).not.toBeNull()
    expect(status).toBe(machineStatus)
  })

  test.each([301, 302, 303, 307, 308] as const)('%i is not followed and is an invalid response', async (status) => {
    const elsewhere = world.controller.machine(`elsewhere-${status}`)
    const { row, answer } = await sendTo({ mode: 'redirect', status, location: elsewhere.url })
    expect(answer.status).toBe(200)
    expect(row).toMatchObject(invalid)
    expect(elsewhere.commands()).toEqual([])
  })

  test('one that is more than 64 KiB after decompression is an invalid response', async () => {
    const body = gzipSync(JSON.stringify({ result: 'SUCCESS', detail: 'x'.repeat(70_000) }))
    const machine = await world.createMachine(owner)
    world.faults.controller.pass = async () => ({ headers: { 'content-encoding': 'gzip' }, body })
    onTestFinished(() => {
      world.faults.controller.pass = open
    })
    const { id } = await request(world, owner, machine.id, 'START')
    await deliver(world, id)
    expect(await readRow(world, id)).toMatchObject(invalid)
  })

  test('a detail of more than 1,000 characters is cut, and NUL is removed and lone surrogates are replaced', async () => {
    const long = `\u0000\ud800${'가'.repeat(998)}😀tail`
    const { row } = await sendTo(says('SUCCESS', long))
    expect([...String(row.detail)]).toHaveLength(1_000)
    expect(String(row.detail)).toBe(`\ufffd${'가'.repeat(998)}😀`)
  })
})

test.each(['PENDING', 4])('%s: the job and the machine are PENDING, and QStash does not retry', async (result) => {
  const { answer, row, status, id } = await sendTo(says(result, 'heating'))
  expect(answer.status).toBe(200)
  expect(row).toMatchObject({ state: 'PENDING', result: 'PENDING', detail: 'heating', finished_at: null, version: 3 })
  expect(row.pending_since).not.toBeNull()
  expect(status).toBe('PENDING')
  expect((await readTimeline(world, id)).at(-1)).toEqual([3, 'PENDING', 1, 'controller', null, 'heating'])
})

const cloudflare = { server: 'cloudflare', 'cf-ray': '9a1b2c3d4e5f6789-ICN' }
const errorPage = (code: number) => `<!DOCTYPE html><title>Access denied | example.com used Cloudflare</title>
  <h1><span data-translate="error">Error</span> <span class="cf-error-code">${code}</span></h1>`
/** A 403 in place of the controller, which has not seen the command. */
const cloudflareRefusals: [string, Record<string, string>, unknown][] = [
  ['a challenge', { ...cloudflare, 'cf-mitigated': 'challenge' }, '<html>Just a moment...</html>'],
  ['a challenge without a body', { 'cf-mitigated': 'challenge' }, ''],
  ['error 1003 as plain text', cloudflare, 'error code: 1003'],
  ['error 1020 as plain text, with a line break', {}, 'error code: 1020\n'],
  ['error 1003 as a page', cloudflare, errorPage(1003)],
  ['error 1020 as a page', {}, errorPage(1020)],
  ['error 1020 as JSON', cloudflare, { title: 'Error 1020: Access denied', error_code: 1020, cloudflare_error: true }],
]

describe('an answer after which the queue retries: 503 without Retry-After, and the lease has ended', () => {
  const again: [string, BehaviourOrder, boolean, RegExp][] = [
    ['408', { mode: 'fail', status: 408 }, true, /answered 408/],
    ['425', { mode: 'fail', status: 425 }, true, /answered 425/],
    ['429', { mode: 'fail', status: 429 }, false, /answered 429/],
    ['500 with SUCCESS in the body', { mode: 'fail', status: 500, body: { result: 1 } }, true, /answered 500/],
    ['502', { mode: 'fail', status: 502 }, true, /answered 502/],
    ['503', { mode: 'fail', status: 503, headers: { 'retry-after': '7' } }, false, /answered 503/],
    ['504', { mode: 'fail', status: 504 }, true, /answered 504/],
    ...cloudflareRefusals.map(([what, headers, body]): [string, BehaviourOrder, boolean, RegExp] => [
      `403 by Cloudflare: ${what}`,
      { mode: 'fail', status: 403, headers, body },
      false,
      /^Cloudflare answered 403/,
    ]),
    ["Cloudflare's 522", { mode: 'fail', status: 522 }, true, /answered 522/],
    ["Cloudflare's 530", { mode: 'fail', status: 530 }, true, /answered 530/],
    ['a connection that is cut off', { mode: 'away' }, true, /no connection/],
  ]
  test.each(again)('%s', async (_, behaviour, mayHaveExecuted, detail) => {
    const { answer, row, status, id, machine } = await sendTo(behaviour)
    expect(answer).toMatchObject({ status: 503, body: { done: false } })
    expect(answer.headers.has('Retry-After')).toBe(false)
    expect(row).toMatchObject({
      state: 'SENT',
      result: null,
      attempts: 1,
      may_have_executed: mayHaveExecuted,
      version: 3,
    })
    expect(status).toBe('READY')
    const last = [3, 'SENT', 1, 'queue', 'attempt_failed', expect.stringMatching(detail)]
    expect((await readTimeline(world, id)).at(-1)).toEqual(last)
    const [lease] = await world.postgres.query('SELECT leased_until FROM machines WHERE id = $1', [machine.id])
    expect(lease?.leased_until).toBeNull()
  })

  test('no answer within 10 s', async () => {
    const beganAt = performance.now()
    const { answer, row, id } = await sendTo({ mode: 'hang' })
    expect(performance.now() - beganAt).toBeGreaterThan(9_500)
    expect(answer.status).toBe(503)
    expect(row).toMatchObject({ state: 'SENT', may_have_executed: true })
    expect((await readTimeline(world, id)).at(-1)).toContain('no answer within 10 s')
  })

  test('no server at the address', async () => {
    const machine = await world.createMachine(owner, { controller_url: 'http://127.0.0.1:1/machine' })
    const { id } = await request(world, owner, machine.id, 'START')
    expect((await deliver(world, id)).status).toBe(503)
    expect(await readRow(world, id)).toMatchObject({ state: 'SENT', may_have_executed: true })
  })
})

test.each([
  ['"SUCCESS"', 'bad_answer', 'the answer was not a JSON object'],
  ['{"result":1', 'bad_answer', 'the answer was not a JSON object'],
  ['{"result":true}', 'bad_answer', 'the answer had no result of SUCCESS, REMOTEFAILED or PENDING'],
  ['{"result":2,"other":0}', 'REMOTEFAILED', null],
])('the body %s gives the result %s', (text, result, detail) => {
  expect(interpretBody(new TextEncoder().encode(text))).toEqual({ result, detail })
})

test('a command is not sent to a URL that is not allowed, whoever sends it', async () => {
  const context = { allowPrivateControllers: false } as Parameters<typeof sendCommand>[0] // needs no more to refuse
  expect(await sendCommand(context, 'http://10.0.0.1/', {} as ControllerCommand, Date.now() + 60_000, 1_000)).toEqual({
    result: 'not_confirmed',
    detail: expect.stringMatching(/^the controller URL must not have an IP address/),
  })
})

test('every status but 2xx has a result', () => {
  const resultsOf = (statuses: number[]) => [...new Set(statuses.map((status) => interpretStatus(status).result))]
  expect(resultsOf([429, 503])).toEqual(['busy'])
  expect(resultsOf([408, 425, 500, 501, 502, 504, 521, 522, 523, 530, 599])).toEqual(['may_have_executed'])
  expect(resultsOf([400, 401, 403, 404, 409, 410, 422, 451, 499])).toEqual(['REMOTEFAILED'])
  expect(resultsOf([300, 301, 302, 303, 304, 307, 308])).toEqual(['bad_answer'])
})
