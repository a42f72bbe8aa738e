// Reports of a controller after it answered PENDING: in time, late, twice and contradictory.
import { gzipSync } from 'node:zlib'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Person, World } from '../harness.ts'
import type { BehaviourOrder } from '../platform/controller/behaviour.ts'
import { useQuietWorld } from '../shared-world.ts'
import { deliver, readMachineStatus, readRow, readTimeline, request, rewind, setMachineStatus } from './qstash-calls.ts'

let world: World
let owner: Person
beforeAll(async () => {
  world = await useQuietWorld()
  owner = await world.signUp()
})

const pending: BehaviourOrder = { mode: 'fail', status: 200, body: { result: 'PENDING' }, times: 1 }

/** A job that was sent once, with its outcome token. */
async function send(behaviour: BehaviourOrder = pending, command: 'START' | 'STOP' = 'START') {
  const machine = await world.createMachine(owner, { status: command === 'START' ? 'READY' : 'RUNNING' })
  machine.behave(behaviour)
  const job = await request(world, owner, machine.id, command)
  await deliver(world, job.id)
  const token = machine.commands().at(-1)?.outcome_token
  return { machine, job, token, report: (body: unknown) => report(job.id, token, body) }
}

const report = (jobId: string, token: string | undefined, body: unknown) =>
  world.request('POST', `/api/callbacks/jobs/${jobId}/outcome`, { token, body })

test('a report is stored whatever its Accept header says', async () => {
  const { job, token } = await send()
  const headers = { Accept: 'text/plain' }
  const path = `/api/callbacks/jobs/${job.id}/outcome`
  const answer = await world.request('POST', path, { token, body: { result: 'SUCCESS' }, headers })
  expect([answer.status, answer.body.state]).toEqual([200, 'SUCCEEDED'])
})

describe('a PENDING job ends by the report', () => {
  test.each([
    ['START', 'SUCCESS', 'SUCCEEDED', null, 'RUNNING'],
    ['START', 1, 'SUCCEEDED', null, 'RUNNING'],
    ['START', 'REMOTEFAILED', 'FAILED', 'refused', 'ERROR'],
    ['START', 2, 'FAILED', 'refused', 'ERROR'],
    ['STOP', 'SUCCESS', 'SUCCEEDED', null, 'READY'],
    ['STOP', 'REMOTEFAILED', 'FAILED', 'refused', 'ERROR'],
  ] as const)('%s, %s: %s', async (command, result, state, reason, status) => {
    const { machine, job, report } = await send(pending, command)
    expect(await readMachineStatus(world, machine.id)).toBe('PENDING')
    const answer = await report({ result, detail: 'at 220 °C' })
    expect(answer).toMatchObject({ status: 200, body: { job_id: job.id, state } })
    expect(await readRow(world, job.id)).toMatchObject({ state, reason, detail: 'at 220 °C', version: 4 })
    expect((await readTimeline(world, job.id)).at(-1)).toEqual([4, state, null, 'controller', reason, 'at 220 °C'])
    expect(await readMachineStatus(world, machine.id)).toBe(status)
  })
})

test('the stand-in of the controller reports by itself, and the job succeeds', async () => {
  const { job } = await send({ mode: 'warm-up', after_ms: 50 })
  await world.waitForJob(owner, job.id, 'SUCCEEDED')
})

describe('a report without a valid result', () => {
  const accepted = 'must be SUCCESS or REMOTEFAILED, or its number in the old system, 1 or 2'
  test.each([
    ['no result', {}],
    ['PENDING, which the controller has already answered', { result: 'PENDING' }],
    ['another number', { result: 3 }],
    ['another type', { result: true, detail: 'SUCCESS' }],
    ['another name', { result: 'MAYBE' }],
  ])('(%s) is answered 422 with what is accepted, and changes nothing', async (_, body) => {
    const { job, report } = await send()
    const answer = await report(body)
    expect(answer).toMatchObject({ status: 422, body: { code: 'validation_failed' } })
    expect(answer.body.errors).toEqual([{ pointer: '/result', detail: accepted }])
    expect(await readRow(world, job.id)).toMatchObject({ state: 'PENDING', version: 3 })
  })

  test('is answered 422 if it is not an object, and 400 if it is not JSON', async () => {
    const { report } = await send()
    const errors = [{ pointer: '', detail: 'must be a JSON object' }]
    expect(await report('["SUCCESS"]')).toMatchObject({ status: 422, body: { errors } })
    for (const body of ['', 'result=SUCCESS', '{"result":']) {
      expect(await report(body)).toMatchObject({ status: 400, body: { code: 'malformed_json' } })
    }
  })
})

