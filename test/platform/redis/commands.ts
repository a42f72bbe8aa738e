// The commands that the stand-in implements, and the checks before a command runs: its name, its arity, its arguments.
// Other commands of Redis are refused by name: a wrong answer would be worse.
import { Redis } from 'ioredis'
import { type Command, type CommandTable, keysOf, type Run, type World } from './command.ts'
import { keyCommands } from './keys.ts'
import { NotImplemented, RedisError, type Reply, textFromBytes, wrongArity } from './reply.ts'
import { scriptCommands } from './scripts.ts'
import { streamCommands } from './streams.ts'
import { stringCommands } from './strings.ts'

export const commandTable: CommandTable = { ...keyCommands, ...stringCommands, ...streamCommands, ...scriptCommands }

const redisCommands = new Set<string>(Redis.prototype.getBuiltinCommands())
// Commands newer than the client library's list, and the modules that Upstash has.
const laterCommands = new Set(['delex', 'digest', 'hgetdel', 'hgetex', 'hsetex', 'msetex', 'xackdel', 'xdelex'])
const moduleCommand = /^(bf|cf|cms|ft|json|search|tdigest|topk|ts|v)\.|^v(add|card|dim|emb|links|rem|sim)$/

/** A command as it was sent, and `next`: how to run it, or the error that Redis answers. */
export type Prepared = {
  name: string
  args: string[]
  command: Command | null
  next: Run | RedisError
}

const isArityRight = (arity: number, count: number) => (arity < 0 ? count >= -arity : count === arity)

function findCommand(name: string): Command | null {
  const lower = name.toLowerCase()
  return Object.hasOwn(commandTable, lower) ? (commandTable[lower] ?? null) : null
}

/** Redis quotes the arguments of an unknown command until their quoted length passes 128 bytes. */
function unknownCommand(name: string, args: string[]): RedisError {
  let quoted = ''
  for (const arg of args) {
    if (quoted.length >= 128) break
    quoted += `'${arg.slice(0, 128 - quoted.length)}' `
  }
  const text = `ERR unknown command '${name.slice(0, 128)}', with args beginning with: ${quoted}`
  return new RedisError(textFromBytes(text))
}

function tryPrepare(command: Command, args: string[]): Run | RedisError {
  try {
    return command.prepare(...args)
  } catch (error) {
    if (error instanceof RedisError) return error
    throw error
  }
}

/**
 * Checks a command.
 * @param words its name, then its arguments
 * @throws NotImplemented for a command that Redis or Upstash has and the stand-in does not
 */
export function prepareCommand(words: string[]): Prepared {
  const [name = '', ...args] = words
  const lower = name.toLowerCase()
  const command = findCommand(name)
  const answer = (next: Run | RedisError): Prepared => ({ name: lower, args, command, next })
  if (!command) {
    const isKnown = redisCommands.has(lower) || laterCommands.has(lower) || moduleCommand.test(lower)
    if (isKnown) throw new NotImplemented(`the command ${lower.toUpperCase()}`)
    return answer(unknownCommand(name, args))
  }
  if (!isArityRight(command.arity, words.length)) return answer(wrongArity(lower))
  return answer(tryPrepare(command, args))
}

/**
 * Runs a command for a script.
 * @throws RedisError for an error of the command, NotImplemented for a command that scripts cannot use here, and for a key
 *   that the script did not declare in KEYS: on a real server it would be outside the stand-in's prefix
 */
export function runInScript(world: World, words: string[], declaredKeys: string[]): Reply {
  const [name = '', ...args] = words
  const command = findCommand(name)
  if (!command?.isAllowedInScripts) throw new NotImplemented(`the command ${name.toUpperCase()} in a script`)
  if (!isArityRight(command.arity, words.length)) {
    throw new RedisError('ERR Wrong number of args calling Redis command from script')
  }
  const isDeclared = (key: string) => key !== '' && declaredKeys.includes(key)
  if (!keysOf(command, args).every(isDeclared)) {
    throw new NotImplemented('a script that uses a key it did not declare in KEYS')
  }
  return command.prepare(...args)(world)
}
