// QStash's signature on a callback: who sends it, to which URL, and that the body is the one that was sent.
// https://upstash.com/docs/qstash/howto/signature
import { errors, jwtVerify } from 'jose'
import { TiebarError } from '../kernel/error.ts'

export type SignatureKeys = { current: string; next: string }

/** QStash's clock and ours need not agree to the second. */
const clockToleranceSeconds = 10

/**
 * @param url exactly as QStash was told it: the `sub` of the token
 * @param body the raw bytes; a parsed and re-written body would have another hash
 * @throws TiebarError `bad_signature`; the precise reason is its cause, for the log
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
  throw new TiebarError('bad_signature', 'The Upstash-Signature header is not one for this request.')
}

/** The claimed hash of the body, or undefined when the token is not good under this key. */
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
