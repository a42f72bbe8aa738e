// `fetch` with an access token, which is refreshed when it has expired, and with retries where they are safe.
import type { Token, TokenAnswer } from './api.ts'
import { readJson, readRetryAfter, toProblem } from './problem.ts'

export type Tokens = Pick<Token, 'access' | 'refresh'>

export type TransportOptions = {
  /** The origin of the API, such as `https://api.example.com`. */
  baseUrl: string
  /** An API key, for programs: `tbk_…`. It is used instead of tokens, and there is no log-in. */
  key?: string | undefined
  /** The tokens of a session that is open already. Without them, log in first. */
  tokens?: Tokens | undefined
  /** Called with new tokens, which replace the old ones, and with `undefined` when the session has ended. */
  onTokens?: ((tokens: Tokens | undefined) => void) | undefined
  /** The maximum number of retries of one request; the default is 3. */
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
/** Less than the 10 s in which the API accepts the same refresh token again. */
const refreshTimeoutMs = 8_000

export function openTransport({
  baseUrl,
  key,
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

  /** Sends the request until an answer needs no retry, or the retries are used up. */
  async function retrying(request: Request, mayRepeat: boolean, send: () => Promise<Response>): Promise<Response> {
    // Who follows a stream opens it again, and says meanwhile that it is lost.
    const most = request.headers.get('Accept') === 'text/event-stream' ? 0 : retries
    for (let attempt = 1; ; attempt++) {
      const isLast = attempt > most
      const pauseSeconds = firstPauseSeconds * 2 ** (attempt - 1) * (0.5 + Math.random() / 2)
      try {
        const response = await send()
        const waitSeconds = readRetryAfter(response) ?? pauseSeconds
        if (isLast || waitSeconds > longestWaitSeconds || !shouldRetry(response.status, mayRepeat)) return response
        await response.body?.cancel()
        await pause(waitSeconds, request.signal)
      } catch (error) {
        // An error means that there is no answer; its type differs between runtimes.
        if (request.signal.aborted || isLast || !mayRepeat) throw error
        await pause(pauseSeconds, request.signal)
      }
    }
  }

  /**
   * The API accepts a refresh token once more within 10 s, in case the answer was lost. So a refresh is repeated within this
   * time.
   * @throws TiebarProblem when the session has ended
   */
  async function refresh(sent: string): Promise<void> {
    const body = JSON.stringify({ refresh: sent })
    const headers = { 'Content-Type': 'application/json' }
    const request = new Request(`${baseUrl}/api/token/refresh`, { method: 'POST', headers, body })
    const response = await retrying(request, true, () =>
      fetch(new Request(request.clone(), { signal: AbortSignal.timeout(refreshTimeoutMs) })),
    )
    const problem = response.ok ? undefined : await toProblem(response)
    // An answer without a code is from a proxy, which knows nothing about the session.
    const isOver = problem?.status === 401 && problem.code !== 'unknown'
    const next = problem ? undefined : (await readJson<TokenAnswer>(response)).token
    // Somebody may have logged in or out meanwhile.
    if ((next || isOver) && tokens?.refresh === sent) setTokens(next)
    if (problem) throw problem
  }

  /** All calls that find the same token expired share one refresh. */
  function renew(expired: string): Promise<void> | undefined {
    if (tokens === undefined) return undefined
    if (tokens.access !== expired) return Promise.resolve() // another call has refreshed it
    refreshing ??= refresh(tokens.refresh).finally(() => {
      refreshing = undefined
    })
    return refreshing
  }

  function send(request: Request, access: string | undefined): Promise<Response> {
    return retrying(request, isRepeatable(request), () =>
      fetch(access === undefined ? request.clone() : withToken(request, access)),
    )
  }

  return {
    setTokens,
    async fetch(request) {
      const isSigned = request.headers.has('Authorization')
      if (key !== undefined && !isSigned) return send(request, key)
      const access = isSigned ? undefined : tokens?.access
      const response = await send(request, access)
      if (access === undefined || response.status !== 401) return response
      const { code } = await toProblem(response.clone())
      if (code === 'session_ended' && tokens?.access === access) setTokens(undefined)
      const renewal = code === 'token_invalid' ? renew(access) : undefined
      if (!renewal) return response
      await renewal
      return tokens ? send(request, tokens.access) : response
    },
  }
}

function withToken(request: Request, access: string): Request {
  const copy = new Request(request.clone())
  copy.headers.set('Authorization', `Bearer ${access}`)
  return copy
}

/** At 429 nothing was carried out; at the others the request may have been. 520 to 530 are Cloudflare's own. */
function shouldRetry(status: number, mayRepeat: boolean): boolean {
  const isTemporary = [502, 503, 504].includes(status) || (status >= 520 && status <= 530)
  return status === 429 || (isTemporary && mayRepeat)
}

/** Whether a repetition has no further effect: because of the method (RFC 9110 §9.2.2) or the Idempotency-Key. */
function isRepeatable({ method, headers }: Request): boolean {
  if (headers.has('Idempotency-Key')) return true
  // A second DELETE answers 404, and a second change with If-Match answers 412.
  return ['GET', 'HEAD'].includes(method) || (['PUT', 'PATCH'].includes(method) && !headers.has('If-Match'))
}

/** Waits. Rejects with the reason of `signal` when that aborts. */
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
