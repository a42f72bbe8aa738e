// What a screen has read: the last answer stays visible while it is read again, and when that fails.
import { useLayoutEffect, useRef, useState } from 'hono/jsx/dom'
import { serverNow } from './clock.ts'
import { onChange } from './live.ts'
import { session } from './session.ts'
import { useSelected } from './state.ts'
import type { Instant } from './time.ts'

export type Resource<Value> = {
  value: Value | undefined
  /** When the value was read. */
  readAt: Instant | undefined
  error: unknown
  reload(): void
}

type State<Value> = Omit<Resource<Value>, 'reload'> & { key: string }

/** The last board of this session: it shows at once after a step back, also without a connection. Its age stands beside it. */
let board: State<unknown> | undefined
session.subscribe(() => {
  board = undefined
})

/**
 * Reads now, again when `key` changes, and again after changes of what it shows.
 * @param of whose changes count: those of one machine, or of all
 */
export function useResource<Value>(
  key: string,
  read: () => Promise<Value>,
  of: number | 'all' | 'none' = 'none',
): Resource<Value> {
  const empty: State<Value> = { key, value: undefined, readAt: undefined, error: undefined }
  const isBoard = of === 'all'
  const kept = isBoard && board?.key === key ? (board as State<Value>) : empty // the key names what was read
  const [state, setState] = useState<State<Value>>(kept)
  const latestRead = useRef({ key, count: 0 })
  // hono/jsx/dom ignores the first update of a screen that was left; the next one would show it again, below the new one.
  const isLeft = useRef(false)
  useLayoutEffect(
    () => () => {
      isLeft.current = true
    },
    [],
  )
  const load = async () => {
    const thisRead = { key, count: (latestRead.current?.count ?? 0) + 1 }
    latestRead.current = thisRead
    const isLatest = () => latestRead.current === thisRead && !isLeft.current
    const reader = session.get()
    try {
      const value = await read()
      const next = { key, value, readAt: serverNow(), error: undefined }
      if (isLatest()) setState(next)
      if (isLatest() && isBoard && session.get() === reader) board = next
    } catch (error) {
      if (isLatest()) setState((old) => (old.key === key ? { ...old, error } : { ...empty, error }))
    }
  }
  const loader = useRef(load)
  loader.current = load
  const mayRead = useSelected(session, ({ state }) => state !== 'starting')
  useLayoutEffect(() => {
    if (!mayRead) return
    void loader.current?.()
    if (of === 'none') return
    return onChange((ids) => {
      if (ids === 'all' || of === 'all' || ids.has(of)) void loader.current?.()
    })
  }, [key, of, mayRead])
  const shown = state.key === key ? state : empty
  return { value: shown.value, readAt: shown.readAt, error: shown.error, reload: () => void load() }
}
