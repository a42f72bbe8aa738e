// Tokens: their claims, which are refused and why, and rotation with two keys.
import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, importJWK, jwtVerify, SignJWT } from 'jose'
import { beforeAll, describe, expect, test } from 'vitest'
import type { SigningKey } from '../../src/env.ts'
import { makeSigningKey, type Person, type World } from '../harness.ts'
import { useWorld } from '../shared-world.ts'

let world: World
let ours: SigningKey
let person: Person
beforeAll(async () => {
  world = await useWorld()
  ours = world.signingKey
  person = await world.signUpOverHttp()
})

type Forgery = { key?: Record<string, unknown>; header?: object; claims?: Record<string, unknown>; expiresIn?: number }

/** A valid access token of this person, with the given changes. */
async function forge({ key = ours, header = {}, claims = {}, expiresIn = 60 }: Forgery = {}): Promise<string> {
  const now = Math.floor(Date.now() / 1_000)
  const { sub = '', sid } = decodeJwt(person.access)
  const all = { iss: world.url, aud: 'api', sub, sid, jti: crypto.randomUUID(), iat: now, exp: now + expiresIn }
  return new SignJWT({ ...all, token_type: 'access', ...claims })
    .setProtectedHeader({ alg: 'EdDSA', kid: 'test-1', typ: 'JWT', ...header })
    .sign(await importJWK(key, 'EdDSA'))
}

const ask = (token: string) => world.request('GET', '/api/me', { token })

test('the tokens of a session have the documented claims and lifetimes', () => {
  const [access, refresh] = [decodeJwt(person.access), decodeJwt(person.refresh)]
  expect(decodeProtectedHeader(person.access)).toEqual({ alg: 'EdDSA', kid: 'test-1', typ: 'JWT' })
  for (const claims of [access, refresh]) {
    expect(claims).toMatchObject({ iss: world.url, aud: 'api', sub: String(person.id), sid: access.sid })
    expect(Object.keys(claims).sort()).toEqual(['aud', 'exp', 'iat', 'iss', 'jti', 'sid', 'sub', 'token_type'])
  }
  expect(access.jti).not.toBe(refresh.jti)
  expect([access.token_type, Number(access.exp) - Number(access.iat)]).toEqual(['access', 30 * 60])
  expect([refresh.token_type, Number(refresh.exp) - Number(refresh.iat)]).toEqual(['refresh', 24 * 60 * 60])
})

test('the public keys verify a token and contain no secret', async () => {
  const answer = await world.request('GET', '/.well-known/jwks.json')
  expect(answer.status).toBe(200)
  expect(answer.headers.get('Cache-Control')).toBe('public, max-age=300')
  expect(answer.body).toEqual({
    keys: [{ kty: 'OKP', crv: 'Ed25519', kid: 'test-1', x: ours.x, use: 'sig', alg: 'EdDSA' }],
  })
  const { payload } = await jwtVerify(person.access, createLocalJWKSet(answer.body))
  expect(payload.sub).toBe(String(person.id))
})

test('a token that we issued is accepted', async () => {
  expect((await ask(await forge())).status).toBe(200)
})

