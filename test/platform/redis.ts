// A stand-in for the Upstash Redis REST API, over an in-process Redis or a real one. It implements what @upstash/redis uses
// of https://upstash.com/docs/redis/features/restapi.
import { randomBytes } from 'node:crypto'
import {
  notImplemented,
  type StandInAnswer,
  type StandInOptions,
  type StandInRequest,
  startHttpServer,
} from './http.ts'
import { type Prepared, prepareCommand } from './redis/commands.ts'
import { createMemoryEngine, type Engine, type Outcome } from './redis/engine.ts'
import { bytesFromText, NotImplemented, plainReply, RedisError, renderReply } from './redis/reply.ts'
import { type Call, readCall, readSubscription, splitTarget } from './redis/request.ts'
import { connectServerEngine } from './redis/server.ts'

export type RedisStandInOptions = StandInOptions & {
  /** A real Redis, such as redis://127.0.0.1:6379. By default the data is in this process. */
  serverUrl?: string
  /** The prefix of every key on the real Redis. By default a random one, whose keys `close()` deletes. */
  keyPrefix?: string
  /** By default a random one. */
  token?: string
}

export type RedisStandIn = {
  url: string
  token: string
  /**
   * Runs one command directly, without the REST API.
   * @throws RedisError for an error of Redis, NotImplemented for what the stand-in does not implement.
   */
  command(...args: (string | number)[]): Promise<unknown>
  close(): Promise<void>
}

type Format = { isBase64: boolean }

function isAuthorized(request: StandInRequest, token: string): boolean {
  const bearer = /^Bearer (.*)$/i.exec(request.headers.authorization ?? '')?.[1]
  return (bearer ?? splitTarget(request.target).query.get('_token')) === token
}

/** @throws NotImplemented for any format but JSON. */
function readFormat({ headers }: StandInRequest): Format {
  const format = headers['upstash-response-format'] ?? 'json'
  if (format !== 'json') throw new NotImplemented(`the response format ${format}`)
  return { isBase64: headers['upstash-encoding'] === 'base64' }
}

function renderOutcome(outcome: Outcome, { isBase64 }: Format): string {
  if ('error' in outcome) return JSON.stringify({ error: outcome.error.message })
  return `{"result":${renderReply(outcome.reply, isBase64)}}`
}

async function runCall(
  engine: Engine,
  kind: Call['kind'],
  commands: Prepared[],
  format: Format,
): Promise<StandInAnswer> {
  const outcomes = await engine.run(commands)
  const rendered = outcomes.map((outcome) => renderOutcome(outcome, format))
  if (kind === 'pipeline') return { body: `[${rendered.join(',')}]` }
  return { status: outcomes.some((outcome) => 'error' in outcome) ? 400 : 200, body: rendered.join('') }
}

/** `/subscribe/<channel>`: messages as server-sent events, until the client leaves. */
async function subscribe(engine: Engine, channel: string, signal: AbortSignal): Promise<StandInAnswer> {
  let send = (_text: string) => {}
  const event = (...words: string[]) => send(`data: ${Buffer.from(words.join(','), 'latin1').toString('utf8')}\n\n`)
  const stop = await engine.subscribe(channel, (message) => event('message', channel, message))
  if (signal.aborted) stop()
  else signal.addEventListener('abort', stop)
  return {
    stream: (write) => {
      send = write
      event('subscribe', channel, '1')
    },
  }
}

/** An invalid request becomes an error answer. */
async function answerCall(engine: Engine, request: StandInRequest, onWrite: () => void): Promise<StandInAnswer> {
  try {
    const format = readFormat(request)
    const channel = readSubscription(request)
    if (channel !== undefined) return await subscribe(engine, channel, request.signal)
    const call = readCall(request)
    // All commands are checked before the first one runs: a request with one that is not implemented has no effect.
    const commands = call.commands.map((words) => prepareCommand(words))
    if (commands.some(({ command }) => command?.isWrite)) onWrite()
    return await runCall(engine, call.kind, commands, format)
  } catch (error) {
    if (error instanceof NotImplemented) return notImplemented('redis', error.message)
    if (error instanceof RedisError) return { status: 400, body: { error: error.message } }
    throw error
  }
}

function createHandler(engine: Engine, token: string): (request: StandInRequest) => Promise<StandInAnswer> {
  // A client sends the last token back, so that no replica shows it older data. The stand-in has no replicas and ignores it.
  const epoch = randomBytes(6).toString('hex')
  let writes = 0
  const countWrite = () => {
    writes += 1
  }
  return async (request) => {
    if (!['HEAD', 'GET', 'POST', 'PUT'].includes(request.method)) {
      return {
        status: 405,
        headers: { allow: 'HEAD, GET, POST, PUT' },
        body: { error: 'ERR method not allowed' },
      }
    }
    if (!isAuthorized(request, token)) {
      return {
        status: 401,
        body: { error: 'WRONGPASS invalid or missing auth token' },
      }
    }
    const answer = await answerCall(engine, request, countWrite)
    const headers = {
      'content-type': answer.stream ? 'text/event-stream' : 'application/json',
      'upstash-sync-token': `${epoch}:${writes}`,
    }
    return { ...answer, headers }
  }
}

async function runAlone(engine: Engine, args: (string | number)[]): Promise<unknown> {
  const [outcome] = await engine.run([prepareCommand(args.map((arg) => bytesFromText(String(arg))))])
  if (!outcome) throw new TypeError('the engine gave no outcome')
  if ('error' in outcome) throw outcome.error
  return plainReply(outcome.reply)
}

/**
 * Starts the stand-in, with data of its own.
 * @throws Error when the port cannot be used, or the real Redis cannot be reached.
 */
export async function startRedis(options: RedisStandInOptions = {}): Promise<RedisStandIn> {
  const { serverUrl, keyPrefix, token = randomBytes(24).toString('base64url') } = options
  const engine = serverUrl === undefined ? createMemoryEngine() : await connectServerEngine(serverUrl, keyPrefix)
  const server = await startHttpServer('redis', createHandler(engine, token), options).catch(async (error: unknown) => {
    await engine.close()
    throw error
  })
  return {
    url: server.url,
    token,
    command: (...args) => runAlone(engine, args),
    close: async () => {
      await server.close()
      await engine.close()
    },
  }
}
