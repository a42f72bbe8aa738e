// EVAL and its relatives.
import { createHash } from 'node:crypto'
import { type Command, type CommandTable, type KeyPositions, type Run, read, write } from './command.ts'
import { checkLua, runLua } from './lua.ts'
import { parseIndex } from './number.ts'
import { NotSpoken, OK, RedisError, wrongArity } from './reply.ts'

export const scriptSha = (script: string) => createHash('sha1').update(Buffer.from(script, 'latin1')).digest('hex')

/** KEYS and ARGV. @throws RedisError when the number of keys cannot be right. */
function splitArguments(countText: string, rest: string[]): { keys: string[]; argv: string[] } {
  const count = parseIndex(countText)
  if (count > rest.length) throw new RedisError("ERR Number of keys can't be greater than number of args")
  if (count < 0) throw new RedisError("ERR Number of keys can't be negative")
  return { keys: rest.slice(0, count), argv: rest.slice(count) }
}

const keyLocking = /^#!lua flags=allow-key-locking(?=\r?\n|$)/

/**
 * The script in plain Lua, its lines where they were. Upstash's own flag `allow-key-locking` changes what else may run
 * meanwhile, not what the script does (https://upstash.com/docs/redis/features/key-locking); Redis does not know it.
 * @throws NotSpoken for any other shebang line: it changes the rules that the script runs by.
 */
export function plainLua(script: string): string {
  const plain = script.replace(keyLocking, '--')
  if (plain.startsWith('#!')) throw new NotSpoken('a script with a shebang line')
  return plain
}

const evaluate =
  (isReadOnly: boolean) =>
  (script: string, count: string, ...rest: string[]): Run => {
    const plain = plainLua(script)
    const { keys, argv } = splitArguments(count, rest)
    const sha = scriptSha(script)
    return (world) => {
      if (!world.scripts.has(sha)) {
        checkLua(plain)
        world.scripts.set(sha, plain)
      }
      return runLua({
        script: plain,
        sha,
        keys,
        argv,
        call: (words) => world.call(words, isReadOnly),
      })
    }
  }

const evaluateSha =
  (isReadOnly: boolean) =>
  (shaText: string, count: string, ...rest: string[]): Run => {
    const { keys, argv } = splitArguments(count, rest)
    const sha = shaText.toLowerCase()
    return (world) => {
      const script = world.scripts.get(sha)
      if (script === undefined) throw new RedisError('NOSCRIPT No matching script. Please use EVAL.')
      return runLua({
        script,
        sha,
        keys,
        argv,
        call: (words) => world.call(words, isReadOnly),
      })
    }
  }

const load = (script: string): Run => {
  const plain = plainLua(script)
  return (world) => {
    checkLua(plain)
    const sha = scriptSha(script)
    world.scripts.set(sha, plain)
    return sha
  }
}

const flush = (...words: string[]): Run => {
  if (words.length > 1 || (words[0] !== undefined && !/^a?sync$/i.test(words[0]))) {
    throw new RedisError('ERR SCRIPT FLUSH only support SYNC|ASYNC option')
  }
  return (world) => {
    world.scripts.clear()
    return OK
  }
}

const manage = (subcommand: string, ...args: string[]): Run => {
  const name = subcommand.toLowerCase()
  const isArityWrong = (name === 'load' && args.length !== 1) || (name === 'exists' && args.length === 0)
  if (isArityWrong) throw wrongArity(`script|${name}`)
  if (name === 'load') return load(args[0] ?? '')
  if (name === 'flush') return flush(...args)
  if (name === 'exists') return ({ scripts }) => args.map((sha) => (scripts.has(sha.toLowerCase()) ? 1 : 0))
  if (['debug', 'help', 'kill'].includes(name)) throw new NotSpoken(`the command SCRIPT ${name.toUpperCase()}`)
  throw new RedisError(`ERR unknown subcommand '${subcommand}'. Try SCRIPT HELP.`, { isQueueError: true })
}

type Define = (arity: number, keys: KeyPositions, prepare: Command['prepare']) => Command

const outsideScripts = (define: Define, arity: number, keys: KeyPositions, prepare: Command['prepare']): Command => ({
  ...define(arity, keys, prepare),
  isAllowedInScripts: false,
})

export const scriptCommands: CommandTable = {
  eval: outsideScripts(write, -3, 'counted', evaluate(false)),
  evalsha: outsideScripts(write, -3, 'counted', evaluateSha(false)),
  eval_ro: outsideScripts(read, -3, 'counted', evaluate(true)),
  evalsha_ro: outsideScripts(read, -3, 'counted', evaluateSha(true)),
  script: outsideScripts(write, -2, 'none', manage),
}
