// The error that the client throws for every answer that is not 2xx, or not JSON.
import type { Problem } from './api.ts'

/** A problem that the API has answered (RFC 9457). https://www.rfc-editor.org/rfc/rfc9457 */
export class TiebarProblem extends Error {
  override readonly name = 'TiebarProblem'
  readonly status: number
  /** Stable, for programs; `unknown` if the answer is not a problem document: a proxy may have answered. */
  readonly code: Problem['code'] | 'unknown'
  /** The URL of a page about this code. */
  readonly type: string | undefined
  /** The id under which the server has logged the request. */
  readonly requestId: string | undefined
  /** Where the input is wrong: a JSON pointer into the body, or the name of a parameter. */
  readonly errors: NonNullable<Problem['errors']>
  /** The open job that the request conflicts with. */
  readonly jobId: string | undefined
  readonly retryAfterSeconds: number | undefined

  constructor(response: Response, problem: Problem | undefined) {
    const type = response.headers.get('Content-Type') ?? 'no type'
    super(problem?.detail ?? `${response.url} answered ${response.status} with ${type}`)
    this.status = response.status
    this.code = problem?.code ?? 'unknown'
    this.type = problem?.type
    this.requestId = problem?.request_id ?? response.headers.get('X-Request-Id') ?? undefined
    this.errors = problem?.errors ?? []
    this.jobId = problem?.job_id
    this.retryAfterSeconds = readRetryAfter(response)
  }
}

/** Consumes the body of the response. */
export async function toProblem(response: Response): Promise<TiebarProblem> {
  const isProblem = response.headers.get('Content-Type')?.startsWith('application/problem+json')
  const problem = isProblem ? await response.json().catch(() => undefined) : undefined
  return new TiebarProblem(response, problem as Problem | undefined) // its media type says so
}

/**
 * The body of a 2xx answer.
 * @throws TiebarProblem when it is not JSON: a captive portal or a proxy may have answered
 */
export async function readJson<Body>(response: Response): Promise<Body> {
  const type = response.headers.get('Content-Type') ?? ''
  try {
    if (/^application\/(?:[\w.-]+\+)?json\b/i.test(type)) return await response.json()
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error // the connection was lost
  }
  if (!response.bodyUsed) await response.body?.cancel()
  throw new TiebarProblem(response, undefined)
}

/** In seconds. RFC 9110 §10.2.3 has two forms; the API sends the number. */
export function readRetryAfter({ headers }: Response): number | undefined {
  const text = headers.get('Retry-After') ?? ''
  return /^\d+$/.test(text) ? Number(text) : undefined
}
