// A stand-in for QStash: it delivers messages with delay, retry, signature, deduplication and failure callbacks, and keeps
// dead letters, as the vendor's SDK expects it.
// https://upstash.com/docs/qstash/howto/local-development
import { type StandInOptions, startHttpServer } from './http.ts'
import { createDeliveryLoop, type Delivery, type DeliveryFaults } from './qstash/delivery-loop.ts'
import { type Message, showMessage } from './qstash/message.ts'
import { createApi } from './qstash/routes.ts'
import { loadState, openStateFile } from './qstash/state-file.ts'
import { createStore, type State } from './qstash/store.ts'

export type QStashStandInOptions = StandInOptions & {
  /** Keeps undelivered messages, dead letters, deduplication ids and keys across restarts. Absent: in memory only. */
  stateFile?: string
  /** Token and keys default to the public ones of the vendor's development server. */
  token?: string
  /** For a first start: keys in the state file win. */
  currentSigningKey?: string
  nextSigningKey?: string
  /** The faults to inject into each delivery; by default none. */
  deliveryFaults?: DeliveryFaults
  /** Unix milliseconds. */
  now?: () => number
}

export type QStashStandIn = {
  url: string
  token: string
  currentSigningKey: string
  nextSigningKey: string
  /** The messages that are not delivered yet, oldest first. */
  messages(): Message[]
  /** The newest finished attempts, oldest first. */
  deliveries(): Delivery[]
  /** The number of attempts in flight. */
  inFlightCount(): number
  /** Moves every attempt that is not due yet forward by that time. */
  advance(byMs: number): void
  /** Drops all undelivered messages, and cuts off the attempts in flight. */
  clear(): Promise<void>
  /** As after a crash: attempts in flight are cut off, and their messages are due again. */
  restart(): Promise<void>
  /** Aborts the attempts in flight, whose messages stay undelivered, and resolves when the state file is written. */
  close(): Promise<void>
}

// Fixed in the vendor's own server and SDK, which recognises a development server by them.
const development = {
  token: 'eyJVc2VySUQiOiJkZWZhdWx0VXNlciIsIlBhc3N3b3JkIjoiZGVmYXVsdFBhc3N3b3JkIn0=',
  currentSigningKey: 'sig_7kYjw48mhY7kAjqNGcy6cr29RJ6r',
  nextSigningKey: 'sig_5ZB6DVzB1wjE8S6rZ7eenA8Pdnhs',
}

/** @throws the listen error of the port, and an Error for a state file that cannot be read */
export async function startQStash(options: QStashStandInOptions = {}): Promise<QStashStandIn> {
  const { stateFile, token = development.token, now = Date.now } = options
  const loaded = stateFile === undefined ? undefined : await loadState(stateFile)
  const file = stateFile === undefined ? undefined : openStateFile(stateFile, () => store.state())
  const store = createStore(loaded ?? blankState(options), now, () => file?.changed())
  const loop = createDeliveryLoop(store, now, options.deliveryFaults)
  const answer = createApi(token, { store, loop, now })
  const server = await startHttpServer('qstash', async (request) => answer(request), options)
  loop.start()
  return {
    url: server.url,
    token,
    currentSigningKey: store.keys.current,
    nextSigningKey: store.keys.next,
    messages: () => [...store.messages.values()].map(showMessage),
    deliveries: () => [...loop.deliveries],
    inFlightCount: loop.inFlightCount,
    advance: loop.advance,
    async clear() {
      store.messages.clear()
      await loop.restart()
    },
    restart: loop.restart,
    async close() {
      await server.close()
      await loop.close()
      await file?.close()
    },
  }
}

function blankState({ currentSigningKey, nextSigningKey }: QStashStandInOptions): State {
  return {
    keys: {
      current: currentSigningKey ?? development.currentSigningKey,
      next: nextSigningKey ?? development.nextSigningKey,
    },
    messages: [],
    deadLetters: [],
    deduplication: [],
  }
}
