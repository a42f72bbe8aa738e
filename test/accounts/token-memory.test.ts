// The token cache of an isolate never makes an invalid token valid.
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createTokenIssuer } from '../../src/accounts/token.ts'
import { signingKeys } from '../../src/env.ts'
import { makeSigningKey } from '../harness.ts'

const issuer = 'https://api.example.com'
const tokens = createTokenIssuer(signingKeys.parse(JSON.stringify([makeSigningKey('first')])), issuer)
const session = { accountId: 7, sessionId: crypto.randomUUID(), refreshId: crypto.randomUUID() }
const invalid = expect.objectContaining({ code: 'token_invalid' })

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] })
})
afterEach(() => {
  vi.useRealTimers()
})

test('verifying a token again gives the same claims', async () => {
  const { access } = await tokens.issuePair(session)
  const first = await tokens.verify(access, 'access')
  expect(first).toMatchObject({ accountId: 7, sessionId: session.sessionId })
  expect(await tokens.verify(access, 'access')).toEqual(first)
})

test('a cached token expires at its exp', async () => {
  const { access } = await tokens.issuePair(session)
  await tokens.verify(access, 'access')
  vi.setSystemTime(Date.now() + (30 * 60 + 4) * 1000) // within the tolerance
  await tokens.verify(access, 'access')
  vi.setSystemTime(Date.now() + 1000)
  await expect(tokens.verify(access, 'access')).rejects.toEqual(invalid)
})

test('a valid access token is not accepted as a refresh token, nor the reverse', async () => {
  const { access, refresh } = await tokens.issuePair(session)
  await tokens.verify(access, 'access')
  await expect(tokens.verify(access, 'refresh')).rejects.toEqual(invalid)
  await tokens.verify(refresh, 'refresh')
  await expect(tokens.verify(refresh, 'access')).rejects.toEqual(invalid)
})

test('a token that differs from a valid one only in its signature is refused', async () => {
  const { access } = await tokens.issuePair(session)
  await tokens.verify(access, 'access')
  const [head = '', claims = '', signature = ''] = access.split('.')
  const forged = `${head}.${claims}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`
  await expect(tokens.verify(forged, 'access')).rejects.toEqual(invalid)
})
