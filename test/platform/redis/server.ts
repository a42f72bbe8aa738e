// A real Redis behind the REST API. All keys get a prefix that clients never see, so that many stand-ins can share a
// server; KEYS and FLUSHDB see only what is within the prefix.
import { Redis } from 'ioredis'
import { ownMark } from '../own-mark.ts'
import { mapKeys } from './command.ts'
import { commandTable, type Prepared } from './commands.ts'
import type { Engine, Outcome } from './engine.ts'
import { escapeGlob } from './glob.ts'
import { guardScript, readRefusal } from './guard.ts'
import { checkLua } from './lua.ts'
import { integerReply, NotSpoken, RedisError, type Reply } from './reply.ts'
import { noScript, plainLua, scriptSha } from './scripts.ts'

type Sent = { name: string; args: string[]; strip: (reply: Reply) => Reply }

// In hundreds: unpack has a limit of some thousands.
const deleteKeys = `
local keys = redis.call('KEYS', ARGV[1])
for first = 1, #keys, 100 do redis.call('UNLINK', unpack(keys, first, math.min(first + 99, #keys))) end
return redis.status_reply('OK')`

/** `guardedScripts`: by the hash of a script, what the server gets in its place. */
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
 * The command with its script as the server gets it: in plain Lua and guarded. A hash stands for a script that this
 * stand-in has sent, so that the server never runs one that somebody else left there.
 * @throws RedisError for a script that is no Lua, and for an unknown hash
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

/** With `stringNumbers` and buffers, a string is an integer and a buffer is a string. */
function readReply(raw: unknown): Reply {
  if (raw === null) return null
  if (raw instanceof Uint8Array) return Buffer.from(raw).toString('latin1')
  if (typeof raw === 'string') return integerReply(BigInt(raw))
  if (Array.isArray(raw)) return raw.map(readReply)
  if (raw instanceof Error) throw new NotSpoken('an error inside an array that a script answers with')
  throw new TypeError(`ioredis answered with a ${typeof raw}`)
}

const isReplyError = (error: unknown): error is Error => error instanceof Error && error.name === 'ReplyError'

/** @throws NotSpoken for a script that was refused; any error that is not Redis' own again */
function readError(error: unknown): RedisError {
  if (error instanceof RedisError) return error
  if (!isReplyError(error)) throw error
  const refused = readRefusal(error.message)
  if (refused !== undefined) throw new NotSpoken(refused)
  return new RedisError(error.message)
}

/** What the server cannot be asked: it does not have the command, or another one goes in its place. */
function answerHere({ name, command, next }: Prepared): Outcome | null {
  if (!(next instanceof RedisError)) return null
  return !command || name === 'flushdb' || name === 'eval' ? { error: next } : null
}

// Upper case: ioredis reshapes the replies of the commands whose lower-case names it knows.
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
  client.on('error', () => {}) // every command reports it; without a listener ioredis prints it as well
  try {
    await client.connect()
  } catch (error) {
    client.disconnect()
    throw new Error('the Redis server that the stand-in was given cannot be reached', { cause: error })
  }
  return client
}

/**
 * Connects to the server. Without a prefix it makes one up, and deletes what is behind it at `close()`.
 * @throws Error when the server cannot be reached.
 */
export async function connectServerEngine(serverUrl: string, keyPrefix?: string): Promise<Engine> {
  const prefix = keyPrefix ?? `tiebar:${ownMark()}:`
  const client = await connect(serverUrl)
  const server: Server = { client, prefix, guardedScripts: new Map() }
  return {
    run: (commands) => Promise.all(commands.map((prepared) => runOne(server, prepared))),
    close: async () => {
      try {
        if (keyPrefix === undefined) await send(client, 'eval', [deleteKeys, '0', `${escapeGlob(prefix)}*`])
      } finally {
        client.disconnect()
      }
    },
  }
}
