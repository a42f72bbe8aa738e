// Forged, stolen and expired tokens. test/accounts/token.test.ts has the tokens that differ only in a claim.
import { generateKeyPairSync } from 'node:crypto'
import { decodeJwt, importJWK, type JWTHeaderParameters, type JWTPayload, SignJWT } from 'jose'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeSigningKey, type Person, type World } from '../harness.ts'
import { type StandInServer, startHttpServer } from '../platform/http.ts'
import { useWorld } from '../shared-world.ts'

/** Another key with the same `kid`. */
const theirs = makeSigningKey('test-1')
const { d: _secret, ...theirPublic } = theirs
let world: World
let victim: Person
let keyServer: StandInServer
const keyRequests: string[] = []
beforeAll(async () => {
  world = await useWorld()
  victim = await world.signUp()
  keyServer = await startHttpServer('key server', async ({ target }) => {
    keyRequests.push(target)
    return { body: { keys: [theirPublic] } }
  })
})
afterAll(() => keyServer?.close())

/** The victim's claims, signed with another key. */
async function sign(header: Partial<JWTHeaderParameters>, claims: JWTPayload = {}, key = theirs): Promise<string> {
  return new SignJWT({ ...decodeJwt(victim.access), ...claims })
    .setProtectedHeader({ alg: 'EdDSA', kid: 'test-1', typ: 'JWT', ...header })
    .sign(await importJWK(key, 'EdDSA'))
}

async function expectRefused(token: string, code = 'token_invalid'): Promise<void> {
  for (const [method, path] of [
    ['GET', '/api/me'],
    ['GET', '/api/machines'],
    ['POST', '/api/log-out'],
  ] as const) {
    const answer = await world.request(method, path, { token })
    expect([path, answer.status, answer.body.code]).toEqual([path, 401, code])
  }
  expect((await victim.request('GET', '/api/me')).status).toBe(200)
}

test('a token that carries its own key in the header (jwk) is refused', async () => {
  await expectRefused(await sign({ jwk: theirPublic }))
})

test('a token that names the URL of its key (jku, x5u) is refused, and the URL is not fetched', async () => {
  await expectRefused(await sign({ jku: `${keyServer.url}/jwks.json` }))
  await expectRefused(await sign({ x5u: `${keyServer.url}/chain.pem` }))
  expect(keyRequests).toEqual([])
})

test('a kid that is a path, an SQL statement or very long is refused', async () => {
  for (const kid of ['../../test-1', "' OR '1'='1", 'x'.repeat(5_000), '__proto__', 'constructor']) {
    await expectRefused(await sign({ kid }))
  }
})

test('an unknown critical header is refused (RFC 7515 §4.1.11)', async () => {
  const token = await sign({}, {}, world.signingKey)
  const [, claims, signature] = token.split('.')
  const header = { alg: 'EdDSA', kid: 'test-1', typ: 'JWT', crit: ['exp2'], exp2: 1 }
  await expectRefused(`${Buffer.from(JSON.stringify(header)).toString('base64url')}.${claims}.${signature}`)
})

test('a token that is not valid yet (nbf) is refused', async () => {
  await expectRefused(await sign({}, { nbf: Math.floor(Date.now() / 1_000) + 3_600 }, world.signingKey))
})

test('an RSA or EC token under our kid is refused', async () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
  for (const [alg, key] of [
    ['RS256', rsa],
    ['PS256', rsa],
    ['ES256', ec],
  ] as const) {
    await expectRefused(
      await new SignJWT(decodeJwt(victim.access)).setProtectedHeader({ alg, kid: 'test-1' }).sign(key),
    )
  }
})

test('the token of an account that was deleted from the database is answered session_ended', async () => {
  const person = await world.signUp()
  await world.postgres.query('DELETE FROM sessions WHERE account_id = $1', [person.id])
  await world.postgres.query('DELETE FROM accounts WHERE id = $1', [person.id])
  const answer = await person.request('GET', '/api/me')
  expect([answer.status, answer.body.code]).toEqual([401, 'session_ended'])
  const refreshed = await world.request('POST', '/api/token/refresh', { body: { refresh: person.refresh } })
  expect(refreshed.status).toBe(401)
})

test('a token in the query, in a cookie or under another scheme is ignored', async () => {
  const { access } = victim
  expect((await world.request('GET', `/api/me?access_token=${access}`)).status).toBe(401)
  expect((await world.request('GET', '/api/me', { headers: { Cookie: `token=${access}` } })).status).toBe(401)
  for (const Authorization of [`Basic ${access}`, `Token ${access}`, access, `Bearer ${access} ${access}`]) {
    expect((await world.request('GET', '/api/me', { headers: { Authorization } })).status).toBe(401)
  }
})

test('a token of thousands of characters is refused', async () => {
  const answer = await world.request('GET', '/api/me', { token: `${'e'.repeat(6_000)}.x.y` })
  expect(answer.status).toBe(401)
})
