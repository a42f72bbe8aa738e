// Follows the change feed: a stream of server-sent events, which is opened again whenever it has ended.
import type { JobChanged, MachineChanged } from './api.ts'
import { TiebarProblem, toProblem } from './problem.ts'
import { pause } from './transport.ts'

/** What has changed. `reset`: changes were lost, or what you may see has changed. Read everything that you show again. */
export type Change = ({ type: 'machine' } & MachineChanged) | ({ type: 'job' } & JobChanged) | { type: 'reset' }

export type ChangesOptions = {
  /** Ends the stream. */
  signal?: AbortSignal
  /** Called each time a stream has opened. Read what you show now: no change after this call is missed. */
  onConnected?: () => void
  /** Called each time a stream could not be opened, or was lost. It is opened again. */
  onLost?: (error: unknown) => void
}

const firstPauseSeconds = 0.5
const longestPauseSeconds = 30
/** The API sends a comment every 15 s. */
const silenceSeconds = 40

const names = ['machine', 'job', 'reset']

/**
 * Yields changes, each at least once, until the iteration or `signal` ends it. After a lost connection, it continues after
 * the last change.
 * @throws TiebarProblem when another try would also be refused, such as 401 and 403
 */
export async function* followChanges(
  baseUrl: string,
  fetch: (request: Request) => Promise<Response>,
  { signal, onConnected, onLost }: ChangesOptions = {},
): AsyncGenerator<Change> {
  let lastId: string | undefined
  let pauseSeconds = firstPauseSeconds
  while (!signal?.aborted) {
    const stream = new AbortController()
    let waitSeconds = firstPauseSeconds
    let leastSeconds = 0
    try {
      const headers = { Accept: 'text/event-stream', ...(lastId !== undefined && { 'Last-Event-ID': lastId }) }
      const signals = AbortSignal.any([stream.signal, ...(signal ? [signal] : [])])
      const request = new Request(`${baseUrl}/api/changes`, { headers, signal: signals })
      const response = await beforeSilence(fetch(request), stream)
      if (!response.ok) throw await toProblem(response)
      if (!response.body || !isEventStream(response)) throw new Error('the answer is not an event stream')
      onConnected?.()
      for await (const { id, event, data } of readEvents(response.body, stream)) {
        pauseSeconds = firstPauseSeconds
        if (event !== undefined && names.includes(event)) yield { type: event, ...JSON.parse(data) }
        lastId = id ?? lastId // only now: an event that was not handled comes again
      }
    } catch (error) {
      if (signal?.aborted) return
      if (error instanceof TiebarProblem && isRefused(error)) throw error
      onLost?.(error)
      waitSeconds = pauseSeconds
      if (error instanceof TiebarProblem) leastSeconds = error.retryAfterSeconds ?? 0
      pauseSeconds = Math.min(2 * pauseSeconds, longestPauseSeconds)
    } finally {
      stream.abort()
    }
    // Clients that lost their streams at the same time do not all return at the same time.
    const seconds = leastSeconds + waitSeconds * (0.5 + Math.random())
    await pause(seconds, signal).catch(() => {}) // it rejects when the signal ends it
  }
}

/** Whether another try would get the same answer. */
function isRefused({ status }: TiebarProblem): boolean {
  return status >= 400 && status < 500 && status !== 429
}

/** Ends the stream when nothing comes in time, also no answer. */
function beforeSilence<Value>(coming: Promise<Value>, stream: AbortController): Promise<Value> {
  const timer = setTimeout(() => stream.abort(new Error('the stream is silent')), silenceSeconds * 1_000)
  return coming.finally(() => clearTimeout(timer))
}

/** A proxy that wants a log-in, for one, answers 200 with a page. */
function isEventStream({ headers }: Response): boolean {
  return headers.get('Content-Type')?.startsWith('text/event-stream') === true
}

type ServerSentEvent = { id?: string; event?: string; data: string }

/** Reads a stream: https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation */
async function* readEvents(body: ReadableStream<Uint8Array>, stream: AbortController): AsyncGenerator<ServerSentEvent> {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  let text = ''
  for (;;) {
    const { done, value } = await beforeSilence(reader.read(), stream)
    if (done) return
    text += decoder.decode(value, { stream: true })
    const blocks = text.split(/\r?\n\r?\n/)
    text = blocks.pop() ?? '' // not complete yet
    yield* blocks.map(readBlock)
  }
}

function readBlock(block: string): ServerSentEvent {
  const read: ServerSentEvent = { data: '' }
  for (const line of block.split(/\r?\n/)) {
    const [, field, value = ''] = /^(id|event|data):? ?(.*)$/.exec(line) ?? []
    if (field === 'data') read.data += value
    else if (field === 'id' || field === 'event') read[field] = value
  }
  return read
}
