// A stand-in for QStash: it takes messages, carries each to its destination with delay, retry, signature, deduplication
// and callbacks, and keeps the dead ones, all as the vendor's SDK expects it.
// https://upstash.com/docs/qstash/howto/local-development
import { type StandInOptions, startHttpServer } from './http.ts'
import { createCourier, type Delivery, type DeliveryFaults } from './qstash/courier.ts'
import { type Message, showMessage } from './qstash/message.ts'
import { createApi } from './qstash/routes.ts'
import { loadState, openStateFile } from './qstash/state-file.ts'
import { createStore, type State } from './qstash/store.ts'

export type QStashStandInOptions = StandInOptions & {
  /** Where undelivered messages, dead letters, deduplication and keys survive; absent: nowhere. */
  stateFile?: string
  /** Token and keys default to the public ones of the vendor's development server. */
  token?: string
  /** For a first start: keys in the state file, which may have been rotated, win. */
  currentSigningKey?: string
  nextSigningKey?: string
  /** What happens to each delivery on its way; nothing unless told. */
  deliveryFaults?: DeliveryFaults
  /** Unix milliseconds. After moving such a clock, call `wake`. */
  now?: () => number
}

export type QStashStandIn = {
  url: string
  token: string
  readonly currentSigningKey: string
  readonly nextSigningKey: string
  /** What is not delivered yet, oldest first. */
  messages(): Message[]
  /** The newest finished attempts, oldest first. */
  deliveries(): Delivery[]
  /** How many attempts are going on. */
  underWay(): number
  /** Looks at the clock again and starts what is due. */
  wake(): void
  /** As if so much time had gone by: what waits is due that much earlier. */
  hasten(byMs: number): void
  /** As after a crash: what was under way is cut off, and everything that is not delivered is due again. */
  restart(): Promise<void>
  /** Cuts off what is under way, which stays undelivered, and resolves when all is quiet and written. */
  close(): Promise<void>
}

// Fixed in the vendor's own server and SDK, which knows a development server by them.
const development = {
  token: 'eyJVc2VySUQiOiJkZWZhdWx0VXNlciIsIlBhc3N3b3JkIjoiZGVmYXVsdFBhc3N3b3JkIn0=',
  currentSigningKey: 'sig_7kYjw48mhY7kAjqNGcy6cr29RJ6r',
  nextSigningKey: 'sig_5ZB6DVzB1wjE8S6rZ7eenA8Pdnhs',
}

/** @throws the listen error when the port cannot be had, and an Error for a state file that cannot be read. */
export async function startQStash(options: QStashStandInOptions = {}): Promise<QStashStandIn> {
  const { stateFile, token = development.token, now = Date.now } = options
  const loaded = stateFile === undefined ? undefined : await loadState(stateFile)
  const file = stateFile === undefined ? undefined : openStateFile(stateFile, () => store.state())
  const store = createStore(loaded ?? blankState(options), now, () => file?.changed())
  const courier = createCourier(store, now, options.deliveryFaults)
  const answer = createApi(token, { store, courier, now })
  const server = await startHttpServer('qstash', async (request) => answer(request), options)
  courier.wake()
  return {
    url: server.url,
    token,
    get currentSigningKey() {
      return store.keys.current
    },
    get nextSigningKey() {
      return store.keys.next
    },
    messages: () => [...store.messages.values()].map(showMessage),
    deliveries: () => [...courier.deliveries],
    underWay: () => courier.underWay(),
    wake: () => courier.wake(),
    hasten: (byMs) => courier.hasten(byMs),
    restart: () => courier.restart(),
    async close() {
      await server.close()
      await courier.close()
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
