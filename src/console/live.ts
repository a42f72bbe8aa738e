// Tells the screens when to read again: by the change feed, or every 5 s without it.
import { connection } from './network.ts'
import { client } from './session.ts'

export type Change =
  | { type: 'machine'; id: number; revision: number }
  | { type: 'job'; id: string; machine_id: number; version: number }
  | { type: 'reset' }

type Listener = (machineIds: ReadonlySet<number> | 'all') => void
type Feed = (options: { signal: AbortSignal }) => AsyncIterable<Change>

const withoutFeedMs = 5_000
const withFeedMs = 60_000
/** At most one read per second. */
const batchMs = 1_000

const listeners = new Set<Listener>()
const changed = new Set<number>()
let isAllChanged = false
let isWaiting = false
let lastSentAt = 0
let hasFeed = false

function send(): void {
  isWaiting = false
  lastSentAt = Date.now()
  const what = isAllChanged ? 'all' : new Set(changed)
  isAllChanged = false
  changed.clear()
  for (const listener of [...listeners]) listener(what)
}

function collect(machineId: number | undefined): void {
  if (machineId === undefined) isAllChanged = true
  else changed.add(machineId)
  if (isWaiting) return
  isWaiting = true
  setTimeout(send, Math.max(0, lastSentAt + batchMs - Date.now()))
}

export function onChange(listener: Listener): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

async function followFeed(signal: AbortSignal): Promise<void> {
  // Older clients have no feed: then the board is polled.
  const { changes } = client as { changes?: Feed }
  if (!changes) return
  for (;;) {
    if (signal.aborted) return
    try {
      for await (const change of changes({ signal })) {
        hasFeed = true
        collect(change.type === 'reset' ? undefined : change.type === 'job' ? change.machine_id : change.id)
      }
    } catch {
      // Without the feed, the timer below reads more often.
    }
    hasFeed = false
    await new Promise((resolve) => setTimeout(resolve, withoutFeedMs))
  }
}

/** Runs while somebody is signed in. Ends with the signal. */
export function startLive(signal: AbortSignal): void {
  void followFeed(signal)
  const timer = setInterval(() => {
    const isDue = Date.now() - lastSentAt >= (hasFeed ? withFeedMs : withoutFeedMs) - 100
    if (isDue && !document.hidden) collect(undefined)
  }, 1_000)
  const onVisible = () => {
    if (!document.hidden) collect(undefined)
  }
  let wasLost = false
  const unsubscribe = connection.subscribe(() => {
    const { isLost } = connection.get()
    if (wasLost && !isLost) collect(undefined)
    wasLost = isLost
  })
  document.addEventListener('visibilitychange', onVisible)
  signal.addEventListener('abort', () => {
    clearInterval(timer)
    unsubscribe()
    document.removeEventListener('visibilitychange', onVisible)
  })
}

/** Reads a machine again soon, as after a command. */
export function noteChange(machineId: number): void {
  collect(machineId)
}

/** Reads a machine every so often, while a job of it is open. @returns how to end it */
export function collectAfter(machineId: number, everyMs: number): () => void {
  const timer = setInterval(() => collect(machineId), everyMs)
  return () => clearInterval(timer)
}
