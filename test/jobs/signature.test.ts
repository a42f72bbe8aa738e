// Only a request that QStash signed for this URL, this body and this time is accepted.
import { createHash, generateKeyPairSync } from 'node:crypto'
import { type JWTHeaderParameters, SignJWT, UnsecuredJWT } from 'jose'
import { beforeAll, describe, expect, test } from 'vitest'
import type { World } from '../harness.ts'
import { signDelivery } from '../platform/qstash/signature.ts'
import { useQuietWorld } from '../shared-world.ts'
import { deliverPath, failedPath, postCallback, readRow, request } from './qstash-calls.ts'

let world: World
let jobId: string
let body: string
beforeAll(async () => {
  world = await useQuietWorld()
  const owner = await world.signUp()
  const machine = await world.createMachine(owner)
  jobId = (await request(world, owner, machine.id, 'START')).id
  body = JSON.stringify({ job_id: jobId })
})

const hashOf = (text: string) => createHash('sha256').update(text).digest('base64url')
const nowSeconds = () => Math.floor(Date.now() / 1_000)

type Claims = { iss?: string; sub?: string; exp?: number; nbf?: number; body?: string | null }

function claims(overrides: Claims = {}): Record<string, unknown> {
  const now = nowSeconds()
  const sound = { iss: 'Upstash', sub: `${world.url}${deliverPath}`, exp: now + 300, nbf: now, body: hashOf(body) }
  return { ...sound, ...overrides }
}

async function sign(overrides: Claims = {}, header: JWTHeaderParameters = { alg: 'HS256' }, key?: string) {
  const secret = new TextEncoder().encode(key ?? world.qstash.currentSigningKey)
  return new SignJWT(claims(overrides)).setProtectedHeader(header).sign(secret)
}

const refused: [string, () => Promise<string | null> | string | null][] = [
  ['no signature', () => null],
  ['an invalid token', () => 'not.a.token'],
  ['a wrong key', () => sign({}, { alg: 'HS256' }, 'sig_somebody_elses_key_here')],
  ['another URL of ours', () => sign({ sub: `${world.url}${failedPath}` })],
  ['another host', () => sign({ sub: `http://tiebar.example${deliverPath}` })],
  ['another issuer', () => sign({ iss: 'Somebody' })],
  ['another body', () => sign({ body: hashOf(`${body} `) })],
  [
    'no hash of the body',
    () => new SignJWT(omit(claims(), 'body')).setProtectedHeader({ alg: 'HS256' }).sign(secret()),
  ],
  ['a hash that is not a string', () => sign({ body: null })],
  ['a token that has expired', () => sign({ exp: nowSeconds() - 30, nbf: nowSeconds() - 330 })],
  ['a token that is not valid yet', () => sign({ nbf: nowSeconds() + 60 })],
  [
    'a token without an expiry',
    () => new SignJWT(omit(claims(), 'exp')).setProtectedHeader({ alg: 'HS256' }).sign(secret()),
  ],
  ['an unsigned token (alg none)', () => new UnsecuredJWT(claims()).encode()],
  ['a stronger hash than HS256', () => sign({}, { alg: 'HS512' })],
  ['an RS256 token', () => signWith('RS256')],
  ['an ES256 token', () => signWith('ES256')],
]

const secret = () => new TextEncoder().encode(world.qstash.currentSigningKey)

function omit(all: Record<string, unknown>, name: string): Record<string, unknown> {
  return Object.fromEntries(Object.entries(all).filter(([key]) => key !== name))
}

function signWith(alg: 'RS256' | 'ES256') {
  const { privateKey } =
    alg === 'RS256'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return new SignJWT(claims()).setProtectedHeader({ alg }).sign(privateKey)
}

describe('a callback is answered 401 bad_signature, and nothing is sent, for', () => {
  test.each(refused)('%s', async (_, makeSignature) => {
    const answer = await postCallback(world, deliverPath, body, await makeSignature())
    expect(answer).toMatchObject({ status: 401, body: { code: 'bad_signature' } })
    expect(answer.headers.get('WWW-Authenticate')).toBe('Bearer')
    expect(await readRow(world, jobId)).toMatchObject({ state: 'QUEUED', attempts: 0 })
  })

  test('the failed callback, too', async () => {
    const answer = await postCallback(world, failedPath, { sourceBody: '' }, await sign())
    expect(answer).toMatchObject({ status: 401, body: { code: 'bad_signature' } })
  })
})

describe('a signed message that cannot be parsed is answered 489, so that QStash does not retry', () => {
  const messages = ['', 'not JSON', '[]', 'null', '{}', '{"job_id":1}', '{"job_id":"no uuid"}']
  test.each(messages)('deliver: %j', async (message) => {
    const answer = await postCallback(world, deliverPath, message)
    expect(answer.status).toBe(489)
    expect(answer.headers.get('Upstash-NonRetryable-Error')).toBe('true')
  })

  const envelopes = ['{}', '{"sourceBody":7}', '{"sourceBody":"bm8ganNvbg=="}', '{"sourceBody":"e30="}', 'null']
  test.each(envelopes)('failed: %s', async (envelope) => {
    const answer = await postCallback(world, failedPath, envelope)
    expect(answer.status).toBe(489)
    expect(answer.headers.get('Upstash-NonRetryable-Error')).toBe('true')
  })
})

test('a delivery of an unknown job is answered 200', async () => {
  const unknown = '0198c0de-7c1a-7000-8000-000000000001'
  expect(await postCallback(world, deliverPath, { job_id: unknown })).toMatchObject({ status: 200 })
  const sourceBody = Buffer.from(JSON.stringify({ job_id: unknown })).toString('base64')
  expect(await postCallback(world, failedPath, { sourceBody })).toMatchObject({ status: 200 })
})

test('the next key is accepted during a rotation, and a clock difference of seconds is tolerated', async () => {
  const signature = signDelivery(
    world.qstash.nextSigningKey,
    `${world.url}${deliverPath}`,
    Buffer.from(body),
    Date.now() + 5_000,
  )
  expect((await postCallback(world, deliverPath, body, signature)).status).toBe(200)
  expect(await readRow(world, jobId)).toMatchObject({ state: 'SUCCEEDED', attempts: 1 })
})
