// Reports of machines: what they say outranks what a command said, and what is old is shown as old.

import { beforeAll, describe, expect, test } from 'vitest'
import { makeKey } from '../accounts/people.ts'
import type { Person, World } from '../harness.ts'
import { open, shut } from '../platform/faults.ts'
import { callsOf, servicesOf } from '../round-trips.ts'
import { useQuietWorld } from '../shared-world.ts'
import { createSite, grant } from '../sites/places.ts'
import { deliver, endLease, readRow, readTimeline, request, rewind } from './qstash-calls.ts'
import { ageReport, aPullMachine, readMachine, reporterOf } from './reporting.ts'

let world: World
let owner: Person
beforeAll(async () => {
  world = await useQuietWorld()
  owner = await world.signUp()
})

const start = (machine: { id: number }) => request(world, owner, machine.id, 'START')
const stop = (machine: { id: number }) => request(world, owner, machine.id, 'STOP')

/** A machine with an address that also reports. */
async function aPushMachine() {
  const machine = await world.createMachine(owner)
  return { ...machine, ...(await reporterOf(world, owner, machine.id)) }
}

describe('a report', () => {
  test('sets the status, its source, and what is reported', async () => {
    const machine = await aPullMachine(world, owner)
    expect(await readMachine(owner, machine.id)).toMatchObject({
      status: 'READY',
      status_source: 'person',
      delivery: 'pull',
      reported: null,
    })
    const sent = {
      status: 'RUNNING',
      mode: 'automatic',
      remote_enabled: true,
      cycles: 7,
      last_cycle_ms: 31_500,
      alarm: { code: 'E-204', text: '금형 보호 이상' },
      interval_seconds: 30,
    }
    expect(await machine.report(sent)).toEqual({ report_again_in_seconds: 30, holds: [], command: null })
    const shown = await readMachine(owner, machine.id)
    expect(shown).toMatchObject({ status: 'RUNNING', status_source: 'report' })
    expect(shown.reported).toEqual({ ...sent, at: expect.stringMatching(/Z$/), is_fresh: true })
    expect(shown.status_at).toBe(shown.reported.at)
  })

  test('whose counters alone have changed is one statement without the lock, and keeps the ETag', async () => {
    const machine = await aPullMachine(world, owner)
    await machine.report({ cycles: 1 })
    const before = await owner.request('GET', `/api/machines/${machine.id}`)
    const { calls } = await callsOf(world, () => machine.report({ cycles: 2 }))
    const names = calls.map(({ service, request: { body } }) => [service, nameOf(body)])
    expect(names).toEqual([['postgres', 'refresh-reports']])
    const after = await owner.request('GET', `/api/machines/${machine.id}`)
    expect(after.headers.get('ETag')).toBe(before.headers.get('ETag'))
    expect(after.body.reported).toMatchObject({ cycles: 2 })
    expect(after.body.updated_at).toBe(before.body.updated_at)
    expect(after.body.status_at).toBe(before.body.status_at)
  })

  test.each([
    ['status', { status: 'ERROR' }],
    ['mode', { mode: 'manual' }],
    ['remote_enabled', { remote_enabled: false }],
    ['alarm', { alarm: { code: 'E-1', text: '' } }],
    ['interval_seconds', { interval_seconds: 20 }],
  ])('with another %s changes the ETag', async (_, change) => {
    const machine = await aPullMachine(world, owner)
    await machine.report()
    const before = await owner.request('GET', `/api/machines/${machine.id}`)
    await machine.report(change)
    const after = await owner.request('GET', `/api/machines/${machine.id}`)
    expect(after.headers.get('ETag')).not.toBe(before.headers.get('ETag'))
    expect(after.body.reported).toMatchObject(change)
  })

  test('is ignored if its seq is not higher, or if it comes from the boot before the present one', async () => {
    const machine = await aPullMachine(world, owner)
    const first = machine.next({ status: 'RUNNING' })
    await machine.send(first)
    const old = await machine.send({ ...first, status: 'ERROR' })
    expect([old.status, old.body.command]).toEqual([200, null])
    expect(await readMachine(owner, machine.id)).toMatchObject({ status: 'RUNNING' })
    await machine.send({ boot_id: 'second', seq: 0, status: 'READY' })
    await machine.report({ status: 'ERROR' })
    expect(await readMachine(owner, machine.id)).toMatchObject({ status: 'READY' })
    await machine.send({ boot_id: 'third', seq: 0, status: 'POWEROFF' })
    await machine.report({ status: 'ERROR' }) // the one before the last is not remembered: a new boot
    expect(await readMachine(owner, machine.id)).toMatchObject({ status: 'ERROR' })
  })

  test('in a text that is not UTF-8, with NUL and raw control characters, is read', async () => {
    const machine = await aPullMachine(world, owner)
    const text = JSON.stringify(machine.next({ alarm: { code: 204, text: 'X' } }))
    const [before = '', after = ''] = text.split('X')
    // 금 in EUC-KR
    const body = Buffer.concat([Buffer.from(`${before}a\\u0000b\t`), Buffer.from([0xb1, 0xdd]), Buffer.from(after)])
    const answer = await world.request('POST', `/api/machines/${machine.id}/reports`, {
      token: (await makeKey(world, owner, { scopes: ['report'], machine_id: machine.id })).secret,
      body,
      headers: { 'Content-Type': 'text/plain; charset=euc-kr' },
    })
    expect([answer.status, answer.text]).toEqual([200, expect.any(String)])
    expect((await readMachine(owner, machine.id)).reported.alarm).toEqual({ code: '204', text: 'ab 금' })
  })

  test.each([
    ['an unknown member', { remote_enable: false }, '/remote_enable'],
    ['an unknown status', { status: 'ON' }, '/status'],
    ['an unknown mode', { mode: 'auto' }, '/mode'],
    ['a negative seq', { seq: -1 }, '/seq'],
    ['a fraction of a cycle', { cycles: 1.5 }, '/cycles'],
    ['an interval of 4 s', { interval_seconds: 4 }, '/interval_seconds'],
    ['no boot', { boot_id: undefined }, '/boot_id'],
    [
      'an unknown result',
      { outcome: { job_id: '0198c0de-7c1a-7000-8000-000000000001', result: 'DONE' } },
      '/outcome/result',
    ],
  ])('with %s is refused, and nothing changes', async (_, members, pointer) => {
    const machine = await aPullMachine(world, owner)
    const answer = await machine.send(machine.next(members))
    expect([answer.status, answer.body.code, answer.body.errors?.[0]?.pointer]).toEqual([
      422,
      'validation_failed',
      pointer,
    ])
    expect(await readMachine(owner, machine.id)).toMatchObject({ reported: null })
  })

  test('needs a key with the scope, of a manager, for this machine', async () => {
    const machine = await aPullMachine(world, owner)
    const other = await aPullMachine(world, owner)
    const path = `/api/machines/${machine.id}/reports`
    const body = { boot_id: 'b', seq: 1, status: 'READY' }
    const refusal = async (token: string) => {
      const answer = await world.request('POST', path, { token, body })
      return [answer.status, answer.body.code]
    }
    expect(await refusal(owner.access)).toEqual([403, 'key_required'])
    expect(await refusal((await makeKey(world, owner)).secret)).toEqual([403, 'scope_missing'])
    const ofOther = await makeKey(world, owner, { scopes: ['report'], machine_id: other.id })
    expect(await refusal(ofOther.secret)).toEqual([404, 'not_found'])
    expect(await readMachine(owner, machine.id)).toMatchObject({ reported: null })
  })
})

