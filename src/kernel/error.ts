// What can go wrong, as a closed union: the code is the contract, the words are for people.
// Which HTTP status a code has is decided in one table, `http/problem.ts`.

export type ErrorCode =
  | 'malformed_json'
  | 'malformed_request'
  | 'token_missing'
  | 'token_invalid'
  | 'session_ended'
  | 'bad_credentials'
  | 'refresh_reused'
  | 'bad_signature'
  | 'not_owner'
  | 'staff_only'
  | 'not_found'
  | 'method_not_allowed'
  | 'not_acceptable'
  | 'username_taken'
  | 'email_taken'
  | 'last_staff'
  | 'job_open'
  | 'wrong_state'
  | 'no_controller'
  | 'not_cancelable'
  | 'outcome_contradicts'
  | 'precondition_failed'
  | 'body_too_large'
  | 'unsupported_media_type'
  | 'validation_failed'
  | 'wrong_password'
  | 'idempotency_key_reused'
  | 'rate_limited'
  | 'internal_error'
  | 'misconfigured'
  | 'database_unavailable'

/** Where in the input the fault is: a JSON pointer (RFC 6901) into the body, or the name of a query parameter. */
export type InputFault = { pointer: string; detail: string } | { parameter: string; detail: string }

/** So many of something in so much time. The name is for people and for `RateLimit`. */
export type Limit = { name: string; quota: number; windowSeconds: number }

/** Facts that the answer carries beside the words. */
export type ErrorExtensions = {
  errors?: InputFault[]
  /** The job that is in the way. */
  jobId?: string
  /** When to try again, in seconds. */
  retryAfterSeconds?: number
  /** The limit that is used up. */
  limit?: Limit
  /** Methods that the resource does know (405). */
  allow?: string[]
}

/** An expected failure. Anything else that is thrown is a defect and answers a constant 500. */
export class TiebarError extends Error {
  override readonly name = 'TiebarError'
  readonly code: ErrorCode
  readonly extensions: ErrorExtensions

  constructor(code: ErrorCode, detail: string, extensions: ErrorExtensions = {}, options?: ErrorOptions) {
    super(detail, options)
    this.code = code
    this.extensions = extensions
  }
}