describe('GET /api/me answers 401 token_invalid for', () => {
  const invalidTokens: [string, () => Promise<string> | string][] = [
    ['a refresh token', () => person.refresh],
    ['a token of another type', () => forge({ claims: { token_type: 'refresh' } })],
    ['a token without a type', () => forge({ claims: { token_type: undefined } })],
    ['a token for a controller', () => forge({ claims: { aud: 'controller' } })],
    ['the token of an outcome', () => forge({ claims: { aud: 'outcome' } })],
    ['a token of another issuer', () => forge({ claims: { iss: 'https://elsewhere.example' } })],
    ['a token of an unknown key', () => forge({ header: { kid: 'second' } })],
    ['a token that names no key', () => forge({ header: { kid: undefined } })],
    ["a token of somebody else's key under our name", () => forge({ key: makeSigningKey('test-1') })],
    ['an expired token', () => forge({ expiresIn: -60 })],
    ['a token that never expires', () => forge({ claims: { exp: undefined } })],
    ['a token without a session', () => forge({ claims: { sid: undefined } })],
    ['a token without an id', () => forge({ claims: { jti: undefined } })],
    ['a token without a subject', () => forge({ claims: { sub: undefined } })],
    ['a token whose subject is not an account id', () => forge({ claims: { sub: '1 OR 1=1' } })],
    ['a token whose session is not a UUID', () => forge({ claims: { sid: "'; DROP TABLE sessions" } })],
    ['a token of another kind', () => forge({ header: { typ: 'at+jwt' } })],
    ['a token whose claims were changed', () => tamper(person.access, { sub: '999999999' })],
    ['a token whose signature was cut off', () => person.access.replace(/[^.]+$/, '')],
    ['an unsigned token', () => unsigned(person.access)],
    ['a token signed with the public key as a secret', () => signedWithPublicKey()],
    ['three dots', () => '...'],
    ['no token at all', () => 'x'],
  ]
  test.each(invalidTokens)('%s', async (_what, make) => {
    const { status, headers, body } = await ask(await make())
    expect([status, body.code]).toEqual([401, 'token_invalid'])
    expect(headers.get('WWW-Authenticate')).toBe('Bearer error="invalid_token"')
  })
})

test.each([
  ['another account', () => ({ sub: '999999999' })],
  ['an unknown session', () => ({ sid: crypto.randomUUID() })],
])('a correctly signed token of %s is answered 401 session_ended', async (_what, claims) => {
  const answer = await ask(await forge({ claims: claims() }))
  expect([answer.status, answer.body.code]).toEqual([401, 'session_ended'])
})

test('an access token is not accepted as a refresh token', async () => {
  const answer = await world.request('POST', '/api/token/refresh', { body: { refresh: person.access } })
  expect([answer.status, answer.body.code]).toEqual([401, 'token_invalid'])
})

test('a key rotation in three steps ends no session', async () => {
  const next = makeSigningKey('second')
  const deploy = (...keys: object[]) => world.reconfigure({ JWT_KEYS: JSON.stringify(keys) })
  const signedBy = (token: string) => decodeProtectedHeader(token).kid
  const early = await world.signUpOverHttp()
  await deploy(ours, next)
  expect((await early.request('GET', '/api/me')).status).toBe(200)
  const middle = await world.signUpOverHttp()
  expect(signedBy(middle.access)).toBe('test-1')
  const { body } = await world.request('GET', '/.well-known/jwks.json')
  expect(body.keys.map(({ kid }: { kid: string }) => kid)).toEqual(['test-1', 'second'])
  await deploy(next, ours)
  const late = await world.signUpOverHttp()
  expect(signedBy(late.access)).toBe('second')
  for (const each of [early, middle, late]) expect((await each.request('GET', '/api/me')).status).toBe(200)
  const refreshed = await world.request('POST', '/api/token/refresh', { body: { refresh: early.refresh } })
  expect([refreshed.status, signedBy(refreshed.body.token.refresh)]).toEqual([200, 'second'])
  await deploy(next)
  expect((await late.request('GET', '/api/me')).status).toBe(200)
  expect((await ask(refreshed.body.token.access)).status).toBe(200)
  expect((await middle.request('GET', '/api/me')).body.code).toBe('token_invalid')
  await world.reconfigure({})
})

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')

function tamper(token: string, claims: object): string {
  const [header, , signature] = token.split('.')
  return `${header}.${encode({ ...decodeJwt(token), ...claims })}.${signature}`
}

function unsigned(token: string): string {
  return `${encode({ alg: 'none', kid: 'test-1', typ: 'JWT' })}.${token.split('.')[1]}.`
}

function signedWithPublicKey(): Promise<string> {
  return new SignJWT(decodeJwt(person.access))
    .setProtectedHeader({ alg: 'HS256', kid: 'test-1', typ: 'JWT' })
    .sign(Buffer.from(String(ours.x), 'base64url'))
}
