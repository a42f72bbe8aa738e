// `fetch` as the API wants it: with a token that is renewed when it has expired, and sent again when that is safe.
import type { Token, TokenAnswer } from './api.ts'
import { readRetryAfter, TiebarProblem, toProblem } from './problem.ts'

export type Tokens = Pick<Token, 'access' | 'refresh'>

export type TransportOptions = {
  /** The origin of the API, such as `https://api.example.com`. */
  baseUrl: string
  /** From an earlier run; without them, log in first. */
  tokens?: Tokens | undefined
  /** Told of new tokens, which are to be kept in the place of the old, and of `undefined` when the session is over. */
  onTokens?: ((tokens: Tokens | undefined) => void) | undefined
  /** How often a request is sent again; 3. */
  retries?: number
  /** Whoever is told to wait for longer does not wait, and gets the problem at once; 10. */
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

  /** @throws TiebarProblem when the session is over */
  async function refresh(): Promise<void> {
    const body = JSON.stringify({ refresh: tokens?.refresh })
    const headers = { 'Content-Type': 'application/json' }
    const response = await fetch(new Request(`${baseUrl}/api/token/refresh`, { method: 'POST', headers, body }))
    if (response.status === 401) setTokens(undefined)
    if (!response.ok) throw await toProblem(response)
    const { token }: TokenAnswer = await response.json()
    setTokens(token)
  }

  /** One refresh for all who find their token expired meanwhile. */
  function renew(expired: string): Promise<void> | undefined {
    if (tokens === undefined) return undefined
    if (tokens.access !== expired) return Promise.resolve() // another one did it already
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
          if (isLast || waitSeconds > longestWaitSeconds || !isWorthAnother(request, response.status)) return response
          await response.body?.cancel()
          await pause(waitSeconds, request.signal)
        } catch (error) {
          // Else no answer came: what is thrown then is another error in each runtime.
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

/** Who was told to come later did nothing; who got no answer may have done it. */
function isWorthAnother(request: Request, status: number): boolean {
  return status === 429 || ([502, 503, 504].includes(status) && isRepeatable(request))
}

/** Twice is as good as once: by the method (RFC 9110 §9.2.2), or because the server knows the key. */
function isRepeatable({ method, headers }: Request): boolean {
  if (headers.has('Idempotency-Key')) return true
  // A DELETE that has worked answers 404 the second time, and a change under an ETag 412.
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
