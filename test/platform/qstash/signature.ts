// Upstash-Signature: a JWT for the destination and the body, with which a receiver authenticates QStash.
// https://upstash.com/docs/qstash/howto/signature
import { createHash, createHmac } from 'node:crypto'
import { randomId } from './message.ts'

const lifetimeSeconds = 300

/** A new token for one attempt, signed with `key` as text, including its `sig_`. */
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

/** base64url with its `=` padding, as in the documentation's example: a receiver must accept it. */
function hashBody(body: Buffer): string {
  const hash = createHash('sha256').update(body).digest('base64url')
  return hash.padEnd(Math.ceil(hash.length / 4) * 4, '=')
}

function encodeJson(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
