// The endpoint of the change feed: server-sent events that say what has changed, so that nobody has to ask all the time.
import { createRoute, z } from '@hono/zod-openapi'
import { streamSSE } from 'hono/streaming'
import type { AppContext } from '../http/context.ts'
import { authenticate } from '../http/middleware/authenticate.ts'
import { countStream } from '../http/middleware/rate-limit.ts'
import { bearerOrKey, createRouter, problems, type Router } from '../http/openapi/router.ts'
import { type Cache, type FeedEntry, feedChannel } from '../infra/redis.ts'
import { TiebarError } from '../kernel/error.ts'
import { describeError } from '../kernel/log.ts'
import { type Audience, markOf } from './audience.ts'
import { changeEvent } from './schema.ts'
import { readAudience } from './sql/audience.ts'
import { follow, type Sink, type Start, startAfter } from './stream.ts'

const retrySeconds = 5

const changes = createRoute({
  method: 'get',
  path: '/api/changes',
  operationId: 'followChanges',
  tags: ['Live'],
  summary: 'Follow what changes, as server-sent events',
  description:
    'Each event names a machine or a job that has changed and that you may see: read it again to know what it is now. ' +
    '`machine` (data: `MachineChanged`): the machine, its status, report, holds, site or `delivery` have changed, or it was deleted. ' +
    '`job` (data: `JobChanged`): a job has a new version, or is a command that was refused. `reset`: events are lost, or what you may see has changed; read ' +
    'again all that you show. An event may come twice, and events of one machine in another order than their revisions. ' +
    'Send the id of the last event as `Last-Event-ID` to continue after it: the last 1,000 changes are kept. A comment comes ' +
    'every 15 s. The stream ends after 5 min, when you take nothing for 30 s, and when your session or key is not valid any ' +
    'more, which is checked every minute: connect again, at most 60 times in 60 s. Counters and times of reports are no change.',
  security: bearerOrKey('read'),
  middleware: [authenticate({ scopes: ['read'] })] as const,
  request: {
    headers: z.object({
      'Last-Event-ID': z
        .string()
        .optional()
        .openapi({ example: '1763855005000-0.q3Jk9_Ab', description: 'The id of the last event that you have seen' }),
    }),
  },
  responses: {
    200: { description: 'Events, until the stream ends', content: { 'text/event-stream': { schema: changeEvent } } },
    ...problems('feed_unavailable'),
  },
})

export function changeRoutes(): Router {
  const router = createRouter()

  router.openapi(changes, async (c) => {
    await countStream(c)
    const { cache, database } = c.var.upstreams
    const { subscription, audience } = await open(c)
    const start = await findStart(cache, audience, c.req.header('Last-Event-ID'))
    const isClosed = () => c.req.raw.signal.aborted
    if (!start || c.req.method === 'HEAD' || isClosed()) subscription.close()
    if (!start) throw unavailable()
    if (c.req.method === 'HEAD') return c.body(null, 200, { 'Content-Type': 'text/event-stream' })
    c.req.raw.signal.addEventListener('abort', subscription.close)
    const source = {
      next: async (ms: number) => (await subscription.next(ms)).map(toEntry),
      readFrom: (id: string) => cache.readFeed(id),
      readAudience: () => readAudience(database, c.var.caller),
    }
    const response = streamSSE(c, async (stream) => {
      const sink: Sink = {
        write: (text) => stream.write(text),
        abort: () => stream.abort(),
        get isClosed() {
          return stream.aborted || isClosed()
        },
      }
      try {
        await follow(source, sink, start, audience)
      } catch (error) {
        // The client connects again, and then gets the reason.
        const isExpected = error instanceof TiebarError && error.code === 'session_ended'
        if (!isExpected) c.var.trace.log('error', { doing: 'follow changes', ...describeError(error) })
      } finally {
        subscription.close()
      }
    })
    // Proxies must not compress the stream, and nginx must not collect it.
    response.headers.set('Cache-Control', 'private, no-cache, no-transform')
    response.headers.set('X-Accel-Buffering', 'no')
    return response
  })

  return router
}

/** Subscribes before anything is read, so that no change is missed in between. */
async function open(c: AppContext) {
  const { cache, database } = c.var.upstreams
  const subscribing = cache.subscribe(feedChannel)
  try {
    const [subscription, audience] = await Promise.all([subscribing, readAudience(database, c.var.caller)])
    if (!subscription) throw unavailable()
    return { subscription, audience }
  } catch (error) {
    c.executionCtx.waitUntil(subscribing.then((subscription) => subscription?.close()))
    throw error
  }
}

/**
 * @param lastEventId the id of an entry, a point, and the mark of what the caller could see then
 * @returns undefined if Redis is unavailable
 */
async function findStart(
  cache: Cache,
  audience: Audience,
  lastEventId: string | undefined,
): Promise<Start | undefined> {
  // Redis refuses any other text. It is the id of no entry.
  const [, known, mark] = /^(\d{1,15}-\d{1,15})\.([\w-]{8})$/.exec(lastEventId ?? '') ?? []
  // What the caller sees has changed meanwhile, although no machine has.
  const isSame = known !== undefined && mark === markOf(audience)
  const entries = isSame ? await cache.readFeed(known) : []
  if (!entries) return undefined
  if (isSame && entries.length > 0) return startAfter(known, entries)
  const id = await cache.lastFeedId()
  if (id === undefined) return undefined
  return { id, missed: [], isReset: lastEventId !== undefined && !(isSame && known === id) }
}

/** A message is the id of an entry, a space, and the entry. */
function toEntry(message: string): FeedEntry {
  const end = message.indexOf(' ')
  return { id: message.slice(0, end), entry: message.slice(end + 1) }
}

function unavailable(): TiebarError {
  const detail = 'Changes cannot be followed now. Read the board instead, and try again later.'
  return new TiebarError('feed_unavailable', detail, { retryAfterSeconds: retrySeconds })
}
