// One stream of the change feed: what a subscription brings, with what it has missed, until the stream ends.
import type { FeedEntry } from '../infra/redis.ts'
import { type Audience, type FeedEvent, markOf, readChange, toEvents } from './audience.ts'

/** A comment is sent this often: proxies end a connection that is silent. Also what the subscription has missed is read. */
export const checkMs = 15_000
/** The caller is checked this often. */
export const audienceMs = 60_000
/** Then the client connects again. */
export const lifetimeMs = 5 * 60_000
/** A client that takes nothing for this long is gone. */
export const stalledMs = 30_000
/** So soon after a check has found something, the subscription must have brought it, too. */
const heardMs = 1_000

/** No entry: the id of an empty feed. */
const noId = '0-0'

export type Source = {
  /** Waits for new entries, at most `ms`. */
  next(ms: number): Promise<FeedEntry[]>
  /** The kept entries from this one on. @returns undefined if the feed is unavailable */
  readFrom(id: string): Promise<FeedEntry[] | undefined>
  /** @throws if the caller may not read any more */
  readAudience(): Promise<Audience>
}

export type Sink = {
  /** Waits until the client has room for it. */
  write(text: string): Promise<unknown>
  /** Cuts the connection. Then `isClosed` is true. */
  abort(): void
  readonly isClosed: boolean
}

/** Where a stream begins: after an entry, or with entries that the client has missed. `isReset`: some of these are lost. */
export type Start = { id: string; missed: FeedEntry[]; isReset: boolean }

/**
 * Begins after the entry that a client knows.
 * @param entries the kept entries from that one on
 */
export function startAfter(id: string, entries: FeedEntry[]): Start {
  const [first, ...missed] = entries
  if (first?.id === id) return { id, missed, isReset: false }
  if (!first && id === noId) return { id, missed: [], isReset: false }
  return { id: entries.at(-1)?.id ?? noId, missed: [], isReset: true }
}

/**
 * Writes server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html) until the client leaves or
 * takes nothing any more, five minutes are over, the feed is unavailable, the subscription brings nothing any more, or the
 * caller may not read any more.
 */
export async function follow(source: Source, sink: Sink, start: Start, audience: Audience): Promise<void> {
  const endsAt = Date.now() + lifetimeMs
  let nextCheckAt = Date.now() + checkMs
  let nextAudienceAt = Date.now() + audienceMs
  let known = audience
  let mark = markOf(audience)
  let last = start.id
  /** The newest entry that the subscription has brought, and the newest that the last check has found. */
  let heard = start.missed.at(-1)?.id ?? start.id
  let found = heard

  const idAt = (id: string) => `${id}.${mark}`
  const write = async (text: string) => {
    const stalled = Promise.withResolvers<void>()
    const timer = setTimeout(() => {
      sink.abort()
      stalled.resolve()
    }, stalledMs)
    await Promise.race([sink.write(text), stalled.promise]).finally(() => clearTimeout(timer))
  }
  const send = async (entries: FeedEntry[]) => {
    for (const entry of entries) {
      if (sink.isClosed || !isAfter(entry.id, last)) continue
      last = entry.id
      const change = readChange(entry)
      // An entry of another version of this code: what it says is not known.
      const events: FeedEvent[] = change ? toEvents(change, known) : [{ event: 'reset', data: {} }]
      if (events.length > 0) await write(toText(events, idAt(last)))
    }
  }
  const begin = async ({ id, missed, isReset }: Start) => {
    last = id
    if (isReset) await write(toText([{ event: 'reset', data: {} }], idAt(last)))
    await send(missed)
  }

  // An id without data is no event: the client keeps it, and begins after it when it connects again. The id of a reset comes
  // with the reset, which would be lost otherwise if the connection broke in between.
  await write(start.isReset ? ': connected\n\n' : `: connected\nid: ${idAt(last)}\n\n`)
  await begin(start)
  while (!sink.isClosed && Date.now() < endsAt) {
    if (Date.now() >= nextCheckAt) {
      if (isAfter(found, heard)) return // the subscription is dead: a new stream has a new one
      const entries = await source.readFrom(last)
      if (!entries) return
      found = entries.at(-1)?.id ?? found
      nextCheckAt = Date.now() + (isAfter(found, heard) ? heardMs : checkMs)
      await begin(startAfter(last, entries))
      // With the id, because the client may have seen none of the entries before it.
      await write(`: \nid: ${idAt(last)}\n\n`)
    }
    if (Date.now() >= nextAudienceAt) {
      nextAudienceAt = Date.now() + audienceMs
      const now = await source.readAudience()
      const isSame = markOf(now) === mark
      known = now
      mark = markOf(now)
      // What the caller sees has changed, although no machine has.
      if (!isSame) await begin({ id: last, missed: [], isReset: true })
    }
    const wakesAt = Math.min(nextCheckAt, nextAudienceAt, endsAt)
    const entries = await source.next(Math.max(0, wakesAt - Date.now()))
    heard = entries.at(-1)?.id ?? heard
    await send(entries)
  }
}

/** The id is that of the last event: a client that loses the connection in between gets all of them again. */
function toText(events: FeedEvent[], id: string): string {
  const texts = events.map(({ event, data }) => `event: ${event}\ndata: ${JSON.stringify(data)}\n`)
  return `${texts.join('\n')}id: ${id}\n\n`
}

/** Compares ids such as `1763855005000-0`, whose parts are numbers. */
function isAfter(id: string, other: string): boolean {
  const [ms = 0, seq = 0] = id.split('-').map(Number)
  const [otherMs = 0, otherSeq = 0] = other.split('-').map(Number)
  return ms > otherMs || (ms === otherMs && seq > otherSeq)
}
