// The token that a controller gets with a command: it can only report the outcome of this job.
import { importJWK, SignJWT } from 'jose'
import { beforeAll, describe, expect, test } from 'vitest'
import { makeSigningKey, type Person, type World } from '../harness.ts'
import { useQuietWorld } from '../shared-world.ts'
import { deliver, readRow, request } from './qstash-calls.ts'

const key = makeSigningKey('outcome-test')
let world: World
let owner: Person
beforeAll(async () => {
  world = await useQuietWorld({ JWT_KEYS: JSON.stringify([key]) })
  owner = await world.signUp()
})

async function send() {
  const machine = await world.createMachine(owner)
  machine.behave({ mode: 'fail', status: 200, body: { result: 'PENDING' } })
  const job = await request(world, owner, machine.id, 'START')
  await deliver(world, job.id)
  return { job, token: machine.commands().at(-1)?.outcome_token }
}

const report = (jobId: string, token: string | undefined, body: unknown) =>
  world.request('POST', `/api/callbacks/jobs/${jobId}/outcome`, { token, body })

describe('the outcome token', () => {
  test('is required: none, a broken one, an access token and one for another job are answered 401', async () => {
    const { job } = await send()
    const other = await send()
    const tokens = [undefined, 'x.y.z', owner.access, other.token]
    const answers = await Promise.all(tokens.map((token) => report(job.id, token, { result: 'SUCCESS' })))
    expect(answers.map(({ status, body }) => [status, body.code])).toEqual([
      [401, 'token_missing'],
      [401, 'token_invalid'],
      [401, 'token_invalid'],
      [401, 'token_invalid'],
    ])
    expect(answers.every(({ headers }) => headers.get('WWW-Authenticate')?.startsWith('Bearer'))).toBe(true)
    expect(await readRow(world, job.id)).toMatchObject({ state: 'PENDING' })
  })

  test('is checked before the body', async () => {
    const { job } = await send()
    expect((await report(job.id, undefined, { result: 'NONSENSE' })).status).toBe(401)
    expect((await report(job.id, undefined, 'not JSON')).status).toBe(401)
  })

  test('expires: 401', async () => {
    const { job } = await send()
    const now = Math.floor(Date.now() / 1_000)
    const signed = async (exp: number) =>
      new SignJWT({ sub: job.id, iss: world.url, aud: 'outcome', iat: now - 86_500, exp })
        .setProtectedHeader({ alg: 'EdDSA', kid: 'outcome-test', typ: 'JWT' })
        .sign(await importJWK(key, 'EdDSA'))
    expect(await report(job.id, await signed(now - 100), { result: 'SUCCESS' })).toMatchObject({ status: 401 })
    expect(await report(job.id, await signed(now + 100), { result: 'SUCCESS' })).toMatchObject({ status: 200 })
  })
})

test('a report for an unknown job is answered 404', async () => {
  const unknown = '0198c0de-7c1a-7000-8000-000000000002'
  const token = await new SignJWT({ sub: unknown, iss: world.url, aud: 'outcome' })
    .setProtectedHeader({ alg: 'EdDSA', kid: 'outcome-test', typ: 'JWT' })
    .setIssuedAt()
    .setExpirationTime('1h')
    .sign(await importJWK(key, 'EdDSA'))
  expect((await report(unknown, token, { result: 'SUCCESS' })).status).toBe(404)
})
