// The command as a controller receives it. The public keys are enough to verify it.
import { createHash } from 'node:crypto'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { beforeAll, expect, test } from 'vitest'
import type { Person, World } from '../harness.ts'
import { useQuietWorld } from '../shared-world.ts'
import { deliver, request } from './qstash-calls.ts'

let world: World
let owner: Person
beforeAll(async () => {
  world = await useQuietWorld()
  owner = await world.signUp()
})

async function send() {
  const machine = await world.createMachine(owner)
  machine.behave({ mode: 'fail', status: 503, times: 1 })
  const job = await request(world, owner, machine.id, 'START')
  await deliver(world, job.id)
  await deliver(world, job.id)
  const [first, second] = machine.commands()
  if (!first || !second) throw new Error('two attempts make two commands')
  return { machine, job, first, second }
}

const keys = () => createRemoteJWKSet(new URL('/.well-known/jwks.json', world.url))

test('contains the command, its order, the job, the machine, the attempt, the deadline and the URL for the report', async () => {
  const { machine, job, first, second } = await send()
  expect(Object.keys(JSON.parse(first.body)).sort()).toEqual(
    ['attempt', 'command', 'job_id', 'machine_id', 'not_after', 'outcome_token', 'outcome_url', 'sequence'].sort(),
  )
  expect(first).toMatchObject({
    command: 'START',
    job_id: job.id,
    machine_id: machine.id,
    attempt: 1,
    sequence: 1,
    not_after: job.not_after,
    outcome_url: `${world.url}/api/callbacks/jobs/${job.id}/outcome`,
  })
  expect(second).toMatchObject({ attempt: 2, sequence: 1, not_after: job.not_after })
})

test('has the job id as Idempotency-Key at every attempt', async () => {
  const { job, first, second } = await send()
  expect([first.idempotency_key, second.idempotency_key]).toEqual([job.id, job.id])
})

test('has a token for this controller and machine that our JWKS verifies, valid for 60 s and only for this body', async () => {
  const { machine, job, first, second } = await send()
  const ids = new Set<unknown>()
  for (const command of [first, second]) {
    const token = command.authorization.replace('Bearer ', '')
    const { payload, protectedHeader } = await jwtVerify(token, keys(), {
      algorithms: ['EdDSA'],
      issuer: world.url,
      audience: machine.url,
    })
    expect(payload).toMatchObject({ sub: job.id, machine: machine.id, sequence: 1 })
    expect(protectedHeader).toMatchObject({ alg: 'EdDSA', kid: 'test-1' })
    expect(Number(payload.exp) - Number(payload.iat)).toBe(60)
    expect(payload.body_sha256).toBe(createHash('sha256').update(command.body).digest('base64url'))
    ids.add(payload.jti)
  }
  expect(ids.size).toBe(2)
})

test('has an outcome token that is valid for 24 h and only for this job', async () => {
  const { job, first } = await send()
  const { payload } = await jwtVerify(first.outcome_token, keys(), { issuer: world.url, audience: 'outcome' })
  expect(payload.sub).toBe(job.id)
  expect(Number(payload.exp) - Number(payload.iat)).toBe(24 * 60 * 60)
  expect((await world.request('GET', '/api/me', { token: first.outcome_token })).status).toBe(401)
})
