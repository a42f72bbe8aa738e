// A real Redis behind the REST API. All keys get a prefix that clients never see, so that many stand-ins can share a
// server; KEYS and FLUSHDB act only on keys with the prefix.
import { Redis } from 'ioredis'
import { uniqueSuffix } from '../unique-suffix.ts'
import { mapKeys } from './command.ts'
import { commandTable, type Prepared } from './commands.ts'
import type { Engine, Outcome } from './engine.ts'
import { escapeGlob } from './glob.ts'
import { guardScript, readRefusal } from './guard.ts'
import { checkLua } from './lua.ts'
import { integerReply, NotImplemented, RedisError, type Reply } from './reply.ts'
import { noScript, plainLua, scriptSha } from './scripts.ts'

type Sent = { name: string; args: string[]; strip: (reply: Reply) => Reply }

// 100 keys at a time: unpack has a limit of a few thousand.
const deleteKeys = `
local keys = redis.call('KEYS', ARGV[1])
for first = 1, #keys, 100 do redis.call('UNLINK', unpack(keys, first, math.min(first + 99, #keys))) end
return redis.status_reply('OK')`

/** `guardedScripts`: for the hash of each script, the guarded script that the server gets. */
type Server = { client: Redis; prefix: string; guardedScripts: Map<string, string> }

const same = (reply: Reply) => reply

/** The command that has the same effect within the prefix. */
function withinPrefix(prefix: string, { name, args, command }: Prepared): Sent {
  if (prefix === '' || !command) return { name, args, strip: same }
  if (name === 'flushdb') return { name: 'eval', args: [deleteKeys, '0', `${escapeGlob(prefix)}*`], strip: same }
  if (name === 'keys') {
    const strip = (key: Reply) => (typeof key === 'string' ? key.slice(prefix.length) : key)
    return {
      name,
      args: args.map((pattern) => escapeGlob(prefix) + pattern),
      strip: (reply) => (Array.isArray(reply) ? reply.map(strip) : reply),
    }
  }
  return { name, args: mapKeys(command, args, (key) => prefix + key), strip: same }
}

/**
 * The command with the script that the server gets: plain Lua with the guard. EVALSHA finds only scripts that this stand-in
 * has sent, so the server never runs an unguarded one that another client loaded.
 * @throws RedisError for a script that does not compile, and for an unknown hash
 */
function guarded(prepared: Prepared, guardedScripts: Map<string, string>): Prepared {
  const { name, args } = prepared
  const [first = ''] = args
  if (name === 'evalsha') {
    const script = guardedScripts.get(first.toLowerCase())
    if (script === undefined) throw noScript()
    return { ...prepared, args: args.with(0, scriptSha(script)) }
  }
  if (name !== 'eval') return prepared
  const sha = scriptSha(first)
  let script = guardedScripts.get(sha)
  if (script === undefined) {
    const plain = plainLua(first)
    checkLua(plain)
    script = guardScript(plain, commandTable)
    guardedScripts.set(sha, script)
  }
  return { ...prepared, args: args.with(0, script) }
}

/** ioredis gives integers as strings (`stringNumbers`) and strings as buffers. */
function readReply(raw: unknown): Reply {
  if (raw === null) return null
  if (raw instanceof Uint8Array) return Buffer.from(raw).toString('latin1')
  if (typeof raw === 'string') return integerReply(BigInt(raw))
  if (Array.isArray(raw)) return raw.map(readReply)
  if (raw instanceof Error) throw new NotImplemented('a script whose result has an error inside an array')
  throw new TypeError(`ioredis answered with a ${typeof raw}`)
}

const isReplyError = (error: unknown): error is Error => error instanceof Error && error.name === 'ReplyError'

/** @throws NotImplemented for a script that the guard refused; any error that is not from Redis, unchanged */
function readError(error: unknown): RedisError {
  if (error instanceof RedisError) return error
  if (!isReplyError(error)) throw error
  const refused = readRefusal(error.message)
  if (refused !== undefined) throw new NotImplemented(refused)
  return new RedisError(error.message)
}

/** Errors of commands that the server does not get: unknown ones, and those that it gets in another form. */
function answerHere({ name, command, next }: Prepared): Outcome | null {
  if (!(next instanceof RedisError)) return null
  return !command || name === 'flushdb' || name === 'eval' ? { error: next } : null
}

// In upper case, because ioredis changes the replies of commands whose lower-case names it knows.
function send(client: Redis, name: string, args: string[] = []): Promise<unknown> {
  return client.callBuffer(name.toUpperCase(), ...args.map((arg) => Buffer.from(arg, 'latin1')))
}

async function runOne({ client, prefix, guardedScripts }: Server, prepared: Prepared): Promise<Outcome> {
  const known = answerHere(prepared)
  if (known) return known
  try {
    const { name, args, strip } = withinPrefix(prefix, guarded(prepared, guardedScripts))
    return { reply: strip(readReply(await send(client, name, args))) }
  } catch (error) {
    return { error: readError(error) }
  }
}

async function connect(serverUrl: string): Promise<Redis> {
  const client = new Redis(serverUrl, {
    lazyConnect: true,
    stringNumbers: true,
    maxRetriesPerRequest: 1,
  })
  client.on('error', () => {}) // each command reports the error; without a listener ioredis also prints it
  try {
    await client.connect()
  } catch (error) {
    client.disconnect()
    throw new Error('the Redis server of LOCAL_REDIS_URL cannot be reached', { cause: error })
  }
  return client
}

/**
 * Connects to the server. By default the prefix is random, and `close()` deletes its keys.
 * @throws Error when the server cannot be reached
 */
export async function connectServerEngine(serverUrl: string, keyPrefix?: string): Promise<Engine> {
  const prefix = keyPrefix ?? `tiebar:${uniqueSuffix()}:`
  const client = await connect(serverUrl)
  const server: Server = { client, prefix, guardedScripts: new Map() }
  return {
    run: (commands) => Promise.all(commands.map((prepared) => runOne(server, prepared))),
    subscribe: async (channel, onMessage) => {
      // A connection that listens can do nothing else.
      const listener = client.duplicate()
      listener.on('error', () => {})
      listener.on('messageBuffer', (_, message: Buffer) => onMessage(message.toString('latin1')))
      await listener.subscribe(Buffer.from(prefix + channel, 'latin1') as never) // the type lacks bytes
      return () => listener.disconnect()
    },
    close: async () => {
      try {
        if (keyPrefix === undefined) await send(client, 'eval', [deleteKeys, '0', `${escapeGlob(prefix)}*`])
      } finally {
        client.disconnect()
      }
    },
  }
}
