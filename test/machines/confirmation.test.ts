// Before the first command, a controller confirms that it controls the machine. So nobody can move a machine by
// registering its controller, and nobody can reserve an address.

import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { Person, TestMachine, World } from '../harness.ts'
import { deliver, readMachineStatus, readRow, request, waitUntilDue } from '../jobs/qstash-calls.ts'
import { type StandInAnswer, type StandInRequest, startHttpServer } from '../platform/http.ts'
import { useQuietWorld } from '../shared-world.ts'

let world: World
let owner: Person
let stranger: Person
beforeAll(async () => {
  world = await useQuietWorld()
  owner = await world.signUp()
  stranger = await world.signUp()
})

type Confirm = { command: string; machine_id: number; owner: string; challenge: string }
const check = (person: Person, id: number) => person.request('POST', `/api/machines/${id}/controller/check`)

/** A machine whose controller answers CONFIRM like this, and every command with SUCCESS. */
async function machineThatAnswers(answer: (confirm: Confirm, request: StandInRequest) => StandInAnswer) {
  const requests: { body: Confirm; headers: StandInRequest['headers'] }[] = []
  const controller = await startHttpServer('controller', async (received) => {
    const body: Confirm = JSON.parse(received.body.toString())
    requests.push({ body, headers: received.headers })
    return body.command === 'CONFIRM' ? answer(body, received) : { body: { result: 'SUCCESS' } }
  })
  onTestFinished(() => controller.close())
  const machine = await world.createUnconfirmedMachine(owner, { controller_url: `${controller.url}/press?line=1` })
  const commands = () => requests.map(({ body }) => body.command)
  return { machine, requests, commands, url: `${controller.url}/press?line=1` }
}

const obedient = ({ machine_id, challenge }: Confirm): StandInAnswer => ({ body: { machine_id, challenge } })

const readMachine = async (person: Person, { id }: Pick<TestMachine, 'id'>) =>
  (await person.request('GET', `/api/machines/${id}`)).body

describe('the first command', () => {
  test('is preceded by a signed CONFIRM with the machine, its owner and a challenge; the second one is not', async () => {
    const { machine, requests, commands, url } = await machineThatAnswers(obedient)
    const start = await request(world, owner, machine.id, 'START')
    expect((await deliver(world, start.id)).status).toBe(200)
    expect(await readRow(world, start.id)).toMatchObject({ state: 'SUCCEEDED', attempts: 1 })
    expect(requests[0]?.body).toEqual({
      command: 'CONFIRM',
      machine_id: machine.id,
      owner: owner.username,
      challenge: expect.stringMatching(/^[0-9a-f-]{36}$/),
    })
    const [, payload = ''] = requests[0]?.headers.authorization?.split('.') ?? []
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString())
    expect(claims).toMatchObject({ iss: world.url, aud: url, machine: machine.id, body_sha256: expect.any(String) })
    expect(claims).not.toHaveProperty('sequence')
    const stop = await request(world, owner, machine.id, 'STOP')
    await deliver(world, stop.id)
    expect(commands()).toEqual(['CONFIRM', 'START', 'STOP'])
    expect((await readMachine(owner, machine)).controller_confirmed_at).toMatch(/Z$/)
    expect((await readMachine(stranger, machine)).controller_confirmed_at).toBeNull()
  })

  test('is a STOP: it asks, too', async () => {
    const { machine, commands } = await machineThatAnswers(obedient)
    const stop = await request(world, owner, machine.id, 'STOP')
    await deliver(world, stop.id)
    expect(await readRow(world, stop.id)).toMatchObject({ state: 'SUCCEEDED' })
    expect(commands()).toEqual(['CONFIRM', 'STOP'])
  })
})

