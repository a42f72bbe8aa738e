// Controls the thread of the clients: one salvo at a time.
import { once } from 'node:events'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { Outcome, Salvo } from './load.ts'

export type Clients = {
  /** @throws Error when a connection is lost, or an answer has an unexpected status */
  fire(salvo: Salvo): Promise<Outcome>
  close(): Promise<void>
}

export function startClients(): Clients {
  const thread = new Worker(join(import.meta.dirname, 'load.ts'))
  return {
    async fire(salvo) {
      thread.postMessage(salvo)
      const [outcome]: [Outcome | { failure: string }] = (await once(thread, 'message')) as never // what load.ts posts
      const path = salvo.shots[0]?.path
      if ('failure' in outcome) throw new Error(`${path}: ${outcome.failure}`)
      const { count, first } = outcome.unexpected
      if (count > 0) throw new Error(`${path}: ${count} of ${outcome.latenciesMs.length} were answered ${first}`)
      return outcome
    },
    async close() {
      await thread.terminate()
    },
  }
}