test('a key whose account is no manager of the machine any more reports nothing', async () => {
  const [manager, machine] = [await world.signUp(), await world.createMachine(owner, { controller_url: null })]
  const path = `/api/machines/${machine.id}`
  await grant(owner, path, manager, 'manager')
  const reporter = await reporterOf(world, manager, machine.id)
  await reporter.report()
  expect((await readMachine(owner, machine.id)).delivery).toBe('pull')
  await grant(owner, path, manager, 'operator')
  expect(await reporter.send(reporter.next({ status: 'ERROR' }))).toMatchObject({
    status: 403,
    body: { code: 'role_too_low' },
  })
  await owner.request('DELETE', `${path}/members/${manager.id}`)
  expect((await reporter.send(reporter.next({ status: 'ERROR' }))).body.code).toBe('not_owner')
  await world.postgres.query('UPDATE accounts SET is_active = false WHERE id = $1', [manager.id])
  expect((await reporter.send(reporter.next({ status: 'ERROR' }))).status).toBe(401)
  expect(await readMachine(owner, machine.id)).toMatchObject({ status: 'READY', delivery: 'pull' })
  expect((await world.operate(owner, machine.id, 'STOP')).body.code).toBe('no_controller')
})

function nameOf(body: Buffer): string {
  return /\/\* ([\w-]+) \*\//.exec(body.toString())?.[1] ?? ''
}

