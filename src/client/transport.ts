// `fetch` with an access token, which is refreshed when it has expired, and with retries where they are safe.
import type { Token, TokenAnswer } from './api.ts'
import { readRetryAfter, TiebarProblem, toProblem } from './problem.ts'

export type Tokens = Pick<Token, 'access' | 'refresh'>

export type TransportOptions = {
  /** The origin of the API, such as `https://api.example.com`. */
  baseUrl: string
  /** The tokens of a session that is open already. Without them, log in first. */
  tokens?: Tokens | undefined
  /** Called with new tokens, which replace the old ones, and with `undefined` when the session has ended. */
  onTokens?: ((tokens: Tokens | undefined) => void) | undefined
  /** The most retries of one request; the default is 3. */
  retries?: number
  /** When the API asks for a longer wait than this, the call fails at once; the default is 10. */
  longestWaitSeconds?: number
  fetch?: ((request: Request) => Promise<Response>) | undefined
}

export type Transport = {
  fetch(request: Request): Promise<Response>
  setTokens(tokens: Tokens | undefined): void
}

const firstPauseSeconds = 0.25

export function openTransport({
  baseUrl,
  tokens,
  onTokens,
  retries = 3,
  longestWaitSeconds = 10,
  fetch = (request) => globalThis.fetch(request),
}: TransportOptions): Transport {
  let refreshing: Promise<void> | undefined

  function setTokens(next: Tokens | undefined): void {
    tokens = next
    onTokens?.(next)
  }

  /** @throws TiebarProblem when the session has ended */
  async function refresh(): Promise<void> {
    const body = JSON.stringify({ refresh: tokens?.refresh })
    const headers = { 'Content-Type': 'application/json' }
    const response = await fetch(new Request(`${baseUrl}/api/token/refresh`, { method: 'POST', headers, body }))
    if (response.status === 401) setTokens(undefined)
    if (!response.ok) throw await toProblem(response)
    const { token }: TokenAnswer = await response.json()
    setTokens(token)
  }

  /** All calls that find the same token expired share one refresh. */
  function renew(expired: string): Promise<void> | undefined {
    if (tokens === undefined) return undefined
    if (tokens.access !== expired) return Promise.resolve() // another call has refreshed it
    refreshing ??= refresh().finally(() => {
      refreshing = undefined
    })
    return refreshing
  }

  async function sendWithToken(request: Request): Promise<Response> {
    const access = tokens?.access
    if (access === undefined || request.headers.has('Authorization')) return fetch(request.clone())
    const response = await fetch(withToken(request, access))
    if (response.status !== 401) return response
    const { code } = await toProblem(response.clone())
    if (code === 'session_ended') setTokens(undefined)
    const renewal = code === 'token_invalid' ? renew(access) : undefined
    if (!renewal) return response
    await renewal
    return tokens ? fetch(withToken(request, tokens.access)) : response
  }

  return {
    setTokens,
    async fetch(request) {
      for (let attempt = 1; ; attempt++) {
        const isLast = attempt > retries
        const pauseSeconds = firstPauseSeconds * 2 ** (attempt - 1) * (0.5 + Math.random() / 2)
        try {
          const response = await sendWithToken(request)
          const waitSeconds = readRetryAfter(response) ?? pauseSeconds
          if (isLast || waitSeconds > longestWaitSeconds || !shouldRetry(request, response.status)) return response
          await response.body?.cancel()
          await pause(waitSeconds, request.signal)
        } catch (error) {
          // Every other error means that there is no answer; its type differs between runtimes.
          const isFinal = error instanceof TiebarProblem || request.signal.aborted
          if (isFinal || isLast || !isRepeatable(request)) throw error
          await pause(pauseSeconds, request.signal)
        }
      }
    },
  }
}

function withToken(request: Request, access: string): Request {
  const copy = new Request(request.clone())
  copy.headers.set('Authorization', `Bearer ${access}`)
  return copy
}

/** At 429 nothing was carried out; at 502, 503 and 504 the request may have been. */
function shouldRetry(request: Request, status: number): boolean {
  return status === 429 || ([502, 503, 504].includes(status) && isRepeatable(request))
}

/** Whether a second time changes nothing more: by the method (RFC 9110 §9.2.2), or because of the key. */
function isRepeatable({ method, headers }: Request): boolean {
  if (headers.has('Idempotency-Key')) return true
  // A second DELETE answers 404, and a second change with If-Match answers 412.
  return ['GET', 'HEAD'].includes(method) || (['PUT', 'PATCH'].includes(method) && !headers.has('If-Match'))
}

export function pause(seconds: number, signal?: AbortSignal | null): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop)
      resolve()
    }, seconds * 1_000)
    if (signal?.aborted) stop()
    signal?.addEventListener('abort', stop, { once: true })
  })
}
