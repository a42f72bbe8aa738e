// The Redis behind the REST API: an in-process one, or a real one (server.ts).
import type { World } from './command.ts'
import { type Prepared, runInScript } from './commands.ts'
import { RedisError, type Reply } from './reply.ts'
import { Store } from './store.ts'

/** The result of one command. */
export type Outcome = { reply: Reply } | { error: RedisError }

export type Engine = {
  /** Runs the commands in order. After an error, the next ones still run. */
  run(commands: Prepared[]): Promise<Outcome[]>
  /** Listens to a channel until the returned function is called. */
  subscribe(channel: string, onMessage: (message: string) => void): Promise<() => void>
  close(): Promise<void>
}

/** An in-process Redis. */
export function createMemoryEngine(): Engine {
  const world: World = {
    store: new Store(),
    scripts: new Map(),
    listeners: new Map(),
    call: (words, declaredKeys) => runInScript(world, words, declaredKeys),
  }
  const runOne = ({ next }: Prepared): Outcome => {
    if (next instanceof RedisError) return { error: next }
    try {
      return { reply: next(world) }
    } catch (error) {
      if (error instanceof RedisError) return { error }
      throw error
    }
  }
  return {
    run: async (commands) => commands.map(runOne),
    subscribe: async (channel, onMessage) => {
      const listeners = world.listeners.get(channel) ?? new Set()
      world.listeners.set(channel, listeners.add(onMessage))
      return () => void listeners.delete(onMessage)
    },
    close: async () => world.store.clear(),
  }
}