describe('a controller that does not confirm is never told to move', () => {
  const answers: [string, (confirm: Confirm) => StandInAnswer][] = [
    ['401', () => ({ status: 401, body: {} })],
    ['404', () => ({ status: 404 })],
    ['a redirect', () => ({ status: 302, headers: { location: '/elsewhere' } })],
    ['204', () => ({ status: 204 })],
    ['SUCCESS, as to a command', () => ({ body: { result: 'SUCCESS' } })],
    ['another machine', ({ machine_id, challenge }) => ({ body: { machine_id: machine_id + 1, challenge } })],
    ['another challenge', ({ machine_id }) => ({ body: { machine_id, challenge: 'guessed' } })],
    ['the machine as text', ({ machine_id, challenge }) => ({ body: { machine_id: String(machine_id), challenge } })],
    ['HTML', () => ({ headers: { 'content-type': 'text/html' }, body: '<!doctype html>' })],
    ['null', () => ({ body: null })],
    ['more than 64 KiB', ({ machine_id, challenge }) => ({ body: { machine_id, challenge, x: 'x'.repeat(70_000) } })],
  ]
  test.each(answers)('it answers %s: REJECTED, and the machine stays as it was', async (_, answer) => {
    const { machine, commands } = await machineThatAnswers(answer)
    for (const command of ['START', 'STOP'] as const) {
      const { id } = await request(world, owner, machine.id, command)
      expect((await deliver(world, id)).status).toBe(200)
      expect(await readRow(world, id)).toMatchObject({
        state: 'REJECTED',
        result: 'INVALIDCOMMAND',
        reason: 'controller_refused',
        detail: expect.any(String),
      })
    }
    expect(commands()).toEqual(['CONFIRM', 'CONFIRM'])
    expect(await readMachineStatus(world, machine.id)).toBe('READY')
    expect((await readMachine(owner, machine)).controller_confirmed_at).toBeNull()
    expect(await check(owner, machine.id)).toMatchObject({ status: 409, body: { code: 'controller_refused' } })
  })

  test('the machine of another account: the owner keeps her machine', async () => {
    const victim = await world.createMachine(owner)
    const stolen = await world.createUnconfirmedMachine(stranger, { controller_url: null })
    // Somebody else cannot even register the address …
    const answer = await stranger.request('PATCH', `/api/machines/${stolen.id}`, {
      body: { controller_url: victim.url },
    })
    expect([answer.status, answer.body.code]).toEqual([409, 'controller_taken'])
    // … and another spelling, which the controller takes for its own, moves nothing.
    const other = `${victim.url}?x`
    await stranger.request('PATCH', `/api/machines/${stolen.id}`, { body: { controller_url: other } })
    const start = await request(world, stranger, stolen.id, 'START')
    await deliver(world, start.id)
    expect(await readRow(world, start.id)).toMatchObject({ state: 'REJECTED', reason: 'controller_refused' })
    expect(victim.commands()).toEqual([])
    expect(await readMachineStatus(world, victim.id)).toBe('READY')
  })
})

describe('a CONFIRM without an answer is an attempt like any other', () => {
  const byCloudflare = { status: 403, headers: { 'cf-mitigated': 'challenge' } }
  test.each<[StandInAnswer]>([[{ status: 429 }], [{ status: 500 }], [{ status: 503 }], [byCloudflare]])(
    '%j: the command is sent later, and was certainly not executed',
    async (busy) => {
      let isBusy = true
      const { machine, commands } = await machineThatAnswers((confirm) => (isBusy ? busy : obedient(confirm)))
      const { id } = await request(world, owner, machine.id, 'START')
      expect((await deliver(world, id)).status).toBe(503)
      expect(await readRow(world, id)).toMatchObject({ state: 'SENT', attempts: 1, may_have_executed: false })
      expect(await check(owner, machine.id)).toMatchObject({ status: 502, body: { code: 'controller_unreachable' } })
      isBusy = false
      await waitUntilDue(world, id)
      expect((await deliver(world, id)).status).toBe(200)
      expect(await readRow(world, id)).toMatchObject({ state: 'SUCCEEDED', attempts: 2 })
      expect(commands()).toEqual(['CONFIRM', 'CONFIRM', 'CONFIRM', 'START'])
    },
  )

  test('no connection: after four attempts the START is FAILED as unreachable', async () => {
    const machine = await world.createUnconfirmedMachine(owner, { controller_url: 'http://127.0.0.1:9/' })
    const { id } = await request(world, owner, machine.id, 'START')
    for (let n = 0; n < 5; n += 1) {
      await waitUntilDue(world, id)
      await deliver(world, id)
    }
    expect(await readRow(world, id)).toMatchObject({ state: 'FAILED', reason: 'unreachable', attempts: 4 })
  })
})