describe('a machine whose reports have stopped', () => {
  test('is shown as it was, with its age and another ETag, and is not started but stopped', async () => {
    const machine = await aPullMachine(world, owner)
    await machine.report({ interval_seconds: 10 })
    const before = await owner.request('GET', `/api/machines/${machine.id}`)
    await ageReport(world, machine.id, '31 seconds')
    const after = await owner.request('GET', `/api/machines/${machine.id}`)
    expect(after.body).toMatchObject({ status: 'READY', status_source: 'report', reported: { is_fresh: false } })
    expect(after.headers.get('ETag')).toBe(before.headers.get('ETag')?.replace('fresh', 'stale'))
    expect(await world.operate(owner, machine.id, 'START')).toMatchObject({ status: 409, body: { code: 'stale' } })
    expect((await world.operate(owner, machine.id, 'STOP')).status).toBe(202)
  })

  test('is fresh for three intervals', async () => {
    const machine = await aPullMachine(world, owner)
    await machine.report({ interval_seconds: 100 })
    await ageReport(world, machine.id, '290 seconds')
    expect((await readMachine(owner, machine.id)).reported.is_fresh).toBe(true)
    expect((await world.operate(owner, machine.id, 'START')).status).toBe(202)
  })

  test('is started again after its next report', async () => {
    const machine = await aPullMachine(world, owner)
    await machine.report()
    await ageReport(world, machine.id, '1 hour')
    await machine.report()
    expect((await world.operate(owner, machine.id, 'START')).status).toBe(202)
  })

  test('is not sent a START that was accepted before', async () => {
    const machine = await aPushMachine()
    await machine.report()
    const job = await start(machine)
    await ageReport(world, machine.id, '31 seconds')
    await deliver(world, job.id)
    expect(await readRow(world, job.id)).toMatchObject({ state: 'REJECTED', result: 'INVALIDCOMMAND', reason: 'stale' })
    expect(machine.commands()).toEqual([])
  })

  test('and whose keys are revoked is a machine that does not report', async () => {
    const { id } = await world.createMachine(owner)
    const key = await makeKey(world, owner, { scopes: ['report'], machine_id: id })
    await key.request('POST', `/api/machines/${id}/reports`, { body: { boot_id: 'b', seq: 1, status: 'READY' } })
    await ageReport(world, id, '1 hour')
    expect((await world.operate(owner, id, 'START')).body.code).toBe('stale')
    await owner.request('DELETE', `/api/keys/${key.id}`)
    expect((await world.operate(owner, id, 'START')).status).toBe(202)
  })

  test('can be given a status by hand, and not while they come', async () => {
    const machine = await aPullMachine(world, owner)
    await machine.report({ status: 'ERROR' })
    const patch = () => owner.request('PATCH', `/api/machines/${machine.id}`, { body: { status: 'READY' } })
    expect(await patch()).toMatchObject({ status: 409, body: { code: 'machine_reports' } })
    expect((await owner.request('PATCH', `/api/machines/${machine.id}`, { body: { status: 'ERROR' } })).status).toBe(
      200,
    )
    await ageReport(world, machine.id, '1 hour')
    expect((await patch()).body).toMatchObject({ status: 'READY', status_source: 'person' })
    await machine.report({ status: 'ERROR' })
    expect(await readMachine(owner, machine.id)).toMatchObject({ status: 'ERROR', status_source: 'report' })
  })
})

describe('a machine that takes no commands from afar', () => {
  test('is not started, and the preflight says so', async () => {
    const machine = await aPullMachine(world, owner)
    await machine.report({ remote_enabled: false })
    expect(await world.operate(owner, machine.id, 'START')).toMatchObject({
      status: 409,
      body: { code: 'remote_disabled' },
    })
    const { body } = await owner.request('GET', `/api/machines/${machine.id}/preflight`)
    expect(body).toMatchObject({ may: false, reasons: [{ code: 'remote_disabled' }] })
    expect((await world.operate(owner, machine.id, 'STOP')).status).toBe(202)
  })

  test('is not sent a START that was accepted before', async () => {
    const machine = await aPullMachine(world, owner)
    await machine.report({ remote_enabled: true })
    const job = await start(machine)
    expect((await machine.report({ remote_enabled: false })).command).toBeNull()
    expect(await readRow(world, job.id)).toMatchObject({ state: 'REJECTED', reason: 'remote_disabled' })
  })
})

