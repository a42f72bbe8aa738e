// What the QStash stand-in remembers: undelivered messages, dead letters, deduplication keys, signing keys, and the
// newest part of the log. All but the log outlives a restart where there is a state file.
import type { AttemptResult, DeadLetter, MessageEvent, MessageState, PendingMessage } from './message.ts'
import { randomId } from './message.ts'

export type SigningKeys = { current: string; next: string }

/** What goes into the state file. */
export type State = {
  keys: SigningKeys
  messages: PendingMessage[]
  deadLetters: DeadLetter[]
  deduplication: { key: string; messageId: string; expiresAt: number }[]
}

type EventFacts = { nextDeliveryTime?: number; result?: AttemptResult }

export type Store = ReturnType<typeof createStore>

const keptEvents = 10_000
const keptDeadLetters = 10_000
const deduplicationWindowMs = 600_000

/** `onChange` is called after whatever should outlive a restart has changed. */
export function createStore(initial: State, now: () => number, onChange: () => void) {
  const messages = new Map(initial.messages.map((message) => [message.messageId, message]))
  const deadLetters = new Map(initial.deadLetters.map((letter) => [letter.dlqId, letter]))
  const seen = new Map(initial.deduplication.map(({ key, ...entry }) => [key, entry]))
  const keys = { ...initial.keys }
  const events: MessageEvent[] = []
  let sequence = 0
  const [ms = 0, n = 0] = initial.deadLetters.at(-1)?.dlqId.split('-').map(Number) ?? []
  let lastDlq = { ms, n }

  return {
    messages,
    deadLetters,
    /** Oldest first. */
    events,
    keys,
    onChange,

    record(at: number, state: MessageState, message: PendingMessage, facts: EventFacts = {}): void {
      sequence += 1
      events.push({ sequence, time: at, state, message, ...facts })
      if (events.length > keptEvents) events.shift()
    },

    bury(failedAt: number, message: PendingMessage, result: AttemptResult): DeadLetter {
      // Never the same id twice, and never out of order, even if the clock stands still or steps back.
      lastDlq = failedAt > lastDlq.ms ? { ms: failedAt, n: 0 } : { ms: lastDlq.ms, n: lastDlq.n + 1 }
      const letter = {
        dlqId: `${lastDlq.ms}-${lastDlq.n}`,
        failedAt,
        message,
        result,
      }
      deadLetters.set(letter.dlqId, letter)
      for (const oldest of deadLetters.keys()) {
        if (deadLetters.size <= keptDeadLetters) break
        deadLetters.delete(oldest)
      }
      return letter
    },

    /** The message that `key` stood for within the last ten minutes. */
    findTwin(key: string): string | undefined {
      const entry = seen.get(key)
      return entry !== undefined && entry.expiresAt > now() ? entry.messageId : undefined
    },

    rememberKey(key: string, messageId: string): void {
      for (const [old, { expiresAt }] of seen) if (expiresAt <= now()) seen.delete(old)
      seen.set(key, { messageId, expiresAt: now() + deduplicationWindowMs })
    },

    /** The next key becomes the current one: receivers that know both notice nothing. */
    rotateKeys(): void {
      keys.current = keys.next
      keys.next = randomId('sig_')
      onChange()
    },

    state: (): State => ({
      keys,
      messages: [...messages.values()],
      deadLetters: [...deadLetters.values()],
      deduplication: [...seen].map(([key, entry]) => ({ key, ...entry })),
    }),
  }
}
