// `fetch` with a time limit, the server's clock, ETags, and whether the server can be reached.
import { noteServerTime } from './clock.ts'
import { createStore } from './state.ts'

export type Connection = { isLost: boolean; lastAnswerAt: number }
export const connection = createStore<Connection>({ isLost: false, lastAnswerAt: Date.now() })

const timeoutMs = 10_000
/** After 1.5 s without an answer, a probe is sent within 1 s. It may take 2 s: a lost connection is shown within 5 s. */
const quietMs = 1_500
const probeEveryMs = 1_000
const probeTimeoutMs = 2_000

/** A read of the API that takes longer counts as a lost connection, although the page itself may still be answered. */
const slowMs = 3_000

const reads = new Set<AbortController>()
/** Since a read took too long, the API has answered nothing. */
let isApiSilent = false

/** Ends all reads. Browsers open only few connections at once, and a STOP must not wait for one. */
export function abortReads(): void {
  for (const read of reads) read.abort(new DOMException('superseded by a STOP', 'AbortError'))
}

const isRead = ({ method }: Request) => method === 'GET' || method === 'HEAD'

/** Rejects when there is no answer within 10 s. */
export async function timedFetch(request: Request): Promise<Response> {
  const controller = new AbortController()
  const timer = setTimeout(() => controller.abort(new DOMException('no answer in time', 'TimeoutError')), timeoutMs)
  const slow = isRead(request) ? setTimeout(noteSilence, slowMs) : undefined
  if (isRead(request)) reads.add(controller)
  const signal = AbortSignal.any([request.signal, controller.signal])
  const sentAt = Date.now()
  try {
    const response = await fetch(new Request(request, { signal, cache: 'no-store' }))
    clearTimeout(slow)
    isApiSilent = false
    noteAnswer(response, sentAt)
    return await readWhole(response)
  } catch (error) {
    if (!request.signal.aborted && !(error instanceof DOMException && error.name === 'AbortError')) noteLoss()
    throw error
  } finally {
    clearTimeout(timer)
    clearTimeout(slow)
    reads.delete(controller)
  }
}

/** Rejects when the answer does not begin within 10 s. Its body has no time limit. */
export async function openStream(request: Request): Promise<Response> {
  const controller = new AbortController()
  const timer = setTimeout(() => controller.abort(new DOMException('no answer in time', 'TimeoutError')), timeoutMs)
  const signal = AbortSignal.any([request.signal, controller.signal])
  return fetch(new Request(request, { signal, cache: 'no-store' })).finally(() => clearTimeout(timer))
}

/** Reads the body within the time limit of the request, too. */
async function readWhole(response: Response): Promise<Response> {
  const { status, statusText, headers } = response
  const body = [204, 304].includes(status) ? null : await response.arrayBuffer()
  return new Response(body, { status, statusText, headers })
}

function noteAnswer(response: Response, sentAt: number): void {
  const receivedAt = Date.now()
  noteServerTime({ serverDate: response.headers.get('Date'), sentAt, receivedAt })
  if (!isApiSilent) connection.set({ isLost: false, lastAnswerAt: receivedAt })
}

function noteSilence(): void {
  isApiSilent = true
  noteLoss()
}

function noteLoss(): void {
  const { lastAnswerAt } = connection.get()
  connection.set({ isLost: true, lastAnswerAt })
}

let isProbing = false

/** The page itself is a static file: asking for it costs nothing and does not run the Worker. */
async function probe(): Promise<void> {
  const { isLost, lastAnswerAt } = connection.get()
  if (isProbing || document.hidden || (!isLost && Date.now() - lastAnswerAt < quietMs)) return
  isProbing = true
  const sentAt = Date.now()
  try {
    const signal = AbortSignal.timeout(probeTimeoutMs)
    noteAnswer(await fetch('/', { method: 'HEAD', cache: 'no-store', signal }), sentAt)
  } catch {
    // Another request may have had an answer meanwhile.
    if (connection.get().lastAnswerAt < sentAt) noteLoss()
  }
  isProbing = false
}

export function watchConnection(): void {
  connection.subscribe(() => {
    document.documentElement.dataset.connection = connection.get().isLost ? 'lost' : 'open'
  })
  setInterval(() => void probe(), probeEveryMs)
  addEventListener('offline', noteLoss)
  addEventListener('online', () => void probe())
  document.addEventListener('visibilitychange', () => void probe())
}

const known = new Map<string, { etag: string; body: string }>()
const maxKnown = 50

/** Reads with If-None-Match: an unchanged answer is not sent again. */
export async function fetchWithEtag(
  request: Request,
  send: (request: Request) => Promise<Response>,
): Promise<Response> {
  const stored = known.get(request.url)
  const asked = new Request(request)
  if (stored) asked.headers.set('If-None-Match', stored.etag)
  const response = await send(asked)
  if (response.status === 304 && stored) {
    const headers = new Headers(response.headers)
    headers.set('Content-Type', 'application/json')
    return new Response(stored.body, { status: 200, headers })
  }
  const etag = response.headers.get('ETag')
  if (!response.ok || etag === null) return response
  if (known.size >= maxKnown) known.clear()
  known.set(request.url, { etag, body: await response.clone().text() })
  return response
}

/** For a new session: another account may see something else. */
export function forgetEtags(): void {
  known.clear()
}
