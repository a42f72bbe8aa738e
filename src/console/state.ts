// A value that screens show: they render again when it changes.
import { useLayoutEffect, useRef, useState } from 'hono/jsx/dom'

export type Store<Value> = {
  get(): Value
  set(next: Value): void
  subscribe(listener: () => void): () => void
}

export function createStore<Value>(initial: Value): Store<Value> {
  let value = initial
  const listeners = new Set<() => void>()
  return {
    get: () => value,
    set(next) {
      if (Object.is(value, next)) return
      value = next
      for (const listener of [...listeners]) listener()
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

export function useStore<Value>(store: Store<Value>): Value {
  return useSelected(store, (value) => value)
}

/**
 * Renders again only when what is selected has changed: a board of 100 machines has hundreds of ages that tick.
 * Not useSyncExternalStore: that subscribes in an animation frame, which a hidden tab does not get.
 */
export function useSelected<Value, Selected>(store: Store<Value>, select: (value: Value) => Selected): Selected {
  const [, setCount] = useState(0)
  const selected = select(store.get())
  const latest = useRef({ select, selected })
  latest.current = { select, selected }
  useLayoutEffect(() => {
    const check = () => {
      const { current } = latest
      if (current && !Object.is(current.select(store.get()), current.selected)) setCount((count) => count + 1)
    }
    check()
    return store.subscribe(check)
  }, [store])
  return selected
}
