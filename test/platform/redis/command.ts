// What a command is: its arity, where its keys are, whether it writes, and how it runs. It runs in two steps, so that
// what is wrong with the words of a command is known before anything happens.
import type { Reply } from './reply.ts'
import type { Store } from './store.ts'

/** One in-process Redis: its data, its scripts by SHA-1, and a way to run commands from within a script. */
export type World = {
  store: Store
  scripts: Map<string, string>
  /** @throws RedisError what the command answers as an error. */
  call(args: string[], isReadOnly: boolean): Reply
}

export type Run = (world: World) => Reply

/** `everyOther`: key, value, key, value …; `counted`: as EVAL has them, the number of keys first. */
export type KeyPositions = 'none' | 'first' | 'firstTwo' | 'all' | 'everyOther' | 'counted'

export type Command = {
  /** As COMMAND INFO tells it: the name counts, negative is a minimum. */
  arity: number
  keys: KeyPositions
  isWrite: boolean
  isAllowedInScripts: boolean
  /**
   * Reads the arguments (without the name; the arity has been checked).
   * @throws RedisError for wrong words, NotSpoken for words the stand-in does not speak.
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

/** The arguments with `mapKey` applied to every key among them. */
export function mapKeys(command: Command, args: string[], mapKey: (key: string) => string): string[] {
  if (command.keys === 'counted') {
    // A script that has no use for one of its keys is given '' for it and compares: that must stay ''.
    const count = Number(args[1])
    return args.map((arg, at) => (at >= 2 && at < 2 + count && arg !== '' ? mapKey(arg) : arg))
  }
  const isKey: Record<Exclude<KeyPositions, 'counted'>, (at: number) => boolean> = {
    none: () => false,
    first: (at) => at === 0,
    firstTwo: (at) => at < 2,
    all: () => true,
    everyOther: (at) => at % 2 === 0,
  }
  const test = isKey[command.keys]
  return args.map((arg, at) => (test(at) ? mapKey(arg) : arg))
}

/** The items two by two; a lone last one is dropped. */
export function pairs(items: string[]): [string, string][] {
  const found: [string, string][] = []
  for (let at = 0; at + 1 < items.length; at += 2) found.push([items[at] ?? '', items[at + 1] ?? ''])
  return found
}
