// The list of commands that the stand-in speaks, and the first look at a command: is it known, is it complete, do its
// words make sense. Redis commands that are not on the list are refused by name; a wrong answer would be worse.
import { Redis } from 'ioredis'
import type { Command, CommandTable, Run } from './command.ts'
import { expiryCommands } from './expiry.ts'
import { hashCommands } from './hashes.ts'
import { keyCommands } from './keys.ts'
import { listCommands } from './lists.ts'
import { NotSpoken, RedisError, textFromBytes, wrongArity } from './reply.ts'
import { scriptCommands } from './scripts.ts'
import { setCommands } from './sets.ts'
import { sortedRangeCommands } from './sorted-ranges.ts'
import { sortedSetCommands } from './sorted-sets.ts'
import { stringCommands } from './strings.ts'

const table: CommandTable = {
  ...keyCommands,
  ...expiryCommands,
  ...stringCommands,
  ...hashCommands,
  ...listCommands,
  ...setCommands,
  ...sortedSetCommands,
  ...sortedRangeCommands,
  ...scriptCommands,
}

const redisCommands = new Set<string>(Redis.prototype.getBuiltinCommands())
// What came after the client library's list, and the modules that Upstash has.
const laterCommands = new Set(['delex', 'digest', 'hgetdel', 'hgetex', 'hsetex', 'msetex', 'xackdel', 'xdelex'])
const moduleCommand = /^(bf|cf|cms|ft|json|search|tdigest|topk|ts|v)\.|^v(add|card|dim|emb|links|rem|sim)$/

/** A command as it was sent, and either how to run it or what Redis answers instead. */
export type Prepared = {
  name: string
  args: string[]
  command: Command | null
  next: Run | RedisError
}

const isArityRight = (arity: number, count: number) => (arity < 0 ? count >= -arity : count === arity)

/** Redis quotes the arguments of an unknown command until their quoted length passes 128 bytes. */
function unknownCommand(name: string, args: string[]): RedisError {
  let quoted = ''
  for (const arg of args) {
    if (quoted.length >= 128) break
    quoted += `'${arg.slice(0, 128 - quoted.length)}' `
  }
  const text = `ERR unknown command '${name.slice(0, 128)}', with args beginning with: ${quoted}`
  return new RedisError(textFromBytes(text), { isQueueError: true })
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
 * Looks at a command, name first. Scripts are told less about what is wrong than clients.
 * @throws NotSpoken for what Redis or Upstash knows and the stand-in does not.
 */
export function prepareCommand(words: string[], isInScript = false): Prepared {
  const [name = '', ...args] = words
  const lower = name.toLowerCase()
  const command = Object.hasOwn(table, lower) ? (table[lower] ?? null) : null
  const answer = (next: Run | RedisError): Prepared => ({
    name: lower,
    args,
    command,
    next,
  })
  if (!command) {
    const isKnown = redisCommands.has(lower) || laterCommands.has(lower) || moduleCommand.test(lower)
    if (isKnown) throw new NotSpoken(`the command ${lower.toUpperCase()}`)
    return answer(
      isInScript ? new RedisError('ERR Unknown Redis command called from script') : unknownCommand(name, args),
    )
  }
  if (!isArityRight(command.arity, words.length)) {
    const inScript = 'ERR Wrong number of args calling Redis command from script'
    return answer(isInScript ? new RedisError(inScript) : wrongArity(lower))
  }
  if (isInScript && !command.isAllowedInScripts) {
    return answer(new RedisError('ERR This Redis command is not allowed from script'))
  }
  return answer(tryPrepare(command, args))
}
