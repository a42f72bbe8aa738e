// Errors as RFC 9457 problem details.
import type { Context } from 'hono'
import type { ErrorExtensions, TiebarError } from '../../kernel/error.ts'
import { type ErrorCode, errorKinds } from '../../kernel/error-codes.ts'
import { setRateLimitFields } from '../middleware/rate-limit.ts'

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

/** @param origin the public URL of this Worker: `type` is the URL of a page that explains the code */
export function toProblem(error: TiebarError, requestId: string, origin: string): ProblemBody {
  const { status, title } = errorKinds[error.code]
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
  const { status } = errorKinds[error.code]
  const { retryAfterSeconds, limit, allow } = error.extensions
  if (retryAfterSeconds !== undefined) c.header('Retry-After', String(retryAfterSeconds))
  if (limit) setRateLimitFields(c, limit, retryAfterSeconds ?? limit.windowSeconds)
  if (allow) c.header('Allow', allow.join(', '))
  // RFC 6750 §3: the scheme, and the error if the request had an invalid token.
  if (status === 401) c.header('WWW-Authenticate', challenges[error.code] ?? 'Bearer')
  return c.body(JSON.stringify(toProblem(error, requestId, origin)), status, {
    'Content-Type': 'application/problem+json',
    'Cache-Control': 'no-store',
  })
}

const challenges: Partial<Record<ErrorCode, string>> = {
  token_invalid: 'Bearer error="invalid_token"',
  session_ended: 'Bearer error="invalid_token"',
  key_invalid: 'Bearer error="invalid_token"',
  refresh_reused: 'Bearer error="invalid_token"',
}
