// Tells the screens when to read again: at once what the change feed names, and everything every 5 s, because the feed does
// not name a new time or counter of a report.
import { connection } from './network.ts'
import { client } from './session.ts'

type Listener = (machineIds: ReadonlySet<number> | 'all') => void

const everyMs = 5_000
/** At most one read per second. */
const batchMs = 1_000

const listeners = new Set<Listener>()
const changed = new Set<number>()
let isAllChanged = false
let isWaiting = false
let lastSentAt = 0
let lastAllAt = 0

function send(): void {
  isWaiting = false
  lastSentAt = Date.now()
  if (isAllChanged) lastAllAt = lastSentAt
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

/** Runs while somebody is signed in. Ends with the signal. */
export function startLive(signal: AbortSignal): void {
  const timer = setInterval(() => {
    const isDue = Date.now() - lastAllAt >= everyMs - 100
    if (isDue && !document.hidden) collect(undefined)
  }, 1_000)
  // A hidden page does not follow the feed.
  let following = new AbortController()
  const onVisible = () => {
    following.abort()
    following = new AbortController()
    if (document.hidden) return
    collect(undefined)
    void followFeed(following.signal)
  }
  onVisible()
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
    following.abort()
    document.removeEventListener('visibilitychange', onVisible)
  })
}

/** Without the feed, everything is read every 5 s. */
async function followFeed(signal: AbortSignal): Promise<void> {
  try {
    for await (const change of client.changes({ signal, onConnected: () => collect(undefined) })) {
      if (change.type === 'reset') collect(undefined)
      else collect(change.type === 'job' ? change.machine_id : change.id)
    }
  } catch {
    // The session has ended. The next request shows that.
  }
}

/** Reads a machine again soon, for example after a command. */
export function noteChange(machineId: number): void {
  collect(machineId)
}

/** Reads a machine at this interval, while a job of it is open. @returns a function that ends this */
export function collectAfter(machineId: number, intervalMs: number): () => void {
  const timer = setInterval(() => collect(machineId), intervalMs)
  return () => clearInterval(timer)
}
