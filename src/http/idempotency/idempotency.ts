// Idempotency-Key (draft-ietf-httpapi-idempotency-key-header): the same request sent twice takes effect once, and the
// second is answered like the first.
import { UniqueViolation } from '../../infra/database.ts'
import { TiebarError } from '../../kernel/error.ts'
import type { AppContext } from '../context.ts'
import { type CallerBody, keyConstraint, type RequestKey, readKey } from './store.ts'

const visibleAscii = /^[\x21-\x7e]{1,255}$/

/**
 * Runs `decide` with the request's key, or answers what came of the request that used the key first.
 * @param caller a replay, too, is only for a living session
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
    const [kept] = await c.var.upstreams.database.query<{ fingerprint: string | null; outcome: Outcome }>(
      'read-idempotency-key',
      readKey(caller, key),
    )
    if (!kept) throw new TiebarError('session_ended', 'The session has ended. Log in again.')
    // Swept in this very moment: the key is free again.
    if (kept.fingerprint === null) continue
    if (kept.fingerprint !== key.fingerprint) {
      throw new TiebarError(
        'idempotency_key_reused',
        'This Idempotency-Key was used with another body. Take a new key for a new request.',
      )
    }
    c.header('Idempotency-Replayed', 'true')
    return kept.outcome
  }
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
    accountId: c.var.caller.accountId,
    method: c.req.method,
    path: c.req.path.replace(/\/$/, ''),
    key,
    fingerprint: Buffer.from(digest).toString('base64url'),
  }
}
