import { createHash } from 'node:crypto'
import { Receiver } from '@upstash/qstash'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { describe, expect, test } from 'vitest'
import { eventually, signatureOf, startWorld } from './world.ts'

describe('the signature', () => {
  test('is a new JWT with the claims of the documentation', async () => {
    const nowMs = 1_700_000_000_900
    const { client, destination } = await startWorld({ now: () => nowMs })
    await client.publish({ url: destination.url, body: 'hello' })
    const token = signatureOf(await eventually('the delivery', () => destination.received[0]))
    expect(decodeProtectedHeader(token)).toEqual({ alg: 'HS256', typ: 'JWT' })
    const hash = createHash('sha256').update('hello').digest('base64').replaceAll('+', '-').replaceAll('/', '_')
    expect(decodeJwt(token)).toEqual({
      iss: 'Upstash',
      sub: destination.url,
      iat: 1_700_000_000,
      nbf: 1_700_000_000,
      exp: 1_700_000_300,
      jti: expect.stringMatching(/^jwt_/),
      body: hash,
    })
  })

  test('is accepted by the Receiver, for an empty body too, and for no other body or URL', async () => {
    const { client, destination, qstash } = await startWorld()
    const receiver = new Receiver({ ...qstash, devMode: false })
    await client.publish({ url: `${destination.url}/empty` })
    await client.publish({ url: `${destination.url}/full`, body: 'hällo' })
    await eventually('two deliveries', () => destination.received.length === 2)
    for (const request of destination.received) {
      const [signature, body, url] = [signatureOf(request), request.body.toString(), destination.url + request.target]
      expect(await receiver.verify({ signature, body, url })).toBe(true)
      await expect(receiver.verify({ signature, body: `${body}!`, url })).rejects.toThrow('body hash')
      await expect(receiver.verify({ signature, body, url: `${url}/` })).rejects.toThrow('invalid subject')
    }
    const other = new Receiver({ currentSigningKey: 'sig_x', nextSigningKey: 'sig_y', devMode: false })
    for (const request of destination.received) {
      const proof = { signature: signatureOf(request), body: request.body.toString() }
      await expect(other.verify(proof)).rejects.toThrow('signature')
    }
  })
})
