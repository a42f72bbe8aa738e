// Errors as RFC 9457 problem details. One table says which status a code has, what its title is,
// and whether a retry helps; what more there is to say about it is in `problem-texts.ts`.
import type { Context } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import type { ErrorCode, ErrorExtensions, TiebarError } from '../../kernel/error.ts'
import { setRateLimitFields } from '../middleware/rate-limit.ts'

type ProblemKind = {
  status: ContentfulStatusCode
  title: string
  /** Whether the very same request may succeed later; without it, something has to change first. */
  isRetryable?: true
}

export const problemKinds: Record<ErrorCode, ProblemKind> = {
  malformed_json: { status: 400, title: 'The body is not JSON' },
  malformed_request: { status: 400, title: 'The request cannot be read' },
  token_missing: { status: 401, title: 'A token is needed' },
  token_invalid: { status: 401, title: 'The token is not valid' },
  session_ended: { status: 401, title: 'The session has ended' },
  bad_credentials: { status: 401, title: 'Wrong username or password' },
  refresh_reused: { status: 401, title: 'The refresh token was used before' },
  bad_signature: { status: 401, title: 'The signature is not valid' },
  not_owner: { status: 403, title: 'The machine belongs to somebody else' },
  staff_only: { status: 403, title: 'Only staff may do this' },
  not_found: { status: 404, title: 'There is no such thing' },
  method_not_allowed: { status: 405, title: 'The method is not known here' },
  not_acceptable: { status: 406, title: 'The answer would not be acceptable' },
  username_taken: { status: 409, title: 'The username is taken' },
  email_taken: { status: 409, title: 'The e-mail address is taken' },
  last_staff: { status: 409, title: 'The last staff account must stay' },
  job_open: { status: 409, title: 'A job is in the way', isRetryable: true },
  wrong_state: { status: 409, title: 'The machine is not in a state for this' },
  no_controller: { status: 409, title: 'The machine has no controller' },
  not_cancelable: { status: 409, title: 'The job can no longer be cancelled' },
  outcome_contradicts: { status: 409, title: 'The job ended otherwise' },
  precondition_failed: {
    status: 412,
    title: 'The machine has changed meanwhile',
  },
  body_too_large: { status: 413, title: 'The body is too large' },
  unsupported_media_type: { status: 415, title: 'The body must be JSON' },
  validation_failed: { status: 422, title: 'The input is not valid' },
  wrong_password: { status: 422, title: 'The present password is wrong' },
  idempotency_key_reused: {
    status: 422,
    title: 'The key was used for another request',
  },
  rate_limited: { status: 429, title: 'Too many requests', isRetryable: true },
  internal_error: { status: 500, title: 'Something is wrong on our side', isRetryable: true },
  misconfigured: { status: 503, title: 'The server is not configured', isRetryable: true },
  database_unavailable: { status: 503, title: 'The database is away', isRetryable: true },
}

/** Members of an `application/problem+json` answer. */
export type ProblemBody = {
  type: string
  title: string
  status: number
  detail: string
  code: ErrorCode
  request_id: string
  errors?: ErrorExtensions['errors']
  job_id?: string
}

/** @param origin our own public URL: `type` is a page of ours that explains the code */
export function toProblem(error: TiebarError, requestId: string, origin: string): ProblemBody {
  const { status, title } = problemKinds[error.code]
  const { errors, jobId } = error.extensions
  return {
    type: `${origin}/api/problems/${error.code}`,
    title,
    status,
    detail: error.message,
    code: error.code,
    request_id: requestId,
    ...(errors ? { errors } : {}),
    ...(jobId === undefined ? {} : { job_id: jobId }),
  }
}

export function answerProblem(c: Context, error: TiebarError, requestId: string, origin: string): Response {
  const { status } = problemKinds[error.code]
  const { retryAfterSeconds, limit, allow } = error.extensions
  if (retryAfterSeconds !== undefined) c.header('Retry-After', String(retryAfterSeconds))
  if (limit) setRateLimitFields(c, limit, retryAfterSeconds ?? limit.windowSeconds)
  if (allow) c.header('Allow', allow.join(', '))
  // RFC 6750 §3: the scheme, and for a token that was sent but is no good, the reason.
  if (status === 401) c.header('WWW-Authenticate', challenges[error.code] ?? 'Bearer')
  return c.body(JSON.stringify(toProblem(error, requestId, origin)), status, {
    'Content-Type': 'application/problem+json',
    'Cache-Control': 'no-store',
  })
}

const challenges: Partial<Record<ErrorCode, string>> = {
  token_invalid: 'Bearer error="invalid_token"',
  session_ended: 'Bearer error="invalid_token"',
  refresh_reused: 'Bearer error="invalid_token"',
}
