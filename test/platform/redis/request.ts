// Reads a request to the REST API: one command as a JSON array or as a path, or several at /pipeline.
import type { StandInRequest } from '../http.ts'
import { bytesFromText, NotImplemented, RedisError } from './reply.ts'

export type Call = { kind: 'command' | 'pipeline'; commands: string[][] }

/** Numbers stay as they are written, because a JavaScript number above 2^53 loses digits. */
function parseJson(body: Buffer): unknown {
  const keepNumber = (_name: string, value: unknown, context?: { source?: string }) =>
    typeof value === 'number' ? (context?.source ?? String(value)) : value
  try {
    return JSON.parse(body.toString('utf8'), keepNumber)
  } catch {
    throw new RedisError('ERR failed to parse the JSON body')
  }
}

function readWord(value: unknown): string {
  if (typeof value === 'string') return bytesFromText(value)
  if (typeof value === 'boolean') return String(value)
  if (value === null) throw new RedisError('ERR null args are not supported')
  throw new RedisError('ERR the elements of a command are strings, numbers or booleans')
}

function readCommand(value: unknown): string[] {
  if (!Array.isArray(value)) throw new RedisError('ERR a command is a JSON array')
  if (value.length === 0) throw new RedisError('ERR empty command')
  return value.map(readWord)
}

function readBatch(body: Buffer): string[][] {
  const commands = parseJson(body)
  if (!Array.isArray(commands)) throw new RedisError('ERR several commands are a JSON array of arrays')
  if (commands.length === 0) throw new RedisError('ERR there is no command')
  return commands.map(readCommand)
}

/** Percent-encoding encodes bytes, not characters. Node already reads the target as latin1. */
function decodeSegment(segment: string): string {
  if (/%(?![0-9a-f]{2})/i.test(segment)) throw new RedisError('ERR the path is not percent-encoded')
  return segment.replace(/%(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}

/** `/set/key?EX=100` with the value as the body is SET key value EX 100. */
function readPath(path: string, query: URLSearchParams, body: Buffer): string[] {
  const words = path.slice(1).split('/').map(decodeSegment)
  if (body.length > 0) words.push(body.toString('latin1'))
  for (const [name, value] of query) {
    if (name === '_token') continue
    words.push(bytesFromText(name))
    if (value !== '') words.push(bytesFromText(value))
  }
  return words
}

/** The channel of `/subscribe/<channel>` with server-sent events. The vendor's client sends an empty array as the body. */
export function readSubscription({ target, headers }: StandInRequest): string | undefined {
  const [, channel] = /^\/subscribe\/([^/]+)$/i.exec(splitTarget(target).path) ?? []
  return headers.accept === 'text/event-stream' && channel !== undefined ? decodeSegment(channel) : undefined
}

/** @throws RedisError for an invalid request, NotImplemented for a transaction */
export function readCall(request: StandInRequest): Call {
  const { path, query } = splitTarget(request.target)
  if (path === '/multi-exec') throw new NotImplemented('transactions')
  if (path === '/pipeline') return { kind: 'pipeline', commands: readBatch(request.body) }
  if (path !== '/') return { kind: 'command', commands: [readPath(path, query, request.body)] }
  if (request.body.length === 0) throw new RedisError('ERR empty command')
  return { kind: 'command', commands: [readCommand(parseJson(request.body))] }
}

export function splitTarget(target: string): { path: string; query: URLSearchParams } {
  const [path = '', ...rest] = target.split('?')
  return { path, query: new URLSearchParams(rest.join('?')) }
}
