// Verifies QStash's signature on a callback: the sender, the URL and the body.
// https://upstash.com/docs/qstash/howto/signature
import { errors, jwtVerify } from 'jose'
import { TiebarError } from '../kernel/error.ts'

export type SignatureKeys = { current: string; next: string }

/** The accepted difference between QStash's clock and ours. */
const clockToleranceSeconds = 10

/**
 * @param url exactly as it was passed to QStash; it is the `sub` of the token
 * @param body the raw bytes, because a parsed and serialized body can have another hash
 * @throws TiebarError `bad_signature`
 */
export async function verifySignature(
  token: string | undefined,
  keys: SignatureKeys,
  url: string,
  body: Uint8Array,
): Promise<void> {
  if (token === undefined) throw new TiebarError('bad_signature', 'The Upstash-Signature header is missing.')
  const claimed = (await verifyWith(keys.current, token, url)) ?? (await verifyWith(keys.next, token, url))
  const digest = Buffer.from(await crypto.subtle.digest('SHA-256', body)).toString('base64url')
  if (claimed?.replace(/=+$/, '') === digest) return
  throw new TiebarError('bad_signature', 'The Upstash-Signature header is not valid for this request.')
}

/** The hash of the body in the token; undefined if the token is not valid with this key. */
async function verifyWith(key: string, token: string, url: string): Promise<string | undefined> {
  try {
    const { payload } = await jwtVerify(token, new TextEncoder().encode(key), {
      algorithms: ['HS256'],
      issuer: 'Upstash',
      subject: url,
      requiredClaims: ['exp', 'nbf', 'body'],
      clockTolerance: clockToleranceSeconds,
    })
    return typeof payload.body === 'string' ? payload.body : undefined
  } catch (error) {
    if (error instanceof errors.JOSEError) return undefined
    throw error
  }
}