describe('a machine without an address and without a key', () => {
  test('is not commanded', async () => {
    const { id } = await world.createMachine(owner, { controller_url: null })
    expect((await readMachine(owner, id)).delivery).toBe('push')
    for (const command of ['START', 'STOP'] as const) {
      expect((await world.operate(owner, id, command)).body.code).toBe('no_controller')
    }
  })
})

describe('a command that the machine fetches', () => {
  test('comes with the answer to the next report, with two calls, and its outcome with the one after', async () => {
    const machine = await aPullMachine(world, owner)
    await machine.report()
    const job = await start(machine)
    expect(job).toMatchObject({ state: 'QUEUED', confirmed_at: null })
    const { answer, calls } = await callsOf(world, () => machine.report())
    expect(calls.filter(({ service }) => service === 'postgres')).toHaveLength(2)
    expect(answer).toEqual({
      report_again_in_seconds: 2,
      holds: [],
      command: {
        command: 'START',
        sequence: 1,
        job_id: job.id,
        machine_id: machine.id,
        attempt: 1,
        not_after: job.not_after,
        outcome_url: `${world.url}/api/callbacks/jobs/${job.id}/outcome`,
        outcome_token: expect.any(String),
        token: expect.any(String),
      },
    })
    expect(await readRow(world, job.id)).toMatchObject({ state: 'SENT', attempts: 1 })
    const done = await machine.report({
      status: 'RUNNING',
      outcome: { job_id: job.id, result: 'SUCCESS', detail: 'ok' },
    })
    expect(done).toEqual({ report_again_in_seconds: 10, holds: [], command: null })
    expect(await readRow(world, job.id)).toMatchObject({ state: 'SUCCEEDED', detail: 'ok' })
    expect((await readTimeline(world, job.id)).map((event) => (event as unknown[]).slice(1, 5))).toEqual([
      ['QUEUED', null, String(owner.id), null],
      ['SENT', 1, 'machine', null],
      ['SUCCEEDED', null, 'controller', null],
      ['SUCCEEDED', 1, 'machine', 'confirmed'],
    ])
    expect(await readMachine(owner, machine.id)).toMatchObject({ status: 'RUNNING', status_source: 'report' })
    // The lease has ended with the outcome: the STOP comes at once.
    const stopJob = await stop(machine)
    expect((await machine.report({ status: 'RUNNING' })).command).toMatchObject({ command: 'STOP', job_id: stopJob.id })
  })

  test('comes again after its lease, under the same id, if the answer is lost', async () => {
    const machine = await aPullMachine(world, owner)
    await machine.report()
    const job = await start(machine)
    expect((await machine.report()).command.attempt).toBe(1)
    expect((await machine.report()).command).toBeNull()
    await endLease(world, machine.id)
    await world.postgres.query('UPDATE jobs SET next_attempt_at = now() WHERE id = $1', [job.id])
    expect((await machine.report()).command).toMatchObject({ job_id: job.id, attempt: 2 })
  })

  test('is a STOP: it comes whatever lease there is', async () => {
    const machine = await aPullMachine(world, owner)
    await machine.report()
    await start(machine)
    await machine.report()
    const job = await stop(machine)
    expect((await machine.report()).command).toMatchObject({ command: 'STOP', job_id: job.id, attempt: 1 })
    await world.postgres.query('UPDATE jobs SET next_attempt_at = now() WHERE id = $1', [job.id])
    expect((await machine.report()).command).toMatchObject({ command: 'STOP', job_id: job.id, attempt: 2 })
  })

  test('is not handed out by a delivery of the queue, which ends it when it has expired', async () => {
    const machine = await aPullMachine(world, owner)
    await machine.report()
    const job = await start(machine)
    const early = await deliver(world, job.id)
    expect([early.status, Number(early.headers.get('Retry-After'))]).toEqual([503, expect.any(Number)])
    expect(Number(early.headers.get('Retry-After'))).toBeGreaterThan(50)
    expect(await readRow(world, job.id)).toMatchObject({ state: 'QUEUED', attempts: 0 })
    await rewind(world, job.id, 'not_after', '1 second')
    expect((await deliver(world, job.id)).status).toBe(200)
    expect(await readRow(world, job.id)).toMatchObject({ state: 'EXPIRED', reason: 'not_in_time' })
    expect((await machine.report()).command).toBeNull()
  })

  test('is published once, to be delivered when it expires', async () => {
    const machine = await aPullMachine(world, owner)
    await machine.report()
    const job = await start(machine)
    const sent = () => world.requestsTo('qstash').filter(({ body }) => body.includes(job.id))
    expect(sent().map(({ headers }) => headers['upstash-delay'])).toEqual(['60s'])
    await world.sweep()
    await world.settle()
    expect(sent()).toHaveLength(1)
    expect(await readRow(world, job.id)).toMatchObject({ state: 'QUEUED', attempts: 0, publish_no: 1 })
  })

  test('is not a START for a machine that has begun to run by itself', async () => {
    const machine = await aPullMachine(world, owner)
    await machine.report()
    const job = await start(machine)
    expect((await machine.report({ status: 'RUNNING' })).command).toBeNull()
    expect(await readRow(world, job.id)).toMatchObject({ state: 'REJECTED', reason: 'changed' })
  })

  test('whose outcome is for another machine, or was another before, is told, and the report is stored', async () => {
    const machine = await aPullMachine(world, owner)
    const other = await aPullMachine(world, owner)
    await machine.report()
    const job = await start(machine)
    await machine.report()
    const wrong = await other.report({ status: 'ERROR', outcome: { job_id: job.id, result: 'SUCCESS' } })
    expect(wrong.problem).toMatchObject({ status: 404, code: 'not_found' })
    expect(await readMachine(owner, other.id)).toMatchObject({ status: 'ERROR' })
    expect(await readRow(world, job.id)).toMatchObject({ state: 'SENT' })
    await machine.report({ outcome: { job_id: job.id, result: 'REMOTEFAILED' } })
    const second = await machine.report({ outcome: { job_id: job.id, result: '1' } })
    expect(second.problem).toMatchObject({ status: 409, code: 'outcome_contradicts' })
    expect(await readRow(world, job.id)).toMatchObject({ state: 'FAILED', result: 'REMOTEFAILED' })
    expect(await readMachine(owner, machine.id)).toMatchObject({ status: 'READY', status_source: 'report' })
  })

  test('can be PENDING: it is not handed out again', async () => {
    const machine = await aPullMachine(world, owner)
    await machine.report()
    const job = await start(machine)
    await machine.report()
    await machine.report({ outcome: { job_id: job.id, result: 'PENDING' } })
    await endLease(world, machine.id)
    expect((await machine.report()).command).toBeNull()
    expect(await readRow(world, job.id)).toMatchObject({ state: 'PENDING' })
    await machine.report({ status: 'RUNNING', outcome: { job_id: job.id, result: 'SUCCESS' } })
    expect(await readRow(world, job.id)).toMatchObject({ state: 'SUCCEEDED', confirmed_at: expect.anything() })
  })

  test('does not come with the answer to a report that is ignored', async () => {
    const machine = await aPullMachine(world, owner)
    await machine.report()
    await start(machine)
    const { body: repeated } = await machine.send({ ...machine.next(), seq: 1 })
    expect(repeated).toMatchObject({ report_again_in_seconds: 2, command: null })
    expect((await machine.report()).command).toMatchObject({ attempt: 1 })
  })

  test('is a STOP that QStash has not taken: it waits for the report, and is claimed by nobody else', async () => {
    const machine = await aPullMachine(world, owner)
    await machine.report()
    world.faults.qstash.pass = shut
    const job = await stop(machine).finally(() => {
      world.faults.qstash.pass = open
    })
    await world.settle()
    const claims = () =>
      world.requestsTo('postgres').filter(({ body }) => nameOf(body) === 'claim' && body.includes(job.id))
    expect(claims()).toEqual([])
    expect((await machine.report()).command).toMatchObject({ job_id: job.id })
  })

  test('is not handed to the boot before the present one', async () => {
    const machine = await aPullMachine(world, owner)
    await machine.report()
    await machine.send({ boot_id: 'second', seq: 1, status: 'READY' })
    await start(machine)
    expect((await machine.report()).command).toBeNull()
    expect((await machine.send({ boot_id: 'second', seq: 2, status: 'READY' })).body.command).toMatchObject({
      attempt: 1,
    })
  })

  test('shows the holds, and a hold takes the START away', async () => {
    const machine = await aPullMachine(world, owner)
    await machine.report()
    const job = await start(machine)
    const hold = await owner.request('POST', `/api/machines/${machine.id}/holds`, { body: { reason: '금형 교체 중' } })
    expect(await machine.report()).toMatchObject({ command: null, holds: [hold.body] })
    expect(await readRow(world, job.id)).toMatchObject({ state: 'SUPERSEDED', reason: 'by_hold' })
  })
})

