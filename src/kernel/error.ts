// Expected errors. Clients rely on the code. The text is for people and may change.
import type { ErrorCode } from './error-codes.ts'
import type { Limit } from './limit.ts'

/** Where the fault in the input is: a JSON pointer (RFC 6901) into the body, or the name of a query parameter. */
export type InputFault = { pointer: string; detail: string } | { parameter: string; detail: string }

/** Data of the answer in addition to its text. */
export type ErrorExtensions = {
  errors?: InputFault[]
  /** The open job that the request conflicts with. */
  jobId?: string
  /** The value of the Retry-After header. */
  retryAfterSeconds?: number
  /** The limit that was exceeded. */
  limit?: Limit
  /** The methods that the path supports (405). */
  allow?: string[]
}

/** An expected error. Any other thrown value is a defect: the client gets a constant 500. */
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