describe('a fault in the free text leaves the result', () => {
  const inCp949 = (json: string) => {
    const [before = '', after = ''] = json.split('사출기')
    return new Uint8Array([...Buffer.from(before), 0xbb, 0xe7, 0xc3, 0xe2, 0xb1, 0xe2, ...Buffer.from(after)])
  }
  const faults: [string, unknown, string | undefined, string | null][] = [
    ['NUL', { result: 'SUCCESS', detail: 'a\0b' }, undefined, 'ab'],
    ['a lone surrogate', '{"result":"SUCCESS","detail":"\\ud800"}', undefined, '\ufffd'],
    ['1,001 characters', { result: 'SUCCESS', detail: `${'가'.repeat(999)}😀!` }, undefined, `${'가'.repeat(999)}😀`],
    ['a number', { result: '1', detail: 7 }, undefined, '7'],
    ['an object', { result: 'success', detail: { code: 7 } }, undefined, '{"code":7}'],
    ['null', { result: 1, detail: null, firmware: '1.2' }, undefined, null],
    ['CP949', inCp949('{"result":"SUCCESS","detail":"사출기"}'), 'application/json; charset=CP949', '사출기'],
    [
      'CP949 without a charset',
      inCp949('{"result":1,"detail":"사출기!"}'),
      undefined,
      expect.stringMatching(/^\ufffd.*!$/),
    ],
    ['a raw line break', '{"result":1,"detail":"a\nb"}', undefined, 'a b'],
    ['JSON as plain text', '{"result":1,"detail":"x"}', 'text/plain', 'x'],
  ]
  test.each(faults)('%s', async (_, body, contentType, detail) => {
    const { machine, job, token } = await send()
    const headers = { 'Content-Type': contentType ?? 'application/json' }
    const answer = await world.request('POST', `/api/callbacks/jobs/${job.id}/outcome`, { token, body, headers })
    expect(answer).toMatchObject({ status: 200, body: { state: 'SUCCEEDED' } })
    expect(await readRow(world, job.id)).toMatchObject({ state: 'SUCCEEDED', detail })
    expect(await readMachineStatus(world, machine.id)).toBe('RUNNING')
  })

  test('a Content-Encoding that compresses nothing; a compressed report is answered 415', async () => {
    const { job, token } = await send()
    const path = `/api/callbacks/jobs/${job.id}/outcome`
    const body = '{"result":"SUCCESS"}'
    const gzip = { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' }
    const compressed = await world.request('POST', path, { token, body: gzipSync(body), headers: gzip })
    expect(compressed).toMatchObject({ status: 415, body: { code: 'unsupported_media_type' } })
    const headers = { ...gzip, 'Content-Encoding': 'utf-8' }
    expect(await world.request('POST', path, { token, body, headers })).toMatchObject({ status: 200 })
  })
})

test('the same result again is answered 200 and changes nothing', async () => {
  const { job, report } = await send()
  for (let n = 0; n < 3; n += 1) expect((await report({ result: 'SUCCESS' })).status).toBe(200)
  expect(await readRow(world, job.id)).toMatchObject({ state: 'SUCCEEDED', version: 4 })
})

test('a contradictory report is answered 409 and recorded once; job and machine do not change', async () => {
  const { machine, job, report } = await send()
  await report({ result: 'SUCCESS' })
  for (let n = 0; n < 2; n += 1) {
    const answer = await report({ result: 'REMOTEFAILED', detail: 'fuse' })
    expect(answer).toMatchObject({ status: 409, body: { code: 'outcome_contradicts' } })
  }
  expect(await readRow(world, job.id)).toMatchObject({
    state: 'SUCCEEDED',
    result: 'SUCCESS',
    detail: null,
    version: 5,
  })
  const note = [5, 'SUCCEEDED', null, 'controller', 'contradiction', 'REMOTEFAILED: fuse']
  expect((await readTimeline(world, job.id)).slice(4)).toEqual([note])
  expect(await readMachineStatus(world, machine.id)).toBe('RUNNING')
})

test('every report contradicts a job that ended without its controller (EXPIRED)', async () => {
  const { job, report } = await send({ mode: 'fail', status: 503 })
  await rewind(world, job.id, 'not_after', '0 seconds')
  await deliver(world, job.id)
  expect((await report({ result: 'SUCCESS' })).status).toBe(409)
  expect(await readRow(world, job.id)).toMatchObject({ state: 'EXPIRED', result: 'IGNORE', version: 5 })
})

describe('a job that was PENDING for 10 min is TIMED_OUT', () => {
  async function timeOut() {
    const sent = await send()
    await rewind(world, sent.job.id, 'pending_since', '10 minutes')
    await world.sweep()
    expect(await readRow(world, sent.job.id)).toMatchObject({
      state: 'TIMED_OUT',
      result: 'INTERNALFAILED',
      reason: 'no_report',
    })
    expect(await readMachineStatus(world, sent.machine.id)).toBe('ERROR')
    return sent
  }

  test('and not one second earlier', async () => {
    const { job } = await send()
    await rewind(world, job.id, 'pending_since', '9 minutes 50 seconds')
    await world.sweep()
    expect(await readRow(world, job.id)).toMatchObject({ state: 'PENDING' })
  })

  test('and accepts a later report, which sets the machine status', async () => {
    const { machine, job, report } = await timeOut()
    expect(await report({ result: 'SUCCESS' })).toMatchObject({ status: 200, body: { state: 'SUCCEEDED' } })
    expect(await readRow(world, job.id)).toMatchObject({ state: 'SUCCEEDED', result: 'SUCCESS', reason: null })
    expect((await readTimeline(world, job.id)).at(-1)).toEqual([
      5,
      'SUCCEEDED',
      null,
      'controller',
      'late_answer',
      null,
    ])
    expect(await readMachineStatus(world, machine.id)).toBe('RUNNING')
  })

  test('… which sets ERROR after a later job has ended, and RUNNING after one that is open or was refused', async () => {
    const open = await timeOut()
    await request(world, owner, open.machine.id, 'STOP')
    expect((await open.report({ result: 'SUCCESS' })).status).toBe(200)
    expect(await readRow(world, open.job.id)).toMatchObject({ state: 'SUCCEEDED' })
    expect(await readMachineStatus(world, open.machine.id)).toBe('RUNNING')

    const ended = await timeOut()
    ended.machine.behave({ mode: 'obey' })
    await deliver(world, (await request(world, owner, ended.machine.id, 'STOP')).id)
    expect(await readMachineStatus(world, ended.machine.id)).toBe('READY')
    expect((await ended.report({ result: 'SUCCESS' })).status).toBe(200)
    expect(await readMachineStatus(world, ended.machine.id)).toBe('ERROR')

    const refused = await timeOut()
    expect((await world.operate(owner, refused.machine.id, 'START')).status).toBe(409)
    await refused.report({ result: 'SUCCESS' })
    expect(await readMachineStatus(world, refused.machine.id)).toBe('RUNNING')
  })
})

test('a job that FAILED with outcome_unknown accepts a late report', async () => {
  const { machine, job, report } = await send({ mode: 'away' })
  await rewind(world, job.id, 'not_after', '0 seconds')
  await deliver(world, job.id)
  expect(await readRow(world, job.id)).toMatchObject({ state: 'FAILED', reason: 'outcome_unknown' })
  expect((await report({ result: 'REMOTEFAILED', detail: 'cold' })).status).toBe(200)
  expect(await readRow(world, job.id)).toMatchObject({ state: 'FAILED', result: 'REMOTEFAILED', reason: 'refused' })
  expect(await readMachineStatus(world, machine.id)).toBe('ERROR')
})

describe('a report while the job is SENT', () => {
  test('ends it; a STOP does not wait for the answer, which changes nothing when it comes', async () => {
    const machine = await world.createMachine(owner)
    machine.behave({ mode: 'slow', after_ms: 600, times: 1 })
    const job = await request(world, owner, machine.id, 'START')
    const delivery = deliver(world, job.id)
    const { outcome_token } = await machine.waitForCommand()
    expect((await report(job.id, outcome_token, { result: 'SUCCESS' })).status).toBe(200)
    expect(await readRow(world, job.id)).toMatchObject({ state: 'SUCCEEDED', version: 3 })

    const stop = await request(world, owner, machine.id, 'STOP')
    expect((await deliver(world, stop.id)).status).toBe(200)
    expect(await readRow(world, stop.id)).toMatchObject({ state: 'SUCCEEDED', attempts: 1 })
    expect((await delivery).status).toBe(200)
    expect(await readRow(world, job.id)).toMatchObject({ state: 'SUCCEEDED', version: 3 })
    expect(await readMachineStatus(world, machine.id)).toBe('READY')
  })

  test('that the answer contradicts is recorded', async () => {
    const machine = await world.createMachine(owner)
    machine.behave({ mode: 'slow', after_ms: 500, times: 1 })
    const job = await request(world, owner, machine.id, 'START')
    const delivery = deliver(world, job.id)
    const { outcome_token } = await machine.waitForCommand()
    await report(job.id, outcome_token, { result: 'REMOTEFAILED' })
    expect((await delivery).status).toBe(200)
    expect(await readRow(world, job.id)).toMatchObject({ state: 'FAILED', result: 'REMOTEFAILED' })
    expect((await readTimeline(world, job.id)).at(-1)).toEqual([
      4,
      'FAILED',
      1,
      'controller',
      'contradiction',
      'SUCCESS',
    ])
    await setMachineStatus(world, machine.id, 'READY')
  })
})
