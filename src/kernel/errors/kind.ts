// The shape of an error of the API: HTTP status, title, whether a retry can help, and the text of its page.

type ErrorStatus = 400 | 401 | 403 | 404 | 405 | 406 | 409 | 412 | 413 | 415 | 422 | 429 | 500 | 502 | 503

/** Backticks enclose code. */
type ErrorText = {
  /** What has happened. */
  meaning: string
  /** The usual causes. */
  why: string
  /** What the client can do. */
  remedy: string
  /** Whether the same request may succeed later. By default, something has to change first. */
  isRetryable?: boolean
}

export type ErrorKind = { status: ErrorStatus; title: string; isRetryable: boolean } & Omit<ErrorText, 'isRetryable'>

export function kind(status: ErrorStatus, title: string, { isRetryable = false, ...text }: ErrorText): ErrorKind {
  return { status, title, isRetryable, ...text }
}
