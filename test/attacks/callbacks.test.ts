// The callbacks are on the open internet: only QStash and the controller of the job may use them.
// test/jobs/signature.test.ts has the forged signatures, claim by claim.
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { SignJWT } from 'jose'
import { beforeAll, expect, test } from 'vitest'
import type { Person, World } from '../harness.ts'
import {
  deliver,
  deliverPath,
  failedPath,
  postCallback,
  readRow,
  request,
  sendFailureCallback,
} from '../jobs/qstash-calls.ts'
import { signDelivery } from '../platform/qstash/signature.ts'
import { useQuietWorld } from '../shared-world.ts'

let world: World
let owner: Person
beforeAll(async () => {
  world = await useQuietWorld()
  owner = await world.signUp()
})

async function start() {
  const machine = await world.createMachine(owner)
  return { machine, job: await request(world, owner, machine.id, 'START') }
}

const sign = (path: string, body: string, at = Date.now(), key = world.qstash.currentSigningKey) =>
  signDelivery(key, `${world.url}${path}`, Buffer.from(body), at)

test('a replayed delivery does not send the command again', async () => {
  const { machine, job } = await start()
  const body = JSON.stringify({ job_id: job.id })
  const signature = sign(deliverPath, body)
  const answers = [await postCallback(world, deliverPath, body, signature)]
  for (let n = 0; n < 5; n += 1) answers.push(await postCallback(world, deliverPath, body, signature))
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200))
  expect(machine.commands()).toHaveLength(1)
})

test('a delivery signed for yesterday or tomorrow is refused', async () => {
  const { machine, job } = await start()
  const body = JSON.stringify({ job_id: job.id })
  for (const at of [Date.now() - 86_400_000, Date.now() + 3_600_000]) {
    expect((await postCallback(world, deliverPath, body, sign(deliverPath, body, at))).status).toBe(401)
  }
  expect(machine.commands()).toEqual([])
})

test('a signature for one job does not deliver another', async () => {
  const [one, other] = [await start(), await start()]
  const signature = sign(deliverPath, JSON.stringify({ job_id: one.job.id }))
  expect((await postCallback(world, deliverPath, { job_id: other.job.id }, signature)).status).toBe(401)
  expect(other.machine.commands()).toEqual([])
})

test('a signature for one callback is not valid for the other', async () => {
  const { job } = await start()
  const body = JSON.stringify({ job_id: job.id })
  expect((await postCallback(world, failedPath, body, sign(deliverPath, body))).status).toBe(401)
})

test('the current and the next signing key are accepted, and no other key', async () => {
  const { job } = await start()
  const body = JSON.stringify({ job_id: job.id })
  const { currentSigningKey, nextSigningKey } = world.qstash
  const statuses: number[] = []
  for (const key of ['sig_of_nobody_at_all', nextSigningKey, currentSigningKey]) {
    statuses.push((await postCallback(world, deliverPath, body, sign(deliverPath, body, Date.now(), key))).status)
  }
  expect(statuses).toEqual([401, 200, 200])
})

/**
 * Announces a body of this many bytes, sends only its beginning, and reads status and code of the answer: a client that
 * sends all of it may fail to, because the Worker answers and closes before.
 */
async function postBeginning(path: string, bytes: number): Promise<[status: number | undefined, code: unknown]> {
  const headers = { 'Content-Type': 'application/json', 'Content-Length': bytes, 'Upstash-Signature': 'x.y.z' }
  const sending = httpRequest(new URL(path, world.url).href, { method: 'POST', headers })
  sending.write('x')
  const [response] = (await once(sending, 'response')) as [IncomingMessage] // the event's only argument
  const { code } = JSON.parse(await text(response))
  sending.destroy()
  return [response.statusCode, code]
}

test('an oversized callback is refused before its signature is checked', async () => {
  const mostBytes = 256 * 1024
  const answer = await postCallback(world, deliverPath, 'x'.repeat(mostBytes), 'x.y.z')
  expect([answer.status, answer.body.code]).toEqual([401, 'bad_signature'])
  for (const bytes of [mostBytes + 1, 2 * 1024 * 1024]) {
    expect(await postBeginning(deliverPath, bytes)).toEqual([413, 'body_too_large'])
  }
})

test('a failure callback that is forged or too early does not end a job: the stored state decides', async () => {
  const { machine, job } = await start()
  const forged = await postCallback(world, failedPath, { sourceBody: '' }, 'x.y.z')
  expect(forged.status).toBe(401)
  // A correctly signed callback that comes too early: the job continues.
  expect((await sendFailureCallback(world, job.id)).status).toBe(200)
  expect(await readRow(world, job.id)).toMatchObject({ state: 'QUEUED', publish_no: 2 })
  expect((await deliver(world, job.id)).status).toBe(200)
  expect(machine.commands()).toHaveLength(1)
})

test('an account cannot report an outcome, not even of its own job', async () => {
  const { job } = await start()
  const answer = await owner.request('POST', `/api/callbacks/jobs/${job.id}/outcome`, { body: { result: 'SUCCESS' } })
  expect([answer.status, answer.body.code]).toEqual([401, 'token_invalid'])
  const homeMade = await new SignJWT({ sub: job.id, iss: world.url, aud: 'outcome' })
    .setProtectedHeader({ alg: 'HS256', kid: 'test-1' })
    .setExpirationTime('1h')
    .sign(createHash('sha256').update('a guess').digest())
  const forged = await world.request('POST', `/api/callbacks/jobs/${job.id}/outcome`, {
    token: homeMade,
    body: { result: 'SUCCESS' },
  })
  expect(forged.status).toBe(401)
  expect(await readRow(world, job.id)).toMatchObject({ state: 'QUEUED', version: 1 })
})

test('the tokens of a command that a controller keeps are refused by the API', async () => {
  const { machine, job } = await start()
  await deliver(world, job.id)
  const [command] = machine.commands()
  const token = command?.authorization.replace('Bearer ', '')
  expect((await world.request('GET', '/api/me', { token })).status).toBe(401)
  const outcome = await world.request('POST', `/api/callbacks/jobs/${job.id}/outcome`, {
    token,
    body: { result: 'SUCCESS' },
  })
  expect(outcome.status).toBe(401)
})
