// A value that screens show: they render again when it changes.
import { useLayoutEffect, useState } from 'hono/jsx/dom'

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

/** Not useSyncExternalStore: that subscribes in an animation frame, which a hidden tab does not get. */
export function useStore<Value>(store: Store<Value>): Value {
  const [, setCount] = useState(0)
  useLayoutEffect(() => {
    const seen = store.get()
    const unsubscribe = store.subscribe(() => setCount((count) => count + 1))
    if (store.get() !== seen) setCount((count) => count + 1)
    return unsubscribe
  }, [store])
  return store.get()
}