describe('the reports of a gateway', () => {
  async function aSite() {
    const site = await createSite(owner)
    const ids: number[] = []
    for (let index = 0; index < 3; index += 1) {
      ids.push((await world.createMachine(owner, { controller_url: null, site_id: site.id })).id)
    }
    const key = await makeKey(world, owner, { scopes: ['report'], site_id: site.id })
    const send = (reports: unknown) => key.request('POST', `/api/sites/${site.id}/reports`, { body: { reports } })
    return { ids, send, site }
  }
  const at = (machine_id: unknown, seq: number, members: Record<string, unknown> = {}) => {
    return { machine_id, boot_id: 'gateway', seq, status: 'READY', ...members }
  }

  test('are stored for each machine, and their commands come with the answer', async () => {
    const { ids, send } = await aSite()
    const [first = 0, second = 0, third = 0] = ids
    const before = await send(ids.map((id) => at(id, 1)))
    expect(before.body).toEqual({
      report_again_in_seconds: 10,
      results: ids.map((id) => ({ machine_id: id, holds: [], command: null })),
    })
    const [one, two] = [await start({ id: first }), await stop({ id: third })]
    const { body } = await send([at(first, 2), at(second, 2, { status: 'RUNNING' }), at(third, 2)])
    expect(body.report_again_in_seconds).toBe(2)
    expect(body.results.map(({ command }: { command: { job_id: string } | null }) => command?.job_id)).toEqual([
      one.id,
      undefined,
      two.id,
    ])
    expect(await readMachine(owner, second)).toMatchObject({ status: 'RUNNING', delivery: 'pull' })
  })

  test('of which one is bad are all stored but that one', async () => {
    const { ids, send } = await aSite()
    const [first = 0, second = 0, third = 0] = ids
    const elsewhere = await aPullMachine(world, owner)
    const { status, body } = await send([
      at(first, 1, { status: 'OFF' }),
      at(second, 1),
      at(elsewhere.id, 1),
      at(second, 2),
      'nothing',
      at(third, 1),
    ])
    expect(status).toBe(200)
    type Result = { machine_id: number | null; problem?: { code: string; errors?: { pointer: string }[] } }
    const results = body.results.map(({ machine_id, problem }: Result) => {
      return [machine_id, problem?.code, problem?.errors?.[0]?.pointer]
    })
    expect(results).toEqual([
      [first, 'validation_failed', '/reports/0/status'],
      [second, undefined, undefined],
      [elsewhere.id, 'not_found', undefined],
      [second, 'validation_failed', '/reports/3/machine_id'],
      [null, 'validation_failed', '/reports/4'],
      [third, undefined, undefined],
    ])
    expect((await readMachine(owner, third)).reported).not.toBeNull()
    expect((await readMachine(owner, elsewhere.id)).reported).toBeNull()
  })

  test('do not tell whether a machine that the key does not see has an open job', async () => {
    const { ids, send } = await aSite()
    const elsewhere = await aPullMachine(world, owner)
    await start(elsewhere)
    const { body } = await send([at(ids[0], 1), at(elsewhere.id, 1)])
    expect([body.report_again_in_seconds, body.results[1].problem.code]).toEqual([10, 'not_found'])
  })

  test('that change only counters are one statement for all', async () => {
    const { ids, send } = await aSite()
    await send(ids.map((id) => at(id, 1)))
    expect(await servicesOf(world, () => send(ids.map((id) => at(id, 2, { cycles: 5 }))))).toEqual(['postgres'])
  })
})