describe('a confirmation', () => {
  test('is asked for on demand by those who may operate the machine', async () => {
    const { machine } = await machineThatAnswers(obedient)
    expect(await check(stranger, machine.id)).toMatchObject({ status: 403, body: { code: 'not_owner' } })
    const answer = await check(owner, machine.id)
    expect(answer.status).toBe(200)
    expect((await readMachine(owner, machine)).controller_confirmed_at).toBe(answer.body.confirmed_at)
    expect(await check(owner, 999_999)).toMatchObject({ status: 404 })
    const without = await world.createUnconfirmedMachine(owner, { controller_url: null })
    expect(await check(owner, without.id)).toMatchObject({ status: 409, body: { code: 'no_controller' } })
  })

  test('belongs to the URL: another URL has to be confirmed again, the same one has not', async () => {
    const machine = await world.createMachine(owner)
    const set = (controller_url: string | null) =>
      owner.request('PATCH', `/api/machines/${machine.id}`, { body: { controller_url, name: 'New' } })
    expect((await set(machine.url)).body.controller_confirmed_at).not.toBeNull()
    expect((await set(`${machine.url}?x`)).body.controller_confirmed_at).toBeNull()
    expect((await set(machine.url)).body.controller_confirmed_at).toBeNull()
  })

  test('an unconfirmed address reserves nothing: the first controller that confirms has it', async () => {
    const first = await world.createUnconfirmedMachine(stranger)
    const second = await world.createUnconfirmedMachine(owner, { controller_url: first.url })
    first.pin(second.id)
    expect(await check(stranger, first.id)).toMatchObject({ status: 409, body: { code: 'controller_refused' } })
    expect((await check(owner, second.id)).status).toBe(200)
    const body = { name: 'Third', location: 'Hall 1', controller_url: first.url }
    expect(await stranger.request('POST', '/api/machines', { body })).toMatchObject({
      status: 409,
      body: { code: 'controller_taken' },
    })
  })

  test.each([
    ['the default port and the case of the host', 'http://EXAMPLE.com:80/a', 'http://example.com/a'],
    ['dots in the path', 'http://example.com/b/../c/./d', 'http://example.com/c/d'],
    ['a dot after the host', 'http://example.com./e', 'http://example.com/e'],
    ['an escaped letter of the host', 'http://ex%61mple.com/f', 'http://example.com/f'],
  ])('two spellings of one address are one controller: %s', async (_, one, other) => {
    const machine = await world.createUnconfirmedMachine(owner, { controller_url: one })
    // Nobody answers there, so the test stores the confirmation.
    await world.postgres.query(
      'UPDATE machines SET controller_confirmed_at = now(), confirmed_address = $2 WHERE id = $1',
      [machine.id, other],
    )
    const body = { name: 'Twin', location: 'Hall 1', controller_url: one }
    expect((await stranger.request('POST', '/api/machines', { body })).body.code).toBe('controller_taken')
    expect((await stranger.request('POST', '/api/machines', { body: { ...body, controller_url: other } })).status).toBe(
      409,
    )
    expect(
      (await owner.request('PATCH', `/api/machines/${machine.id}`, { body: { controller_url: other } })).status,
    ).toBe(200)
  })

  test('of two machines with one address at once, one is confirmed', async () => {
    const both = await Promise.all(
      [owner, stranger].map(async (person) => ({ person, machine: await world.createUnconfirmedMachine(person) })),
    )
    const controller = await startHttpServer('controller', async ({ body }) => obedient(JSON.parse(body.toString())))
    onTestFinished(() => controller.close())
    for (const { person, machine } of both) {
      await person.request('PATCH', `/api/machines/${machine.id}`, { body: { controller_url: controller.url } })
    }
    const answers = await Promise.all(both.map(({ person, machine }) => check(person, machine.id)))
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409])
    expect(answers.find(({ status }) => status === 409)?.body.detail).toContain('the controller of another machine')
  })
})
