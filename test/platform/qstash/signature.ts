// Upstash-Signature: a JWT over the destination and the body, by which a receiver knows that QStash is calling.
// https://upstash.com/docs/qstash/howto/signature
import { createHash, createHmac } from 'node:crypto'
import { randomId } from './message.ts'

const lifetimeSeconds = 300

/** A fresh token for one attempt, signed with `key` used as text, its `sig_` included. */
export function signDelivery(key: string, url: string, body: Buffer, nowMs: number): string {
  const nowSeconds = Math.floor(nowMs / 1_000)
  const header = encodeJson({ alg: 'HS256', typ: 'JWT' })
  const claims = encodeJson({
    iss: 'Upstash',
    sub: url,
    exp: nowSeconds + lifetimeSeconds,
    nbf: nowSeconds,
    iat: nowSeconds,
    jti: randomId('jwt_'),
    body: hashBody(body),
  })
  const signature = createHmac('sha256', key).update(`${header}.${claims}`).digest('base64url')
  return `${header}.${claims}.${signature}`
}

/** base64url with its `=` padding, as in the documentation's example: a receiver must cope with it. */
function hashBody(body: Buffer): string {
  const hash = createHash('sha256').update(body).digest('base64url')
  return hash.padEnd(Math.ceil(hash.length / 4) * 4, '=')
}

function encodeJson(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
