// The data of the QStash stand-in: undelivered messages, dead letters, deduplication keys and signing keys. With a
// state file, they survive a restart.
import type { AttemptResult, DeadLetter, PendingMessage } from './message.ts'

export type SigningKeys = { current: string; next: string }

/** The content of the state file. */
export type State = {
  keys: SigningKeys
  messages: PendingMessage[]
  deadLetters: DeadLetter[]
  deduplication: { key: string; messageId: string; expiresAt: number }[]
}

export type Store = ReturnType<typeof createStore>

/** The stand-in lists the dead letter queue on one page. */
const keptDeadLetters = 100
const deduplicationWindowMs = 600_000

/** `onChange` is called after every change of the state. */
export function createStore(initial: State, now: () => number, onChange: () => void) {
  const messages = new Map(initial.messages.map((message) => [message.messageId, message]))
  const deadLetters = new Map(initial.deadLetters.map((letter) => [letter.dlqId, letter]))
  const seen = new Map(initial.deduplication.map(({ key, ...entry }) => [key, entry]))
  const { keys } = initial
  const [ms = 0, n = 0] = initial.deadLetters.at(-1)?.dlqId.split('-').map(Number) ?? []
  let lastDlq = { ms, n }

  return {
    messages,
    deadLetters,
    keys,
    onChange,

    addDeadLetter(failedAt: number, message: PendingMessage, result: AttemptResult): DeadLetter {
      // Ids are unique and in order, even if the clock stands still or goes back.
      lastDlq = failedAt > lastDlq.ms ? { ms: failedAt, n: 0 } : { ms: lastDlq.ms, n: lastDlq.n + 1 }
      const letter = { dlqId: `${lastDlq.ms}-${lastDlq.n}`, message, result }
      deadLetters.set(letter.dlqId, letter)
      for (const oldest of deadLetters.keys()) {
        if (deadLetters.size <= keptDeadLetters) break
        deadLetters.delete(oldest)
      }
      return letter
    },

    /** The message that was published with `key` within the last ten minutes. */
    findDuplicate(key: string): string | undefined {
      const entry = seen.get(key)
      return entry !== undefined && entry.expiresAt > now() ? entry.messageId : undefined
    },

    rememberKey(key: string, messageId: string): void {
      seen.delete(key) // keys stay in the order in which they expire
      for (const [oldest, { expiresAt }] of seen) {
        if (expiresAt > now()) break
        seen.delete(oldest)
      }
      seen.set(key, { messageId, expiresAt: now() + deduplicationWindowMs })
    },

    state: (): State => ({
      keys,
      messages: [...messages.values()],
      deadLetters: [...deadLetters.values()],
      deduplication: [...seen].map(([key, entry]) => ({ key, ...entry })),
    }),
  }
}
