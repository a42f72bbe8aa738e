// Every answer that is no success is thrown as one of these.
import type { Problem } from './api.ts'

/** What the API says when it says no (RFC 9457). https://www.rfc-editor.org/rfc/rfc9457 */
export class TiebarProblem extends Error {
  override readonly name = 'TiebarProblem'
  readonly status: number
  /** What programs go by; `unknown` if the answer came from somewhere between, and is no problem document. */
  readonly code: Problem['code'] | 'unknown'
  /** A page about this code. */
  readonly type: string | undefined
  /** Under which the server has logged the request. */
  readonly requestId: string | undefined
  /** Where the input is at fault: a JSON pointer into the body, or the name of a parameter. */
  readonly errors: NonNullable<Problem['errors']>
  /** The job that is in the way. */
  readonly jobId: string | undefined
  readonly retryAfterSeconds: number | undefined

  constructor(response: Response, problem: Problem | undefined) {
    super(problem?.detail ?? `${response.url} answered ${response.status}`)
    this.status = response.status
    this.code = problem?.code ?? 'unknown'
    this.type = problem?.type
    this.requestId = problem?.request_id ?? response.headers.get('X-Request-Id') ?? undefined
    this.errors = problem?.errors ?? []
    this.jobId = problem?.job_id
    this.retryAfterSeconds = readRetryAfter(response)
  }
}

/** Reads the body. */
export async function toProblem(response: Response): Promise<TiebarProblem> {
  const isProblem = response.headers.get('Content-Type')?.startsWith('application/problem+json')
  const problem = isProblem ? await response.json().catch(() => undefined) : undefined
  return new TiebarProblem(response, problem as Problem | undefined) // by its media type
}

/** Seconds; of the two forms of RFC 9110 §10.2.3, the API uses the number. */
export function readRetryAfter({ headers }: Response): number | undefined {
  const text = headers.get('Retry-After') ?? ''
  return /^\d+$/.test(text) ? Number(text) : undefined
}
