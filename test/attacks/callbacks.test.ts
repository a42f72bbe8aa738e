// The callbacks are on the open internet: whoever is not QStash, or not the controller of this very job, gets nowhere.
// Forged signatures claim by claim stand in test/jobs/signature.test.ts.
import { createHash } from 'node:crypto'
import { SignJWT } from 'jose'
import { beforeAll, expect, test } from 'vitest'
import type { Person, World } from '../harness.ts'
import { deliver, deliverPath, failedPath, giveUp, postCallback, readRow, request } from '../jobs/qstash-calls.ts'
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

test('a replayed delivery sends nothing twice', async () => {
  const { machine, job } = await start()
  const body = JSON.stringify({ job_id: job.id })
  const signature = sign(deliverPath, body)
  const answers = [await postCallback(world, deliverPath, body, signature)]
  for (let n = 0; n < 5; n += 1) answers.push(await postCallback(world, deliverPath, body, signature))
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200))
  expect(machine.commands()).toHaveLength(1)
})

test('a delivery of yesterday, or of tomorrow, is refused', async () => {
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

test('a signature for one callback does not open the other', async () => {
  const { job } = await start()
  const body = JSON.stringify({ job_id: job.id })
  expect((await postCallback(world, failedPath, body, sign(deliverPath, body))).status).toBe(401)
})

test('both signing keys are accepted while they are rolled, and a third one is not', async () => {
  const { job } = await start()
  const body = JSON.stringify({ job_id: job.id })
  const { currentSigningKey, nextSigningKey } = world.qstash
  const statuses: number[] = []
  for (const key of ['sig_of_nobody_at_all', nextSigningKey, currentSigningKey]) {
    statuses.push((await postCallback(world, deliverPath, body, sign(deliverPath, body, Date.now(), key))).status)
  }
  expect(statuses).toEqual([401, 200, 200])
})

test('an oversized callback is refused before its signature is looked at', async () => {
  const answer = await postCallback(world, deliverPath, 'x'.repeat(2 * 1024 * 1024), 'x.y.z')
  expect([answer.status, answer.body.code]).toEqual([413, 'body_too_large'])
})

test('a forged failure does not end a job: what happens next is decided by what is stored', async () => {
  const { machine, job } = await start()
  const forged = await postCallback(world, failedPath, { sourceBody: '' }, 'x.y.z')
  expect(forged.status).toBe(401)
  // A true one that comes much too early: the job goes on.
  expect((await giveUp(world, job.id)).status).toBe(200)
  expect(await readRow(world, job.id)).toMatchObject({ state: 'QUEUED', publish_no: 2 })
  expect((await deliver(world, job.id)).status).toBe(200)
  expect(machine.commands()).toHaveLength(1)
})

test('somebody with an account cannot report an outcome, also not that of a job of theirs', async () => {
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

test('a command that a controller keeps is good for nothing at the API', async () => {
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
