// EVAL and EVALSHA.
import { createHash } from 'node:crypto'
import { type CommandTable, outsideScripts, type Run, type World, write } from './command.ts'
import { checkLua, runLua } from './lua.ts'
import { parseIndex } from './number.ts'
import { NotImplemented, RedisError } from './reply.ts'

export const scriptSha = (script: string) => createHash('sha1').update(Buffer.from(script, 'latin1')).digest('hex')

export const noScript = () => new RedisError('NOSCRIPT No matching script. Please use EVAL.')

type Arguments = { keys: string[]; argv: string[] }

/** KEYS and ARGV. @throws RedisError for an invalid number of keys */
function splitArguments(countText: string, rest: string[]): Arguments {
  const count = parseIndex(countText)
  if (count > rest.length) throw new RedisError("ERR Number of keys can't be greater than number of args")
  if (count < 0) throw new RedisError("ERR Number of keys can't be negative")
  return { keys: rest.slice(0, count), argv: rest.slice(count) }
}

const keyLocking = /^#!lua flags=allow-key-locking(?=\r?\n|$)/

/**
 * The script in plain Lua, with the same line numbers. Upstash's flag `allow-key-locking` changes which other commands run
 * at the same time, not what the script does (https://upstash.com/docs/redis/features/key-locking). Redis does not have it.
 * @throws NotImplemented for any other shebang line: it changes the rules for the script
 */
export function plainLua(script: string): string {
  const plain = script.replace(keyLocking, '--')
  if (plain.startsWith('#!')) throw new NotImplemented('a script with a shebang line')
  return plain
}

const run = (world: World, script: string, sha: string, { keys, argv }: Arguments) =>
  runLua({ script, sha, keys, argv, call: (words) => world.call(words, keys) })

const evaluate = (script: string, count: string, ...rest: string[]): Run => {
  const plain = plainLua(script)
  const given = splitArguments(count, rest)
  const sha = scriptSha(script)
  return (world) => {
    if (!world.scripts.has(sha)) {
      checkLua(plain)
      world.scripts.set(sha, plain)
    }
    return run(world, plain, sha, given)
  }
}

const evaluateSha = (shaText: string, count: string, ...rest: string[]): Run => {
  const given = splitArguments(count, rest)
  const sha = shaText.toLowerCase()
  return (world) => {
    const script = world.scripts.get(sha)
    if (script === undefined) throw noScript()
    return run(world, script, sha, given)
  }
}

export const scriptCommands: CommandTable = {
  eval: outsideScripts(write(-3, 'counted', evaluate)),
  evalsha: outsideScripts(write(-3, 'counted', evaluateSha)),
}
