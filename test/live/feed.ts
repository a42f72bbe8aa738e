// The change feed for tests: connects, and collects the events with their ids.
import { connect } from 'node:net'
import { poll } from '../harness.ts'

export type Received = {
  event: string
  data: { id?: number | string } & Record<string, unknown>
  id: string | undefined
}

export type Feed = {
  status: number
  /** The text as it came, with comments. */
  text(): string
  events(): Received[]
  /** The last id that came, also without an event. */
  lastId(): string | undefined
  /** Waits until events of these names, for this machine or job, have come; in this order. */
  waitFor(...wanted: [event: string, id?: number | string][]): Promise<Received[]>
  hasEnded(): boolean
  close(): void
}

export async function connectFeed(
  url: string,
  token: string,
  headers: Record<string, string> = {},
): Promise<Feed & { response: Response }> {
  const controller = new AbortController()
  const response = await fetch(`${url}/api/changes`, {
    headers: { Authorization: `Bearer ${token}`, ...headers },
    signal: controller.signal,
  })
  let text = ''
  let hasEnded = false
  const read = async () => {
    const decoder = new TextDecoder()
    for await (const chunk of response.body ?? []) text += decoder.decode(chunk, { stream: true })
  }
  if (response.ok) {
    void read()
      .catch(() => {}) // a cut connection ends it, too
      .finally(() => {
        hasEnded = true
      })
  }
  const field = (block: string, name: string) => block.match(new RegExp(`^${name}: (.*)$`, 'm'))?.[1]
  const blocks = () => text.split('\n\n').slice(0, -1)
  const events = () =>
    blocks().flatMap((block) => {
      const event = field(block, 'event')
      return event === undefined
        ? []
        : [{ event, data: JSON.parse(field(block, 'data') ?? ''), id: field(block, 'id') }]
    })
  return {
    response,
    status: response.status,
    text: () => text,
    events,
    lastId: () =>
      blocks()
        .flatMap((block) => field(block, 'id') ?? [])
        .at(-1),
    async waitFor(...wanted) {
      const find = () => {
        let rest = events()
        return wanted.map(([event, id]) => {
          const at = rest.findIndex((each) => each.event === event && (id === undefined || each.data.id === id))
          const [found] = at < 0 ? [] : rest.slice(at)
          rest = at < 0 ? [] : rest.slice(at + 1)
          return found
        })
      }
      return poll(
        async () => {
          const found = find().filter((each) => each !== undefined)
          return { isDone: found.length === wanted.length, value: found }
        },
        `${JSON.stringify(wanted)} in ${text}`,
      )
    },
    hasEnded: () => hasEnded,
    close: () => controller.abort(),
  }
}

/**
 * A client whose connection can break. It must break with a reset: outside Cloudflare, workerd does not see that a
 * connection was merely closed until it writes to it.
 */
export function connectWithSocket(url: string, token: string): { connected: Promise<void>; reset(): void } {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  const connected = Promise.withResolvers<void>()
  let text = ''
  socket.on('data', (bytes) => {
    text += bytes.toString()
    if (text.includes(': connected')) connected.resolve()
  })
  socket.on('error', () => {}) // of the reset
  socket.write(
    [`GET /api/changes HTTP/1.1`, `Host: ${hostname}`, `Authorization: Bearer ${token}`, '', ''].join('\r\n'),
  )
  return { connected: connected.promise, reset: () => socket.resetAndDestroy() }
}
