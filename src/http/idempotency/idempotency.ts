// Idempotency-Key (draft-ietf-httpapi-idempotency-key-header): a request that is sent twice takes effect once,
// and both get the same answer.
import { UniqueViolation } from '../../infra/database-error.ts'
import { TiebarError } from '../../kernel/error.ts'
import type { AppContext, Caller } from '../context.ts'
import { type CallerBody, keyConstraint, type RequestKey, readKey } from './store.ts'

const visibleAscii = /^[\x21-\x7e]{1,255}$/

/**
 * Runs `decide` with the request's key, or returns the outcome of the request that used the key first.
 * @param caller a replay also requires an active session or a valid key
 * @throws TiebarError `validation_failed` for a bad key, `idempotency_key_reused` for a key of another body,
 *   `session_ended`
 */
export async function withIdempotencyKey<Outcome>(
  c: AppContext,
  caller: CallerBody,
  decide: (key: RequestKey | undefined) => Promise<Outcome>,
): Promise<Outcome> {
  const key = await readRequestKey(c)
  if (!key) return decide(undefined)
  for (;;) {
    try {
      return await decide(key)
    } catch (error) {
      if (!(error instanceof UniqueViolation) || error.constraint !== keyConstraint) throw error
    }
    const [stored] = await c.var.upstreams.database.query<{ fingerprint: string | null; outcome: Outcome }>(
      'read-idempotency-key',
      readKey(caller, key),
    )
    if (!stored) throw new TiebarError('session_ended', 'The session has ended. Log in again.')
    // The sweep has just deleted the key, so it can be used again.
    if (stored.fingerprint === null) continue
    if (stored.fingerprint !== key.fingerprint) {
      throw new TiebarError(
        'idempotency_key_reused',
        'This Idempotency-Key was used with another body. Use a new key for a new request.',
      )
    }
    c.header('Idempotency-Replayed', 'true')
    return stored.outcome
  }
}

/** All sessions of an account share their keys. */
function nameOf(caller: Caller): string {
  return caller.kind === 'key' ? `key:${caller.keyId}` : `account:${caller.accountId}`
}

async function readRequestKey(c: AppContext): Promise<RequestKey | undefined> {
  const key = c.req.header('Idempotency-Key')
  if (key === undefined) return undefined
  if (!visibleAscii.test(key)) {
    throw new TiebarError('validation_failed', 'The Idempotency-Key must have 1 to 255 visible ASCII characters.', {
      errors: [
        {
          parameter: 'Idempotency-Key',
          detail: 'must have 1 to 255 visible ASCII characters',
        },
      ],
    })
  }
  const digest = await crypto.subtle.digest('SHA-256', c.var.rawBody)
  return {
    callerName: nameOf(c.var.caller),
    method: c.req.method,
    path: c.req.path.replace(/\/$/, ''),
    key,
    fingerprint: Buffer.from(digest).toString('base64url'),
  }
}
