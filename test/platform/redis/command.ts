// The definition of a command: its arity, the positions of its keys, whether it writes, and how it runs. It runs in two
// steps, so that an invalid argument is known before anything changes.
import type { Reply } from './reply.ts'
import type { Store } from './store.ts'

/** One in-process Redis: its data, its scripts by SHA-1, and a way to run commands from within a script. */
export type World = {
  store: Store
  scripts: Map<string, string>
  /** Who listens to each channel. */
  listeners: Map<string, Set<(message: string) => void>>
  /** @throws RedisError for an error of the command, NotImplemented for what a script cannot do here. */
  call(words: string[], declaredKeys: string[]): Reply
}

export type Run = (world: World) => Reply

/** `counted`: the number of keys comes first, as in EVAL. */
export type KeyPositions = 'none' | 'first' | 'all' | 'counted'

export type Command = {
  /** As in COMMAND INFO: it includes the name, and a negative number is a minimum. */
  arity: number
  keys: KeyPositions
  isWrite: boolean
  isAllowedInScripts: boolean
  /**
   * Reads the arguments, without the name. The arity is already checked.
   * @throws RedisError for invalid arguments, NotImplemented for arguments that the stand-in does not implement.
   */
  prepare(...args: string[]): Run
}

export type CommandTable = Record<string, Command>

type Prepare = Command['prepare']

export function read(arity: number, keys: KeyPositions, prepare: Prepare): Command {
  return { arity, keys, isWrite: false, isAllowedInScripts: true, prepare }
}

export function write(arity: number, keys: KeyPositions, prepare: Prepare): Command {
  return { arity, keys, isWrite: true, isAllowedInScripts: true, prepare }
}

/** For commands that act on keys which they do not name. */
export function outsideScripts(command: Command): Command {
  return { ...command, isAllowedInScripts: false }
}

/** The arguments with `mapKey` applied to every key among them. */
export function mapKeys(command: Command, args: string[], mapKey: (key: string) => string): string[] {
  if (command.keys === 'counted') {
    // @upstash/ratelimit passes '' for a key that does not exist, and its script compares with '': it must stay ''.
    const count = Number(args[1])
    return args.map((arg, at) => (at >= 2 && at < 2 + count && arg !== '' ? mapKey(arg) : arg))
  }
  const keys = keysOf(command, args)
  return [...keys.map(mapKey), ...args.slice(keys.length)]
}

/** The keys of a command that can run in scripts. They are its first arguments. */
export function keysOf(command: Command, args: string[]): string[] {
  const counts: Record<KeyPositions, number> = { none: 0, first: 1, all: args.length, counted: 0 }
  return args.slice(0, counts[command.keys])
}
