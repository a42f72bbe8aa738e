// What stands behind the REST API: a Redis in this process, or (redis-server.ts) a real one.
import type { World } from './command.ts'
import { type Prepared, prepareCommand } from './commands.ts'
import { RedisError, type Reply } from './reply.ts'
import { Store } from './store.ts'

/** What one command came to. */
export type Outcome = { reply: Reply } | { error: RedisError }

export type Engine = {
  /** One command after the other; an error does not keep the rest from running. */
  run(commands: Prepared[]): Promise<Outcome[]>
  /** The same with nobody else's command in between. */
  runAtomically(commands: Prepared[]): Promise<Outcome[]>
  close(): Promise<void>
}

function createWorld(): World {
  const world: World = {
    store: new Store(),
    scripts: new Map(),
    call: (words, isReadOnly) => {
      const { command, next } = prepareCommand(words, true)
      if (next instanceof RedisError) throw next
      if (isReadOnly && command?.isWrite) {
        throw new RedisError('ERR Write commands are not allowed from read-only scripts.')
      }
      return next(world)
    },
  }
  return world
}

/** A Redis in this process. It runs to the end whatever it is given, so everything is atomic. */
export function createMemoryEngine(): Engine {
  const world = createWorld()
  const runOne = ({ next }: Prepared): Outcome => {
    if (next instanceof RedisError) return { error: next }
    try {
      return { reply: next(world) }
    } catch (error) {
      if (error instanceof RedisError) return { error }
      throw error
    }
  }
  const run = async (commands: Prepared[]) => commands.map(runOne)
  return { run, runAtomically: run, close: async () => world.store.clear() }
}
